"""`kinerja explain`: published numbers, walked back to lines that this test reads in the delivered files itself."""

from __future__ import annotations

import functools
import json
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastexcel
import polars as pl
import pytest
from home_warehouse import address, change, copied, is_begun, query
from line_world import MONTHS, Finished, kinerja, of_regions, succeeded

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.facts.day_taps import day_taps
from kinerja_pipeline.facts.periods import months_of
from kinerja_pipeline.home import Home
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.warehouse.explain import explain
from kinerja_pipeline.warehouse.explained import as_values

FinishedOf = Callable[[str], Finished]
NIP = re.compile(r"\d{18}")


policies = functools.cache(load_policies)


@functools.cache
def told(home: Home, region: str, kind: str, subject: str, period: str, indicator: str | None = None) -> dict[str, Any]:
    return as_values(
        explain(
            home,
            address(home),
            policies(home.policies),
            load_contracts(),
            region=region,
            subject_kind=kind,  # type: ignore[arg-type]
            subject_id=subject,
            period=period,
            indicator=indicator,
        )
    )


@functools.cache
def lines_of(file: Path) -> list[str]:
    """The delivered file as anybody reads it: its lines, or the rows of its first sheet."""
    if file.suffix == ".xlsx":
        sheet = fastexcel.read_excel(file.read_bytes()).load_sheet(0, header_row=None, dtypes="string")
        return [" | ".join(str(cell or "") for cell in row) for row in sheet.to_polars().rows()]
    data = file.read_bytes()
    return data.decode("utf-16" if data.startswith(b"\xff\xfe") else "latin-1").split("\n")


def line_of(home: Home, region: str, source: dict[str, Any]) -> str:
    return lines_of(home.landing / region / source["file"])[source["number"] - 1]


def published_figures(home: Home, region: str, count: int) -> list[tuple[str, ...]]:
    """So many figures of the region, drawn from all kinds of subjects, indicators and periods."""
    every = query(
        home,
        f"""SELECT subject_kind, subject_id, period, indicator_id, numerator, denominator, actual, target, achievement,
        score, evidence_count FROM kpi WHERE region = '{region}' ORDER BY 1, 2, 3, 4""",
    )
    return random.Random(region).sample(every, count)  # type: ignore[return-value]


def expected_achievement(figure: dict[str, Any], actual: float, target: float) -> float:
    """DOMAIN, section 9."""
    if figure["direction"] == "higher":
        return 100 * actual / target
    if figure["direction"] == "lower":
        return 100 * target / actual if figure["inverse"] else max(0.0, 100 * (2 * target - actual) / target)
    low, high = figure["target_range"]
    return max(0.0, 100 - 100 * max(low - actual, actual - high, 0) / (high - low))


