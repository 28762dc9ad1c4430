"""Real files reach a warehouse from an otherwise empty home, and plain loops over the same files find the same figures.

A few months of each region keep the test short; the months not run here are run by the same code.
"""

from __future__ import annotations

import datetime as dt
import math
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from home_warehouse import address
from home_warehouse import query as ask
from real_files import POLICIES, REAL_FILES, lines, records
from rich.console import Console

from kinerja_pipeline.home import Home

MONTHS = {
    "office": ("2020-03", "2020-03"),
    "shop": ("2021-09", "2021-09"),
    "scanners": ("2022-12", "2022-12"),
    "agency": ("2018-03", "2018-05"),
    "municipality": ("2011-01", "2011-02"),
    "counter_wide": ("2020-07", "2020-07"),
    "counter_long": ("2020-07", "2020-07"),
}
Query = Callable[[str], list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def query(home: Home) -> Iterator[Query]:
    """Runs the months of every region into the home's warehouse, and asks it questions."""
    from kinerja_pipeline.orchestration.launch import launch

    for policy in POLICIES.glob("*.yaml"):
        shutil.copy(policy, home.policies)

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KINERJA_HOME", str(home.root))
        environment.setenv("KINERJA_WAREHOUSE_URL", address(home))
        for region, (first, last) in MONTHS.items():
            outcome = launch(
                home, regions=[region], first=first, last=last, today=dt.date(2022, 12, 31), console=Console(quiet=True)
            )
            assert outcome.failed == []
            assert outcome.refused == []
        yield partial(ask, home)


def quality(query: Query, region: str, feed: str) -> dict[str, tuple[int, int, int, int]]:
    rows = query(
        f"""SELECT period, landed_count, valid_count, rejected_count, superseded_count FROM data_quality
        WHERE region = '{region}' AND feed = '{feed}' AND rule_id = 'all'"""
    )
    return {str(row[0]): (row[1], row[2], row[3], row[4]) for row in rows}  # type: ignore[dict-item]


def test_office_taps_add_up_with_unknown_pins_and_repeats(query: Query, data: Path) -> None:
    roster = {row["SCANNER ID"] for row in records(data / "attendance/office_scanner/roster.csv")}
    taps = [line.split("\t") for line in lines(data / REAL_FILES["office"][1][0])]
    march = [tuple(cell.strip() for cell in tap[:5]) for tap in taps if tap[1].startswith("2020-03")]
    unknown = sum(tap[0] not in roster for tap in march)
    distinct = len({tap for tap in march if tap[0] in roster})
    counts = quality(query, "office", "attendance_log")["2020-03"]
    assert counts == (len(march), distinct, unknown, len(march) - unknown - distinct)
    assert distinct > 0


def test_office_first_and_last_taps_are_those_a_plain_loop_finds(query: Query, data: Path) -> None:
    roster = list(dict.fromkeys(row["SCANNER ID"] for row in records(data / "attendance/office_scanner/roster.csv")))
    nip = {pin: f"198001012005011{number:03d}" for number, pin in enumerate(roster, start=1)}
    taps: dict[str, list[dt.datetime]] = defaultdict(list)
    for line in lines(data / REAL_FILES["office"][1][0]):
        pin, at = line.split("\t")[0].strip(), line.split("\t")[1]
        if pin in nip:
            taps[nip[pin]].append(dt.datetime.fromisoformat(at))
    expected = {}
    for person, times in taps.items():
        ordered = sorted(times)
        kept = [t for i, t in enumerate(ordered) if i == 0 or (t - ordered[i - 1]).total_seconds() > 60]
        for day in (dt.date(2020, 3, 1) + dt.timedelta(days=n) for n in range(31)):
            if day.weekday() > 4 or day == dt.date(2020, 3, 25):  # Nyepi; the scanner's own country is not the point
                continue
            start = dt.datetime.combine(day, dt.time(7, 30))
            end = dt.datetime.combine(day, dt.time(16, 30) if day.weekday() == 4 else dt.time(16, 0))
            middle = start + (end - start) / 2
            first = [t for t in kept if start - dt.timedelta(hours=4) <= t < middle]
            last = [t for t in kept if middle <= t < end + dt.timedelta(hours=6)]
            if not first and not last:
                continue
            late = max(0, math.floor((first[0] - start).total_seconds() / 60)) if first else None
            expected[person, day.isoformat()] = (
                first[0].strftime("%H:%M") if first else None,
                last[-1].strftime("%H:%M") if last else None,
                late,
            )
    found = {
        (row[0], row[1]): (row[2], row[3], row[4] if row[2] else None)
        for row in query(
            """SELECT nip, work_date, first_in_local, last_out_local, late_minutes FROM attendance_day
            WHERE region = 'office' AND period = '2020-03' AND (first_in_at IS NOT NULL OR last_out_at IS NOT NULL)
              AND day_type IN ('normal', 'friday')"""
        )
    }
    assert len(expected) > 300
    assert found == expected


def test_nobody_is_absent_on_a_day_without_a_single_tap(query: Query, data: Path) -> None:
    tapped = {line.split("\t")[1][:10] for line in lines(data / REAL_FILES["office"][1][0])}
    absent = query("SELECT DISTINCT work_date FROM attendance_day WHERE region = 'office' AND status_code = 'absent'")
    assert {str(row[0]) for row in absent} <= tapped


def test_the_shops_three_exports_leave_each_tap_once(query: Query, data: Path) -> None:
    files = [[line.split("\t") for line in lines(data / name)] for name in REAL_FILES["shop"][1]]
    september = [tuple(c.strip() for c in tap[:5]) for taps in files for tap in taps if tap[1].startswith("2021-09")]
    once = len(set(september))
    assert quality(query, "shop", "attendance_log")["2021-09"] == (len(september), once, 0, len(september) - once)


def test_scanners_without_a_roster_keep_their_taps_and_judge_nobody(query: Query, data: Path) -> None:
    taps = [line.split("\t")[1] for name in REAL_FILES["scanners"][1] for line in lines(data / name)]
    landed = sum(t.startswith("2022-12") for t in taps)
    assert quality(query, "scanners", "attendance_log")["2022-12"][0] == landed > 0
    assert query("SELECT count(*) FROM attendance_day WHERE region = 'scanners'") == [(0,)]


def agency_verdict(row: dict[str, str]) -> bool:
    """Whether a service request keeps the contract, by hand."""

    def date(text: str) -> dt.date | None:
        return None if text in ("", "\\N", "0000-00-00") else dt.date.fromisoformat(text)

    opened, due, done, officer = date(row["tgl"]), date(row["tgltarget"]), date(row["tgljadi"]), row["disposisi"]
    assert opened is not None
    officer_fits = officer in ("", "\\N") or (len(officer) == 18 and officer.isdigit())
    due_fits = due is None or due >= opened
    done_fits = done is None or done >= opened
    said_when = row["ket"] != "SELESAI" or done is not None
    return officer_fits and due_fits and done_fits and said_when


def test_service_requests_are_rejected_for_the_reasons_a_reader_sees(query: Query, data: Path) -> None:
    kept = [r for r in records(data / REAL_FILES["agency"][1][0]) if r["status"] != "BATAL"]
    for month in ("2018-03", "2018-04", "2018-05"):
        own = [r for r in kept if r["tgl"].startswith(month)]
        good = sum(agency_verdict(r) for r in own)
        assert quality(query, "agency", "task_record")[month] == (len(own), good, len(own) - good, 0)


def test_service_requests_on_time_are_those_done_by_their_day(query: Query, data: Path) -> None:
    kept = [r for r in records(data / REAL_FILES["agency"][1][0]) if r["status"] != "BATAL" and agency_verdict(r)]
    opened = [r for r in kept if r["tgl"][:7] in ("2018-03", "2018-04", "2018-05")]
    due = [r for r in opened if r["tgltarget"].startswith("2018-04")]
    on_time = sum(r["tgljadi"] not in ("\\N", "0000-00-00") and r["tgljadi"] <= r["tgltarget"] for r in due)
    found = query(
        """SELECT numerator, denominator FROM kpi WHERE region = 'agency' AND subject_kind = 'unit'
        AND indicator_id = 'task_on_time' AND period = '2018-04'"""
    )
    assert found == [(on_time, len(due))]


def test_permit_cases_reach_the_warehouse_with_their_own_clock(query: Query, data: Path) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    cases: dict[str, list[dict[str, str]]] = defaultdict(list)
    for event in records(data / REAL_FILES["municipality"][1][0]):
        cases[event["case:concept:name"]].append(event)
    landed, valid = Counter[str](), {}
    for case, events in cases.items():
        first = events[0]
        opened = dt.datetime.fromisoformat(first["case:startdate"]).astimezone(zone)
        month = opened.strftime("%Y-%m")
        landed[month] += 1
        done = dt.datetime.fromisoformat(first["case:enddate"]) if first["case:enddate"] else None
        due = dt.datetime.fromisoformat(first["case:deadline"])
        response = next(e["time:timestamp"] for e in events if e["concept:name"] == "Confirmation of receipt")
        answered = dt.datetime.fromisoformat(response)
        if (
            month in ("2011-01", "2011-02")
            and (done is None or done >= opened)
            and due >= opened
            and answered >= opened
        ):
            valid[case] = (opened.astimezone(dt.UTC), done is not None and done <= due)
    counts = quality(query, "municipality", "task_record")
    for month in ("2011-01", "2011-02"):
        assert counts[month][0] == landed[month]
    rows = query("SELECT task_id, opened_at, is_on_time FROM task_outcome WHERE region = 'municipality'")
    found = {str(r[0]): (dt.datetime.fromisoformat(f"{r[1]}+00:00"), bool(r[2])) for r in rows}
    assert found == valid
    assert len(valid) > 50


@pytest.mark.parametrize("region", ["counter_wide", "counter_long"])
def test_the_satisfaction_index_is_the_one_a_calculator_gives(region: str, query: Query, data: Path) -> None:
    rows = [r for r in records(data / REAL_FILES["counter_wide"][1][0]) if r["waktu"].startswith("2020-07")]
    means = [sum(int(r[f"Q{q}"]) for r in rows) / len(rows) for q in range(1, 10)]
    index = 25 * sum(means) / 9
    found = query(
        f"""SELECT respondent_count, index_value, class_code, round(index_value_raw, 6) FROM satisfaction_index
        WHERE region = '{region}' AND period = '2020-07'"""
    )
    grade = next(c for c, low in (("A", 88.31), ("B", 76.61), ("C", 65.0), ("D", 25.0)) if round(index, 2) >= low)
    assert found == [(len(rows), round(index, 2), grade, round(index, 6))]
    facilities = query(
        f"""SELECT answer_count, mean_score FROM satisfaction_element
        WHERE region = '{region}' AND period = '2020-07' AND element_code = 'u9'"""
    )
    assert facilities == [(len(rows), round(means[7], 4))]  # u9 is facilities, which this questionnaire asks as Q8
