"""A large region is worked through part by part: a small one that is cut as finely says the same, cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from home_warehouse import copied
from line_world import WITH_LONGER_PERIODS, Finished, hashes, run, succeeded

from kinerja_pipeline.facts import assets as facts_assets
from kinerja_pipeline.facts import attendance, satisfaction, tasks
from kinerja_pipeline.facts.by_people import stretches
from kinerja_pipeline.home import Home
from kinerja_pipeline.kpi import assets as kpi_assets
from kinerja_pipeline.kpi import indicators
from kinerja_pipeline.landing import landed
from kinerja_pipeline.orchestration import storage
from kinerja_pipeline.validated import assets as validated_assets
from kinerja_pipeline.validated.aside import laid_aside

REGION, PEOPLE = "nanggalo", 3
OF_LONGER_PERIODS = (*WITH_LONGER_PERIODS, "training_programme")


@pytest.mark.scenario
def test_a_region_cut_into_small_parts_says_the_same_cell_by_cell(
    finished: Callable[[str], Finished], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = finished(REGION).home
    cut = copied(whole, tmp_path / "home")
    few = partial(stretches, at_once=PEOPLE)
    monkeypatch.setattr(landed, "PART_CELLS", 200)
    monkeypatch.setattr(validated_assets, "laid_aside", partial(laid_aside, kept_bytes=0))
    monkeypatch.setattr(storage, "PART_ROWS", 100)
    monkeypatch.setattr(attendance, "PEOPLE_AT_ONCE", PEOPLE)
    monkeypatch.setattr(facts_assets, "stretches", few)
    monkeypatch.setattr(kpi_assets, "stretches", few)
    monkeypatch.setattr(tasks, "TASKS_AT_ONCE", 20)
    monkeypatch.setattr(tasks, "SAMPLED", 1)
    monkeypatch.setattr(satisfaction, "ANSWERS_AT_ONCE", 50)
    monkeypatch.setattr(indicators, "EMPLOYEES_AT_ONCE", PEOPLE)
    succeeded(run(cut, "--all", "--again"))
    before = tables(whole)
    assert {name for name, rows in tables(cut).items() if not rows.equals(before[name])} == set()
    assert hashes(cut, REGION) == hashes(whole, REGION)
    assert len(few(before[f"validated/employee/{REGION}.parquet"]["nip"])) > 3, "too few people to be cut"


def tables(home: Home) -> dict[str, pl.DataFrame]:
    """The lake's, but for what an earlier month says of longer periods: those of the moment in which it ran."""
    rooms = ("validated", "quarantine", "facts", "kpi")
    files = [path for room in rooms for path in sorted((home.lake / room).rglob("*.parquet"))]
    last = max(home.lake.glob(f"kpi/measure/{REGION}/*.parquet")).name
    own = [
        path for path in files if path.name in (last, f"{REGION}.parquet") or path.parts[-3] not in OF_LONGER_PERIODS
    ]
    return {str(path.relative_to(home.lake)): pl.read_parquet(path) for path in own}
