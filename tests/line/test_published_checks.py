"""What the contracts say of a published month is kept, shown as checks, and told on a page; of a refused one, too."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from dagster import AssetCheckEvaluation, AssetKey, DagsterEventType, DagsterInstance, RunsFilter
from home_warehouse import address, copied
from line_world import MONTHS, TABLES, Finished, hashes, run

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.definitions import build_definitions
from kinerja_pipeline.home import Home
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


def made(home: Home, asset: AssetKey, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, list[AssetCheckEvaluation]]:
    """Whether the month's run of an asset, and of those made with it, succeeds, and what its checks say."""
    monkeypatch.setenv("KINERJA_HOME", str(home.root))
    monkeypatch.setenv("KINERJA_WAREHOUSE_URL", address(home))
    definitions = build_definitions(load_contracts(), load_policies(home.policies))
    together = definitions.resolve_asset_graph().get(asset).execution_set_asset_keys
    with DagsterInstance.ephemeral() as instance:
        done = definitions.resolve_job_def("region_month").execute_in_process(
            instance=instance,
            partition_key=partition_key(REGION, MONTH),
            asset_selection=sorted(together),
            run_config=launch.QUIET,
            raise_on_error=False,
        )
        return done.success, list(done.get_asset_check_evaluations())


def published_alone(home: Home, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, list[AssetCheckEvaluation]]:
    return made(home, AssetKey(["warehouse", "kpi"]), monkeypatch)


def test_a_refused_publication_fails_the_check_of_its_table_alone_and_keeps_why(
    finished: FinishedOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(finished(REGION).home, tmp_path / "home")
    lake, before = Lake(home.lake), hashes(home, REGION)
    months = lake.read("facts", "attendance_month", REGION, MONTH)
    lake.write(months.with_columns(attendance_share=pl.lit(1.5)), "facts", "attendance_month", REGION, MONTH)
    is_published, evaluations = published_alone(home, monkeypatch)
    checks = {e.asset_key.path[-1]: e for e in evaluations if e.check_name == "contract"}
    assert not is_published
    assert {name: e.passed for name, e in checks.items()} == {n: n != "attendance_month" for n in TABLES}
    assert {e.partition for e in checks.values()} == {partition_key(REGION, MONTH)}
    assert "attendance_share__range" in (checks["attendance_month"].description or "")
    page = lake.read_document("published", "attendance_month", REGION, MONTH)
    assert (page["is_published"], page["validation"]["success"]) == (False, False)
    assert hashes(home, REGION) == before


@pytest.mark.scenario
def test_a_quarter_that_is_not_the_sum_of_its_months_is_not_published(
    finished: FinishedOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(finished(REGION).home, tmp_path / "home")
    lake, before = Lake(home.lake), hashes(home, REGION)
    rows = lake.read("kpi", "kpi", REGION, MONTH)
    is_it = (pl.col("period") == "2026-Q1") & (pl.col("subject_kind") == "region") & pl.col("denominator").is_not_null()
    one_more = pl.when(is_it).then(pl.col("numerator") + 1).otherwise("numerator").alias("numerator")
    lake.write(rows.with_columns(one_more), "kpi", "kpi", REGION, MONTH)
    is_published, evaluations = published_alone(home, monkeypatch)
    assert not is_published
    (check,) = evaluations
    assert (check.check_name, check.passed, check.blocking) == ("sum_of_parts", False, True)
    assert "quarter 2026-Q1 is not the sum of its months (1 of its subjects)" in (check.description or "")
    assert hashes(home, REGION) == before


@pytest.mark.scenario
def test_taps_that_no_register_knows_stop_the_month_before_they_replace_those_that_were_believed(
    finished: FinishedOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(finished(REGION).home, tmp_path / "home")
    lake = Lake(home.lake)
    believed = lake.path("validated", "attendance_log", REGION, MONTH).read_bytes()
    lake.write(lake.read("validated", "device_pin", REGION).clear(), "validated", "device_pin", REGION)
    is_computed, evaluations = made(home, AssetKey(["validated", "attendance_log"]), monkeypatch)
    assert not is_computed
    (check,) = [e for e in evaluations if e.check_name == "pin__unknown"]
    assert (check.passed, check.blocking, check.partition) == (False, True, partition_key(REGION, MONTH))
    assert "(tolerance 80%). First: attendance_log/" in (check.description or "")
    assert lake.path("validated", "attendance_log", REGION, MONTH).read_bytes() == believed
    quarantine = lake.read("quarantine", "attendance_log", REGION, MONTH)
    assert set(quarantine["_reasons"].explode()) >= {"pin__unknown"}
    assert [e.passed for e in evaluations if e.check_name == "conservation"] == [True]


@pytest.mark.scenario
def test_a_damaged_roster_stops_the_region_and_leaves_everything_until_a_mended_one_comes(
    finished: FinishedOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spreadsheet has rounded the numbers of the roster, which is the whole truth of who is employed."""
    home = copied(finished(REGION).home, tmp_path / "home")
    monkeypatch.setenv("KINERJA_HOME", str(home.root))
    before, register = hashes(home, REGION), home.lake / "validated" / "employee" / f"{REGION}.parquet"
    believed = register.read_bytes()
    file = max((home.landing / REGION / "employee").glob("*.csv"))
    good = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"\b([0-9]{15})[0-9]{3}\b", r"\g<1>000", good), encoding="utf-8")
    stopped = run(home, "--region", REGION)
    assert stopped.exit_code == 1
    told = " ".join(stopped.output.split())
    assert "rows break nip__rounded" in told
    assert "Nothing was computed or published from the registers of manokwari; what was published stays." in told
    assert (hashes(home, REGION), register.read_bytes()) == (before, believed)
    rounded = last_landing(home)["nip__rounded"]
    assert (rounded.passed, rounded.blocking, rounded.partition) == (False, True, REGION)
    assert f"employee/{file.name}, line 2" in (rounded.description or "")
    file.write_text(f"{good}\n", encoding="utf-8")
    land = build_definitions(load_contracts(), load_policies(home.policies)).resolve_job_def("land")
    with DagsterInstance.from_config(str(home.dagster)) as instance:
        assert land.execute_in_process(instance=instance, partition_key=REGION, run_config=launch.QUIET).success
    assert last_landing(home)["nip__rounded"].passed
    assert Lake(home.lake).read("validated", "employee", REGION)["nip"].n_unique() == 12


def test_no_check_of_a_whole_run_names_anybody(finished: FinishedOf) -> None:
    home = finished(REGION).home
    with contextlib.closing(sqlite3.connect(event_log(home))) as connection:
        (told,) = connection.execute("SELECT group_concat(event) FROM event_logs").fetchone()
    assert "nip__" in told
    people = Lake(home.lake).read("validated", "employee", REGION)
    assert [value for value in (*people["nip"], *people["name"]) if value in told] == []


def event_log(home: Home) -> Path:
    (path,) = (home.dagster / "events").rglob("*.db")
    return path


def last_landing(home: Home) -> dict[str, AssetCheckEvaluation]:
    """The checks of the roster in the region's last landing."""
    with DagsterInstance.from_config(str(home.dagster)) as instance:
        (last,) = instance.get_run_records(limit=1, filters=RunsFilter(job_name="land"))
        records = instance.get_records_for_run(last.dagster_run.run_id, of_type=DagsterEventType.ASSET_CHECK_EVALUATION)
    found = [record.event_log_entry.asset_check_evaluation for record in records.records]
    return {e.check_name: e for e in found if e is not None and e.asset_key == AssetKey(["validated", "employee"])}
