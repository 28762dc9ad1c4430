"""What the policy keeps no longer goes, and nothing that a figure is computed from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus
from home_warehouse import copied
from line_world import MONTHS, Finished, hashes, kinerja, run, succeeded

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.home import Home
from kinerja_pipeline.kpi.follow_up_units import mistakes
from kinerja_pipeline.orchestration.deployment import Deployment
from kinerja_pipeline.orchestration.replay import quarantined
from kinerja_pipeline.orchestration.resources import Clock, HomeResource
from kinerja_pipeline.orchestration.retention import past, tidied, tidying
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.loader import load_policies, policy_version

REGION = "salor"
CONTRACTS = load_contracts()
LATER = dt.datetime(2028, 5, 1, tzinfo=dt.UTC)
"""The first day on which everything that came in April 2026 or before is 24 months old."""


@pytest.fixture
def home(finished: Callable[[str], Finished], tmp_path: Path) -> Home:
    return copied(finished(REGION).home, tmp_path / "home")


@pytest.fixture
def instance(home: Home) -> Iterator[DagsterInstance]:
    with DagsterInstance.from_config(str(home.dagster)) as opened:
        yield opened


def quarantine(home: Home) -> dict[Path, pl.DataFrame]:
    return {path: pl.read_parquet(path) for path in sorted((home.lake / "quarantine").rglob("*.parquet"))}


def counted(home: Home) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is counted of rejected rows: by reason, and by unit for the follow-up."""
    lake, events = Lake(home.lake), [c.name for c in CONTRACTS.incoming.values() if c.is_event]
    rejected = {name: lake.read("quarantine", name, REGION, MONTHS) for name in events if _has(lake, name)}
    employees, units = (lake.read("validated", name, REGION) for name in ("employee", "org_unit"))
    return quarantined(lake, REGION, CONTRACTS.incoming.values()), mistakes(rejected, employees, units)


def _has(lake: Lake, name: str) -> bool:
    return lake.has("quarantine", name, REGION, MONTHS[0])


def made(instance: DagsterInstance) -> dict[str, set[str]]:
    """The partitions of every asset that Dagster calls materialized."""
    storage, kind = instance.event_log_storage, DagsterEventType.ASSET_MATERIALIZATION
    keys = instance.all_asset_keys()
    return {k.to_user_string(): set(storage.get_latest_storage_id_by_partition(k, kind)) for k in keys}


def test_what_rejected_rows_said_goes_and_their_counts_stay(home: Home, instance: DagsterInstance) -> None:
    before, counts = quarantine(home), counted(home)
    assert any(rows["_raw"].len() for rows in before.values()), "the world plants rejected rows"
    found = past(home, load_policies(), CONTRACTS, instance, LATER)
    assert found.row_count == sum(map(len, before.values()))
    assert tidied(home, load_policies(), CONTRACTS, instance, LATER) == found
    for path, rows in quarantine(home).items():
        assert rows.schema == before[path].schema
        kept = [name for name in rows.columns if rows[name].null_count() < len(rows)]
        assert set(kept) <= {"_delivery_id", "_source_row", "_reasons", "unit_id", "nip", "subject_id"}
    for now, then in zip(counted(home), counts, strict=True):
        assert now.equals(then)
    assert not past(home, load_policies(), CONTRACTS, instance, LATER), "what is gone is not found again"


def test_a_day_before_its_time_everything_stays(home: Home, instance: DagsterInstance) -> None:
    assert past(home, load_policies(), CONTRACTS, instance, dt.datetime(2028, 2, 29, tzinfo=dt.UTC)).row_count == 0


def test_a_region_that_keeps_for_ever_loses_nothing(home: Home, instance: DagsterInstance) -> None:
    (home.policies / f"{REGION}.yaml").write_text("retention: {quarantine_months: ~, run_months: ~}\n")
    assert not past(home, load_policies(home.policies), CONTRACTS, instance, LATER)


def test_doctor_lists_it_and_fix_lets_it_go(home: Home) -> None:
    (home.policies / f"{REGION}.yaml").write_text("retention: {quarantine_months: 3}\n")
    assert policy_version(load_policies(home.policies)[REGION]) == policy_version(load_policies()[REGION])
    told = succeeded(kinerja(home, "doctor"))
    assert f"{sum(map(len, quarantine(home).values()))} rejected rows with what was delivered" in told
    assert "weekly_tidying" in succeeded(kinerja(home, "doctor", "--fix"))
    assert "Nothing is kept longer than the policies say." in succeeded(kinerja(home, "doctor"))


def test_the_job_lets_it_go(home: Home, instance: DagsterInstance, monkeypatch: pytest.MonkeyPatch) -> None:
    (home.policies / f"{REGION}.yaml").write_text("retention: {quarantine_months: 3}\n")
    monkeypatch.setenv("KINERJA_HOME", str(home.root))
    policies, now = load_policies(home.policies), dt.datetime.now(dt.UTC)
    assert past(home, policies, CONTRACTS, instance, now)
    job = tidying(Deployment(CONTRACTS, policies))
    result = job.execute_in_process(instance=instance, resources={"home": HomeResource(), "clock": Clock()})
    assert result.success
    assert not past(home, policies, CONTRACTS, instance, now)


@pytest.mark.scenario
def test_after_tidying_a_run_comes_to_the_same_figures_and_dagster_misses_nothing(
    home: Home, instance: DagsterInstance
) -> None:
    before, files = hashes(home, REGION), sorted(home.landing.rglob("*"))
    landed = {p: p.read_bytes() for p in (home.lake / "landing").rglob("*") if p.is_file()}
    first = {r.run_id for r in instance.get_runs()}
    years = dt.datetime.now(dt.UTC) + dt.timedelta(days=3 * 366)
    assert past(home, load_policies(), CONTRACTS, instance, years).runs == (), "the last of each partition stay"
    tidied(home, load_policies(), CONTRACTS, instance, years)
    assert hashes(home, REGION) == before
    succeeded(run(home, "--region", REGION, "--from", MONTHS[0]))
    assert hashes(home, REGION) == before
    assert (sorted(home.landing.rglob("*")), {p: p.read_bytes() for p in landed}) == (files, landed)

    materialized = made(instance)
    assert not past(home, load_policies(), CONTRACTS, instance, dt.datetime.now(dt.UTC)).runs, "a year is not over"
    gone = set(tidied(home, load_policies(), CONTRACTS, instance, years).runs)
    assert gone
    assert gone < first, "what a later run has made again, and nothing else"
    assert {r.run_id for r in instance.get_runs()}.isdisjoint(gone)
    assert not any(instance.all_logs(run_id) for run_id in gone)
    assert made(instance) == materialized
    assert {r.status for r in instance.get_runs()} == {DagsterRunStatus.SUCCESS}