@pytest.mark.parametrize(("region", "count"), of_regions(("salor", 34), ("mamuju", 33), ("manokwari", 33)))
def test_listed_rows_add_up_to_what_is_published(region: str, count: int, finished: FinishedOf) -> None:
    home = finished(region).home
    for kind, subject, period, indicator, *numbers in published_figures(home, region, count):
        numerator, denominator, actual, target, achievement, score, evidence = numbers
        explanation = told(home, region, kind, subject, period, indicator)
        figure = next(f for f in explanation["figures"] if f["published"]["indicator_id"] == indicator)
        place = (kind, subject, period, indicator)
        if figure["hidden"] is not None:
            assert (figure["hidden"], figure["fact"]) == ("appraisal", "feedback_answer"), place
            continue
        now = [row for row in figure["rows"] if not row["is_year_before"]]
        before = [row for row in figure["rows"] if row["is_year_before"]]
        above = sum(row["numerator"] for row in now)
        below = sum(row["numerator"] for row in before) if before else sum(row["denominator"] for row in now)
        if actual is None:
            assert figure["published"]["reason"], place
            continue
        if figure["statistic"] in ("ratio", "growth"):
            assert (above, below) == (pytest.approx(numerator), pytest.approx(denominator)), place
            found = figure["scale"] * above / below
        elif figure["statistic"] in ("count", "last"):
            assert above == pytest.approx(numerator), place
            found = figure["scale"] * above
        else:
            ordered = sorted(row["numerator"] for row in now)
            middle = ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]
            ninth = ordered[-(-9 * len(ordered) // 10) - 1]
            found = figure["scale"] * (middle / 2 if figure["statistic"] == "median" else ninth)
        assert found == pytest.approx(actual, abs=0.00006), place
        assert expected_achievement(figure, found, target) == pytest.approx(achievement, abs=0.0051), place
        assert min(achievement, figure["cap"]) == pytest.approx(score), place
        assert figure["is_recounted"] is True, place
        if figure["fact"] not in ("attendance_day", "task_outcome") or figure["statistic"] == "ratio":
            assert len(now) == evidence, place


CONCERNED: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "task_record": lambda values, line: values["task_id"] in line,
    "feedback_response": lambda values, line: (
        "-".join(values["submitted_at"][:10].split("-")[::-1]) in line.replace("/", "-")
        or values["submitted_at"][:10] in line
    ),
    "indicator_measurement": lambda values, line: values["subject_id"] in line,
}


@pytest.mark.parametrize(("region", "count"), of_regions(("salor", 34), ("mamuju", 33), ("manokwari", 33)))
def test_listed_lines_are_those_of_the_delivered_files(region: str, count: int, finished: FinishedOf) -> None:
    home, seen = finished(region).home, set()
    for kind, subject, period, indicator, *_ in published_figures(home, region, count):
        explanation = told(home, region, kind, subject, period, indicator)
        figure = next(f for f in explanation["figures"] if f["published"]["indicator_id"] == indicator)
        for row in figure["rows"]:
            assert row["sources"], (kind, subject, period, indicator, row)
            times = set()
            for source in row["sources"]:
                line, feed = line_of(home, region, source), source["feed"]
                seen.add(feed)
                if feed in CONCERNED:
                    assert CONCERNED[feed](row["values"], line), (source, line, row["values"])
                elif feed == "attendance_log":
                    times |= set(re.findall(r"\b(\d{2}:\d{2})(?::\d{2})?\b", line))
                elif kind == "employee":
                    assert subject in NIP.findall(line), (source, line)
                else:
                    assert NIP.search(line), (source, line)
            # The day's first and last tap are among the lines of the log.
            taps = {row["values"].get(name) for name in ("first_in_local", "last_out_local")} - {None}
            assert taps <= times, (row, times)
    assert seen >= {"task_record", "attendance_log", "employee", "device_pin", "feedback_response"}


def test_the_lines_of_a_persons_share_are_those_that_a_reader_of_the_file_would_count(finished: FinishedOf) -> None:
    """Salor's tasks are a plain CSV: who is responsible, until when, and when it was done."""
    home, due, done = finished("salor").home, {}, set()
    (nip,) = query(
        home, "SELECT nip FROM evaluation WHERE region = 'salor' AND period = '2026-03' ORDER BY nip LIMIT 1"
    )[0]
    for number, line in enumerate(lines_of(home.landing / "salor" / "task_record" / "tugas_2026-03.csv"), start=1):
        cells = line.split(";")
        if len(cells) > 10 and cells[1] == nip and "/03/2026" in cells[7] and cells[10] != "Batal":
            due[cells[0]] = number
            day, month, rest = cells[7].split("/")
            until = f"2026{month}{day}{rest[5:]}"
            if cells[9]:
                day, month, rest = cells[9].split("/")
                done |= {cells[0]} if f"2026{month}{day}{rest[5:]}" <= until else set()
    figure = next(
        f
        for f in told(home, "salor", "employee", str(nip), "2026-03")["figures"]
        if f["published"]["indicator_id"] == "task_on_time"
    )
    assert due
    assert {r["values"]["task_id"]: r["sources"][0]["number"] for r in figure["rows"]} == due
    assert {r["values"]["task_id"] for r in figure["rows"] if r["numerator"]} == done


@pytest.mark.parametrize("period", ["2026-03", "2026-Q1"])
def test_the_evaluation_is_the_weighted_mean_of_the_scores_listed(period: str, finished: FinishedOf) -> None:
    home = finished("salor").home
    rows = query(home, f"SELECT nip, result_score FROM evaluation WHERE region = 'salor' AND period = '{period}'")
    for nip, score in rows:
        explanation = told(home, "salor", "employee", str(nip), period)
        assert explanation["evaluation"]["published"]["result_score"] == score
        weighed = [f["published"] for f in explanation["figures"] if f["published"]["weight"]]
        counted = [f for f in weighed if f["score"] is not None]
        mean = sum(f["weight"] * f["score"] for f in counted) / sum(f["weight"] for f in counted)
        assert score is None or mean == pytest.approx(score, abs=0.02)
        for source in explanation["evaluation"]["ratings"]:
            assert str(nip) in line_of(home, "salor", source)


@pytest.mark.parametrize("region", of_regions("salor", "mamuju", "manokwari"))
def test_every_day_has_as_many_taps_behind_it_as_it_says(region: str, finished: FinishedOf) -> None:
    home = finished(region).home
    lake, policy = Lake(home.lake), load_policies(home.policies)[region]
    for month in MONTHS:
        logs = ("attendance_log", "attendance_margin")
        taps = pl.concat([lake.read("validated", name, region, month) for name in logs])
        registers = (lake.read("validated", name, region) for name in ("employee", "device_pin", "shift_roster"))
        days = lake.read("facts", "attendance_day", region, month)
        found = day_taps(taps, *registers, policy, month, days["nip"].unique().to_list())
        counted = Counter(found.filter(~pl.col("is_repeat")).select("nip", "work_date").iter_rows())
        said = {(nip, day): count for nip, day, count in days.select("nip", "work_date", "tap_count").iter_rows()}
        assert {key: counted[key] for key in said} == said
        assert sum(said.values()) > 200


# ---- what is never shown ---------------------------------------------------------------------------------------------


def test_other_people_are_masked_in_text_and_json(finished: FinishedOf) -> None:
    home = finished("salor").home
    asked, unit = query(home, "SELECT nip, unit_id FROM evaluation WHERE region = 'salor' AND period = '2026-03'")[0]
    names = {str(name) for (name,) in query(home, "SELECT name FROM employee")}
    for arguments in (("--unit", str(unit)), ("--nip", str(asked)), ()):
        for more in ((), ("--json",), ("--rows", "0", "--lang", "en")):
            said = succeeded(kinerja(home, "explain", "--region", "salor", "--month", "2026-03", *arguments, *more))
            assert set(NIP.findall(said)) <= {str(asked)} if "--nip" in arguments else not NIP.findall(said)
            assert not [name for name in names if name in said]


@pytest.mark.scenario
def test_raters_and_suppressed_means_are_never_told(finished: FinishedOf) -> None:
    home = finished("mamuju").home
    withheld = query(
        home, "SELECT nip, period, role_code FROM appraisal_role WHERE region = 'mamuju' AND is_suppressed"
    )
    assert withheld, "the world holds roles with too few raters"
    for nip, period, role in withheld:
        explanation = told(home, "mamuju", "employee", str(nip), str(period))
        roles = {r["role_code"]: r for r in explanation["evaluation"]["roles"]}
        assert (roles[role]["mean_score"], roles[role]["rater_count"]) == (None, None)
    said = succeeded(
        kinerja(home, "explain", "--region", "mamuju", "--nip", str(nip), "--month", str(period), "--rows", "0")
    )
    assert f"peran {role}: ditahan: penilai terlalu sedikit" in said
    indicators = policies(home.policies)["mamuju"].indicators
    asked = [name for name, declared in indicators.items() if declared.fact == "feedback_answer"]
    figures = query(
        home,
        f"""SELECT subject_kind, subject_id, period, indicator_id FROM kpi
        WHERE indicator_id IN ({", ".join(f"'{name}'" for name in asked)})
        ORDER BY evidence_count DESC, subject_id, period LIMIT 20""",
    )
    files = set()
    for kind, subject, period, indicator in figures:
        (figure,) = told(home, "mamuju", str(kind), str(subject), str(period), str(indicator))["figures"]
        files |= {s["file"] for row in figure["rows"] for s in row["sources"] if s["feed"] == "feedback_response"}
    assert files, "figures that people's answers went into"
    assert not [file for file in files if "360" in file or not ("skm" in file or "survei" in file)]


# ---- one who asks for what is not there ------------------------------------------------------------------------------


def test_what_is_not_there_is_answered_with_what_is(finished: FinishedOf) -> None:
    home = finished("salor").home
    (nip,) = query(home, "SELECT min(nip) FROM evaluation WHERE region = 'salor' AND period = '2026-03'")[0]

    def answer(*arguments: str) -> str:
        result = kinerja(home, "explain", *arguments)
        assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True), result.output
        return result.output.strip()

    month = ("--month", "2026-03")
    assert answer("--region", "salur", *month).startswith("There is no region 'salur' (did you mean 'salor'?)")
    assert answer("--region", "salor", "--month", "2025-03") == (
        "salor: 2025-03 is not published; there is 2026, 2026-02, 2026-03, 2026-Q1, 2026-S1."
    )
    unknown = answer("--region", "salor", "--nip", "1" * 18, *month)
    people = query(home, "SELECT count(*) FROM evaluation WHERE region = 'salor' AND period = '2026-03'")[0][0]
    assert unknown == (
        f"salor: no employee with this NIP is published; 2026-03 has {people} employees. "
        "A NIP has 18 digits, without spaces."
    )
    assert "there is no unit 'SLR-DINKESS'; did you mean 'SLR-DINKES'?" in answer(
        "--region", "salor", "--unit", "SLR-DINKESS", *month
    )
    wrong = answer("--region", "salor", "--nip", str(nip), *month, "--indicator", "task_ontime")
    assert "no indicator 'task_ontime' is published of this employee in 2026-03; did you mean 'task_on_time'?" in wrong
    assert "task_cost" in wrong


