"""What the contracts say of a published month is kept, shown as checks, and told on a page; of a refused one, too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from dagster import AssetKey, DagsterInstance
from home_warehouse import copied
from line_world import MONTHS, TABLES, Finished, hashes

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.definitions import build_definitions
from kinerja_pipeline.orchestration import launch
from kinerja_pipeline.orchestration.deployment import partition_key
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.loader import load_policies

FinishedOf = Callable[[str], Finished]
REGION, MONTH = "manokwari", MONTHS[1]


def test_every_table_of_a_month_keeps_its_judgement_and_the_page_shows_them(finished: FinishedOf) -> None:
    home = finished(REGION).home
    kept = {name: Lake(home.lake).read_document("published", name, REGION, MONTH) for name in TABLES}
    assert {name for name, page in kept.items() if not page["is_published"]} == set()
    assert {name for name, page in kept.items() if not page["validation"]["success"]} == set()
    text = (home.reports / "validation" / REGION / MONTH / "published_tables.html").read_text(encoding="utf-8")
    assert [name for name in TABLES if f'id="{name}"' not in text] == []
    people = Lake(home.lake).read("validated", "employee", REGION)
    told = text + json.dumps(kept)
    assert [value for value in (*people["nip"], *people["name"]) if value in told] == []


def test_a_refused_publication_fails_the_check_of_its_table_alone_and_keeps_why(
    finished: FinishedOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(finished(REGION).home, tmp_path / "home")
    lake, before = Lake(home.lake), hashes(home, REGION)
    months = lake.read("facts", "attendance_month", REGION, MONTH)
    lake.write(months.with_columns(attendance_share=pl.lit(1.5)), "facts", "attendance_month", REGION, MONTH)
    monkeypatch.setenv("KINERJA_HOME", str(home.root))
    job = build_definitions(load_contracts(), load_policies(home.policies)).resolve_job_def("region_month")
    with DagsterInstance.ephemeral() as instance:
        done = job.execute_in_process(
            instance=instance,
            partition_key=partition_key(REGION, MONTH),
            asset_selection=[AssetKey(["warehouse", name]) for name in (*TABLES, "restatement")],
            run_config=launch.QUIET,
            raise_on_error=False,
        )
        checks = {e.asset_key.path[-1]: e for e in done.get_asset_check_evaluations()}
    assert not done.success
    assert {name: e.passed for name, e in checks.items()} == {n: n != "attendance_month" for n in TABLES}
    assert {e.partition for e in checks.values()} == {partition_key(REGION, MONTH)}
    assert "attendance_share__range" in (checks["attendance_month"].description or "")
    page = lake.read_document("published", "attendance_month", REGION, MONTH)
    assert (page["is_published"], page["validation"]["success"]) == (False, False)
    assert hashes(home, REGION) == before
