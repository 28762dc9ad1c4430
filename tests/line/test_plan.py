"""`kinerja plan`: what a run would do, and why, before it is done; nothing is changed by asking."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from home_warehouse import copied, is_begun, lose
from line_world import TODAY, Finished, kinerja, lake_files, run, succeeded

from kinerja_pipeline.home import Home

FinishedOf = Callable[[str], Finished]
REGION = "salor"


def planned(home: Home, today: str = TODAY) -> dict[str, Any]:
    (found,) = json.loads(succeeded(kinerja(home, "plan", "--region", REGION, "--today", today, "--json")))
    return dict(found)


def months(plan: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    return [(m["month"], m["depth"], sorted({c["code"] for c in m["causes"]})) for m in plan["months"]]


@pytest.fixture
def home(finished: FinishedOf, tmp_path: Path) -> Home:
    return copied(finished(REGION).home, tmp_path / "home")


def test_of_a_finished_region_there_is_nothing_to_run(finished: FinishedOf) -> None:
    home = finished(REGION).home
    nothing = {"files": [], "months": [], "periods": [], "problem": None, "waiting": None}
    assert planned(home) == {"region": REGION, **nothing}
    told = succeeded(kinerja(home, "plan", "--region", REGION, "--today", TODAY))
    assert told == "salor: nothing to run.\n"


def test_a_late_file_is_told_with_the_months_and_closed_periods_it_moves(home: Home) -> None:
    folder = home.landing / REGION / "task_record"
    header, row = (folder / "tugas_2026-02.csv").read_text().splitlines()[:2]
    number = row.split(";")[0]
    (folder / "tugas_2026-02_susulan.csv").write_text(f"{header}\n{row.replace(number, 'SLR-BARU', 1)}\n")
    (folder / "tugas_2026-02.doc").write_bytes(b"PK")
    before = lake_files(home), sorted(home.root.rglob("*.jsonl"))
    plan = planned(home)
    late, bad = sorted(plan["files"], key=lambda f: f["refused"] or "")
    assert (late["file_name"], late["months"], late["row_count"]) == (
        "task_record/tugas_2026-02_susulan.csv",
        ["2026-02"],
        1,
    )
    assert "its name fits none of the mappings of task_record" in bad["refused"]
    # March's indicators look at February's backlog; its own rows are as they were.
    assert months(plan) == [("2026-02", "whole", ["delivery"]), ("2026-03", "onward", ["month"])]
    assert {p["period"]: p["status_code"] for p in plan["periods"]} == {
        "2026-02": "closed",
        "2026-03": "closed",
        "2026-Q1": "partial",
        "2026-S1": "partial",
        "2026": "partial",
    }
    told = succeeded(kinerja(home, "plan", "--region", REGION, "--today", TODAY))
    assert "task_record/tugas_2026-02_susulan.csv: new, 1 rows (2026-02)" in told
    assert "│ 2026-02 │ all        │ file task_record/tugas_2026-02_susulan.csv │" in told
    assert "│ 2026-03 │ indicators │ looks at 2026-02" in told
    assert "published and CLOSED, may move (every change is recorded in `restatement`): 2026-02, 2026-03." in told
    assert (lake_files(home), sorted(home.root.rglob("*.jsonl"))) == before


def test_a_task_delivered_again_under_another_month_touches_both(home: Home) -> None:
    folder = home.landing / REGION / "task_record"
    header, row = (folder / "tugas_2026-02.csv").read_text().splitlines()[:2]
    (folder / "tugas_2026-03_susulan.csv").write_text(f"{header}\n{row.replace('/02/2026', '/03/2026')}\n")
    assert [(m, depth) for m, depth, _ in months(planned(home))] == [("2026-02", "whole"), ("2026-03", "whole")]


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("evaluation: {result_above: 111}", "onward"),
        ("attendance: {repeat_seconds: 61}", "whole"),
    ],
)
def test_a_policy_that_changed_runs_what_rests_on_what_it_says(text: str, depth: str, home: Home) -> None:
    (home.policies / "salor.yaml").write_text(f"{text}\n")
    plan = months(planned(home))
    assert [(month, how, codes[-1]) for month, how, codes in plan] == [
        ("2026-02", depth, "policy"),
        ("2026-03", depth, "policy"),
    ]


def test_a_mapping_that_changed_reads_its_files_anew(home: Home) -> None:
    (home.policies / "salor.yaml").write_text(
        "feeds: {indicator_measurement: [{files: '*.csv', reader: csv, delimiter: ';', encoding: windows-1252}]}\n"
    )
    files = [f for f in planned(home)["files"] if f["feed"] == "indicator_measurement"]
    assert [f["is_known"] for f in files] == [True] * len(files)
    assert files


def test_an_employee_register_that_says_something_else_touches_every_month(home: Home) -> None:
    folder = home.landing / REGION / "employee"
    file = next(p for p in folder.iterdir() if p.is_file())
    (folder / f"baru_{file.name}").write_bytes(file.read_bytes() + b"\n")
    plan = months(planned(home))
    assert [(month, depth) for month, depth, _ in plan] == [("2026-02", "whole"), ("2026-03", "whole")]
    assert all("register" in codes for *_, codes in plan)


def test_a_warehouse_that_was_lost_is_published_again_without_computing_facts(home: Home) -> None:
    lose(home)
    assert months(planned(home)) == [
        ("2026-02", "onward", ["warehouse"]),
        ("2026-03", "onward", ["month", "warehouse"]),
    ]
    assert not is_begun(home)


@pytest.mark.scenario
def test_a_month_whose_run_was_killed_before_its_report_is_told_and_its_report_made(home: Home) -> None:
    (home.lake / "warehouse" / "reported" / REGION / "2026-03.json").unlink()
    page = home.reports / "monthly" / REGION / "2026-03" / "laporan.html"
    page.unlink()
    assert months(planned(home)) == [("2026-03", "onward", ["report"])]
    succeeded(run(home, "--region", REGION))
    assert page.is_file()
    assert months(planned(home)) == []


def test_a_day_that_passed_runs_the_month_that_it_belongs_to(home: Home) -> None:
    earlier = months(planned(home, "2026-03-20"))
    assert [(m, depth) for m, depth, codes in earlier if "day" in codes] == [("2026-03", "whole")]


def test_a_correction_that_no_longer_fits_is_told_before_it_stops_a_run(home: Home) -> None:
    entry = "{feed: task_record, where: {task_id: SLR-2603-XXXX}, column: due_at, expected: '', value: x"
    (home.corrections / "salor.yaml").write_text(
        f"corrections:\n  - {entry}, reason: letter 12, owner: Ortala, date: 2026-04-02}}\n"
    )
    assert str(planned(home)["problem"]).startswith("corrections/salor.yaml, line 2 (entry 1)")