def test_a_wrong_command_line_says_what_to_write(finished: FinishedOf) -> None:
    home = finished("salor").home

    def misuse(*arguments: str) -> str:
        result = kinerja(home, "explain", "--region", "salor", *arguments)
        assert result.exit_code == 2
        return result.output.splitlines()[-1]

    assert misuse() == "Error: name one period with --month, --quarter or --period"
    assert misuse("--month", "2026-03", "--quarter", "2026-Q1") == misuse()
    assert misuse("--month", "2026-03", "--nip", "1", "--unit", "2") == "Error: take either --nip or --unit"
    assert misuse("--quarter", "2026-03").endswith("'2026-03' is not a quarter; write it as 2026-Q1")


def test_a_home_without_publications_says_how_to_begin(tmp_path: Path) -> None:
    home = Home(tmp_path)
    succeeded(kinerja(home, "init"))
    result = kinerja(home, "explain", "--region", "salor", "--month", "2026-03")
    assert (result.exit_code, result.output) == (
        1,
        "Nothing is published yet; run `kinerja run --all` or `kinerja demo` first.\n",
    )
    assert not is_begun(home)


def test_as_of_a_day_explains_what_still_stands_and_says_so_when_it_does_not(
    finished: FinishedOf, tmp_path: Path
) -> None:
    home = copied(finished("salor").home, tmp_path / "home")
    arguments = ("explain", "--region", "salor", "--month", "2026-03", "--indicator", "exam_mean")
    (first,) = query(home, "SELECT min(published_at) FROM publication WHERE table_name = 'kpi' AND period = '2026-03'")[
        0
    ]
    told_before = kinerja(home, *arguments, "--as-of", "2025-12-31")
    assert told_before.output == (
        f"salor: 2026-03 was not published by 2025-12-31; it was first on {str(first)[:10]}.\n"
    )
    then = json.loads(succeeded(kinerja(home, *arguments, "--as-of", str(first)[:10], "--json")))
    now = json.loads(succeeded(kinerja(home, *arguments, "--json")))
    assert (then["as_of"], {**then, "as_of": None}) == (str(first)[:10], now)


