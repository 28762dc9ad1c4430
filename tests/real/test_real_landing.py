"""Real files land by declaration alone, and the counts are those that plain loops over the same files find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from real_files import REAL_FILES, lines, records

from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import LandingReport, deliveries
from kinerja_pipeline.landing.landed import landed_months, scan_landed

Landed = Callable[[str], LandingReport]

# PermenPANRB 14/2017, by what the questionnaire asks: Q8 (question 16) is facilities, Q9 (question 17) complaints.
WIDE = {"Q1": "u1", "Q2": "u2", "Q3": "u3", "Q4": "u4", "Q5": "u5", "Q6": "u6", "Q7": "u7", "Q8": "u9", "Q9": "u8"}


@pytest.mark.parametrize("region", REAL_FILES)
def test_every_file_lands_without_a_problem_row(region: str, home: Home, landed: Landed) -> None:
    report = landed(region)
    feed, files = REAL_FILES[region]
    assert report.refused == ()
    assert report.new_by_feed[feed] == len(files)
    assert scan_landed(home, region, feed, None)["_problem"].null_count() == sum(
        d.row_count or 0 for d in report.landed if d.feed == feed
    )


@pytest.mark.parametrize("region", ["office", "shop", "scanners"])
def test_every_tap_lands_in_the_month_its_line_says(region: str, home: Home, landed: Landed, data: Path) -> None:
    landed(region)
    taps = [line.split("\t") for name in REAL_FILES[region][1] for line in lines(data / name)]
    # Three taps of a clock reset (1990) are before the region's first month: they land where they arrived, April 2022.
    months = Counter("2022-04" if tap[1].startswith("1990") else tap[1][:7] for tap in taps)
    rows = scan_landed(home, region, "attendance_log", None)
    assert dict(rows.group_by("_month").len().rows()) == months
    assert landed_months(home, region, "attendance_log") == sorted(months)
    found = Counter(rows.select("pin", "tapped_at", "state_code", "verify_code").rows())
    assert found == Counter((tap[0].strip(), tap[1], tap[3], tap[4]) for tap in taps)


def test_the_shop_s_three_exports_add_up_to_all_taps_ever_exported(home: Home, landed: Landed, data: Path) -> None:
    landed("shop")
    exports = [set(lines(data / name)) for name in REAL_FILES["shop"][1]]
    rows = scan_landed(home, "shop", "attendance_log", None)
    key = ["device_id", "pin", "tapped_at", "state_code", "verify_code"]
    assert rows.select(key).n_unique() == len(set.union(*exports))
    assert deliveries(home, "shop", "attendance_log")["sequence"].is_sorted()


def test_the_office_s_roster_knows_some_of_its_pins(home: Home, landed: Landed, data: Path) -> None:
    landed("office")
    roster = {row["SCANNER ID"] for row in records(data / "attendance/office_scanner/roster.csv")}
    tapped = {line.split("\t")[0].strip() for line in lines(data / REAL_FILES["office"][1][0])}
    pins = scan_landed(home, "office", "device_pin", None)["pin"]
    taps = scan_landed(home, "office", "attendance_log", None)
    assert set(pins) == roster
    assert taps.join(pins.to_frame(), on="pin", how="semi")["pin"].n_unique() == len(roster & tapped)


def test_service_requests_land_but_for_the_cancelled_ones(home: Home, landed: Landed, data: Path) -> None:
    (delivery,) = landed("agency").landed
    requests = records(data / REAL_FILES["agency"][1][0])
    kept = [r for r in requests if r["status"] != "BATAL"]
    assert (delivery.file_row_count, delivery.row_count) == (len(requests), len(kept))
    assert delivery.set_aside == {"cancelled": len(requests) - len(kept)}
    rows = scan_landed(home, "agency", "task_record", None).sort("_source_row")
    assert rows["task_id"].to_list() == [r["nolayanan"] for r in kept]
    nothing = ("", "\\N", "0000-00-00")
    assert rows["due_at"].null_count() == sum(r["tgltarget"] in nothing for r in kept)
    assert rows["completed_at"].null_count() == sum(r["tgljadi"] in nothing for r in kept)
    codes = {"SELESAI": "completed", "PROSES": "in_progress", "PERMOHONAN": "open"}
    assert rows["status_code"].to_list() == [codes[r["ket"]] for r in kept]


def test_permit_events_fold_to_one_row_per_case(home: Home, landed: Landed, data: Path) -> None:
    (delivery,) = landed("municipality").landed
    cases: dict[str, list[dict[str, str]]] = {}
    for event in records(data / REAL_FILES["municipality"][1][0]):
        cases.setdefault(event["case:concept:name"], []).append(event)
    assert (delivery.file_row_count, delivery.row_count) == (sum(map(len, cases.values())), len(cases))
    rows = scan_landed(home, "municipality", "task_record", None)
    found = {row["task_id"]: row for row in rows.iter_rows(named=True)}
    for case, events in cases.items():
        confirmed = [e["time:timestamp"] for e in events if e["concept:name"] == "Confirmation of receipt"]
        end = events[0]["case:enddate"] or None
        assert found[case]["opened_at"] == events[0]["case:startdate"]
        assert found[case]["first_response_at"] == confirmed[0]
        assert found[case]["evidence"] == events[-1]["concept:name"]
        assert (found[case]["completed_at"], found[case]["status_code"]) == (end, "completed" if end else "in_progress")


def answers(home: Home, region: str) -> Counter[tuple[str, str, str]]:
    rows = scan_landed(home, region, "feedback_response", "2020-07")
    return Counter(rows.select(pl.col("response_id", "element_code", "score")).rows())


def test_the_wide_survey_gives_one_row_per_answer_by_element(home: Home, landed: Landed, data: Path) -> None:
    landed("counter_wide")
    plain: Counter[tuple[str, str, str]] = Counter()
    for row in records(data / REAL_FILES["counter_wide"][1][0]):
        plain.update((row["m_id"], code, row[question]) for question, code in WIDE.items() if row[question])
    assert answers(home, "counter_wide") == plain


def test_the_long_survey_says_the_same_as_the_wide_one(home: Home, landed: Landed, data: Path) -> None:
    landed("counter_wide")
    (delivery,) = landed("counter_long").landed
    profile = sum(int(row["respon_pertanyaanid"]) < 9 for row in records(data / REAL_FILES["counter_long"][1][0]))
    assert delivery.set_aside == {"profile": profile}
    assert answers(home, "counter_long") == answers(home, "counter_wide")
