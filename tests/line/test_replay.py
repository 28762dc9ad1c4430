"""`kinerja replay`: what was rejected only for a mapping's sake is published after the mapping was mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml
from home_warehouse import copied, query
from line_world import TODAY, Finished, kinerja, succeeded

from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.ledger import read_ledger
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.loader import load_policies

FinishedOf = Callable[[str], Finished]


def rejected(home: Home) -> list[tuple[str, str]]:
    """Tasks of February whose kind no code of the mapping names: number and kind."""
    rows = Lake(home.lake).read("quarantine", "task_record", "salor", "2026-02")
    held = rows.filter(pl.col("_reasons").list.contains("task_type__code"))
    return held.select("task_id", "task_type").rows()


def mend(home: Home) -> None:
    """The mapping learns what the supplier calls these tasks."""
    (mapping,) = load_policies()["salor"].feeds["task_record"]
    page = mapping.model_dump(mode="json", exclude_defaults=True)
    page["codes"]["task_type"] |= {kind: "routine" for _, kind in rejected(home)}
    (home.policies / "salor.yaml").write_text(yaml.safe_dump({"feeds": {"task_record": [page]}}, allow_unicode=True))


def publications(home: Home) -> object:
    return query(home, "SELECT count(*) FROM publication")[0][0]


def test_a_dry_run_says_which_months_and_why_and_runs_nothing(finished: FinishedOf, tmp_path: Path) -> None:
    home = copied(finished("salor").home, tmp_path / "home")
    before, ledger = publications(home), read_ledger(home.landing / "salor")
    told = succeeded(kinerja(home, "replay", "--region", "salor", "--dry-run"))
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.splitlines() if line.startswith("│")]
    count = str(len(rejected(home)))
    assert ["2026-02", "task_record", "task_type__code", count, "1"] in lines
    assert told.splitlines()[-1] == "salor: to run 2026-02..2026-03."
    assert "read anew" not in told
    mend(home)
    told = succeeded(kinerja(home, "replay", "--region", "salor", "--dry-run"))
    assert "salor/task_record/tugas_2026-02.csv: read anew, for its mapping or contract changed" in told
    assert "task_record/tugas_2026-03.csv: read anew" in told
    assert "attendance_log/" not in told
    assert (publications(home), read_ledger(home.landing / "salor")) == (before, ledger)


@pytest.mark.scenario
def test_what_passes_under_the_mended_mapping_is_published_and_the_delivery_stays_what_it_was(
    finished: FinishedOf, tmp_path: Path
) -> None:
    home = copied(finished("salor").home, tmp_path / "home")
    waiting = {task for task, _ in rejected(home)}
    assert waiting
    listed = ", ".join(f"'{task}'" for task in sorted(waiting))
    published = f"SELECT task_id FROM task_outcome WHERE region = 'salor' AND task_id IN ({listed})"
    assert query(home, published) == []
    before = {d.file_name: (d.delivery_id, d.sequence, d.received_at) for d in read_ledger(home.landing / "salor")}
    mend(home)
    told = succeeded(kinerja(home, "replay", "--region", "salor", "--today", TODAY))
    assert {task for (task,) in query(home, published)} == waiting
    assert rejected(home) == []
    ledger = read_ledger(home.landing / "salor")
    after = {d.file_name: (d.delivery_id, d.sequence, d.received_at) for d in ledger}
    assert after == before
    assert len(ledger) == len(before) + 2, "two files of tasks were read anew, the others were not"
    last = told.splitlines()[-1].split()
    assert (last[0], int(last[1]) - int(last[6])) == ("salor:", len(waiting))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a region with --region, or take --all"),
        (("--all", "--region", "salor"), "take either --region or --all"),
    ],
)
def test_a_wrong_command_line_says_what_to_write(arguments: tuple[str, ...], said: str, finished: FinishedOf) -> None:
    result = kinerja(finished("salor").home, "replay", *arguments)
    assert (result.exit_code, result.output.splitlines()[-1]) == (2, f"Error: {said}")


def test_an_unknown_region_is_named_with_what_there_is(finished: FinishedOf) -> None:
    result = kinerja(finished("salor").home, "replay", "--region", "salur")
    assert result.exit_code == 1
    assert result.output.startswith("There is no region 'salur' (did you mean 'salor'?)")