def test_a_formula_that_changed_since_is_told_and_its_old_rows_are_not(finished: FinishedOf, tmp_path: Path) -> None:
    home = copied(finished("salor").home, tmp_path / "home")
    (home.policies / "salor.yaml").write_text("indicators: {exam_mean: {filter: indicator_id = 'exam'}}\n")
    said = json.loads(succeeded(kinerja(home, "explain", "--region", "salor", "--month", "2026-03", "--json")))
    shown = {f["published"]["indicator_id"]: f for f in said["figures"]}
    assert (shown["exam_mean"]["hidden"], shown["exam_mean"]["rows"]) == ("policy_changed", [])
    assert shown["exam_mean"]["formula"].endswith("where indicator_id = 'exam_mean'")
    assert shown["training_hours"]["is_recounted"] is True


def test_a_lake_that_moved_on_since_publication_is_told(finished: FinishedOf, tmp_path: Path) -> None:
    home = copied(finished("salor").home, tmp_path / "home")
    rows = home.lake / "validated" / "indicator_measurement" / "salor"
    shutil.copy(rows / "2026-02.parquet", rows / "2026-03.parquet")
    said = succeeded(kinerja(home, "explain", "--region", "salor", "--month", "2026-03", "--indicator", "exam_mean"))
    assert "Dihitung ulang dari baris ini: BERBEDA." in said


def test_a_years_figure_lists_the_rows_of_each_of_its_months(finished: FinishedOf) -> None:
    home = finished("salor").home
    (nip,) = query(home, "SELECT min(nip) FROM evaluation WHERE region = 'salor' AND period = '2026'")[0]
    figures = told(home, "salor", "employee", str(nip), "2026")["figures"]
    months = {row["month"] for figure in figures for row in figure["rows"]}
    assert months == {"2026-02", "2026-03"} <= set(months_of("2026"))


def test_a_month_that_was_computed_and_not_published_is_left_out(finished: FinishedOf, tmp_path: Path) -> None:
    home = copied(finished("salor").home, tmp_path / "home")
    change(home, "DELETE FROM period_status WHERE period = '2026-02'")
    said = json.loads(succeeded(kinerja(home, "explain", "--region", "salor", "--period", "2026", "--json")))
    assert {row["month"] for figure in said["figures"] for row in figure["rows"]} == {"2026-03"}


def test_the_language_is_chosen(finished: FinishedOf) -> None:
    home = finished("salor").home
    arguments = ("explain", "--region", "salor", "--month", "2026-03", "--indicator", "exam_mean")
    indonesian, english = (succeeded(kinerja(home, *arguments, "--lang", lang)) for lang in ("id", "en"))
    assert "Rata-rata nilai ujian (exam_mean)\nRumus: sum(numerator) / sum(denominator)" in indonesian
    assert "Mean exam result (exam_mean)\nFormula: sum(numerator) / sum(denominator)" in english
