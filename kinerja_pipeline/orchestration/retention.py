"""What is past its time by the region's policy, and the job that lets it go: what rejected rows said, and old runs.

Here: what is old enough and needed by nothing. Not here: how long things are kept (policies/model), when somebody looks
(doctor, automation). Delivered files, what landed of them, facts and the warehouse are kept: every number is computed
from these, and landing would write again what it misses.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from dagster import (
    DagsterEventType,
    DagsterInstance,
    JobDefinition,
    OpExecutionContext,
    RunsFilter,
    in_process_executor,
    job,
    op,
)
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.tags import MAX_RETRIES_TAG

from kinerja_pipeline.contracts.model import Contract, Contracts
from kinerja_pipeline.facts.periods import add_months, month_of, month_start
from kinerja_pipeline.home import Home
from kinerja_pipeline.kpi.follow_up_units import NAMING
from kinerja_pipeline.landing.ledger import read_ledger
from kinerja_pipeline.orchestration.basis import closing_date
from kinerja_pipeline.orchestration.deployment import Deployment
from kinerja_pipeline.orchestration.leftovers import leftovers, remove
from kinerja_pipeline.orchestration.resources import PARTITION_TAG, Clock, HomeResource, locked, partition_of
from kinerja_pipeline.orchestration.storage import Lake, whole_file
from kinerja_pipeline.policies.dated import Policies

_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Past:
    """What is past its time: how many rejected rows that still say what was delivered, and which runs."""

    row_count: int
    runs: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.row_count or self.runs)

    def __str__(self) -> str:
        rows = f"{self.row_count:,} rejected rows with what was delivered" if self.row_count else ""
        runs = f"{len(self.runs):,} of Dagster's runs" if self.runs else ""
        return " and ".join(part for part in (rows, runs) if part)


def past(home: Home, policies: Policies, contracts: Contracts, instance: DagsterInstance, now: dt.datetime) -> Past:
    """What every region's policy no longer keeps. Looking changes nothing."""
    files = [old for region in policies for old in _old_rows(home, policies, contracts, region, now)]
    return Past(sum(old.count for old in files), tuple(_old_runs(instance, policies, now)))


def tidied(home: Home, policies: Policies, contracts: Contracts, instance: DagsterInstance, now: dt.datetime) -> Past:
    """Lets go of it, and says of what. A run that works on a region is waited for."""
    count = 0
    for region in policies:
        with locked(home, region):
            for old in _old_rows(home, policies, contracts, region, now):
                count += old.count
                with whole_file(old.path) as file:
                    old.without_texts().write_parquet(file, compression="zstd", statistics=True)
    runs = tuple(_old_runs(instance, policies, now))
    for run_id in runs:
        instance.delete_run(run_id)
    return Past(count, runs)


def tidying(deployment: Deployment) -> JobDefinition:
    """The job that lets go of what the policies keep no longer; on a schedule, and whenever somebody launches it."""

    @op(name="let_go")
    def let_go(context: OpExecutionContext, home: HomeResource, clock: Clock) -> None:
        found = tidied(home.home, deployment.policies, deployment.contracts, context.instance, clock.now())
        context.log.info(f"Let go of: {found or 'nothing'}.")
        remove(leftovers(home.home, deployment.policies, clock.now()))

    @job(
        name="tidy",
        tags={MAX_RETRIES_TAG: 0},
        executor_def=in_process_executor,
        description="Lets go of what is kept longer than the policies say (what rejected rows said, and old runs), and "
        "of half-written files of killed processes.",
    )
    def tidy() -> None:
        let_go()

    return tidy


# ---- rejected rows ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _OldRows:
    """A file of the quarantine, which of its rows are past their time and still say something, and in which columns."""

    path: Path
    rows: pl.DataFrame
    is_past: pl.Series
    texts: list[str]

    @property
    def count(self) -> int:
        return int(self.is_past.sum())

    def without_texts(self) -> pl.DataFrame:
        return self.rows.with_columns(pl.when(~self.is_past).then(pl.col(name)).alias(name) for name in self.texts)


def _old_rows(
    home: Home, policies: Policies, contracts: Contracts, region: str, now: dt.datetime
) -> Iterator[_OldRows]:
    """Files with rows past their time. A row is as old as its file; one of an event feed must be of a closed month that
    is as old, too: a file may carry a wrong time."""
    months = policies[region].retention.quarantine_months
    if months is None:
        return
    first = add_months(month_of(now.date()), -months)
    came = {line.delivery_id: line.received_at for line in read_ledger(home.landing / region)}
    old = [each for each, at in came.items() if month_of(dt.datetime.fromisoformat(at).date()) < first]
    if not old:
        return
    lake = Lake(home.lake)
    for feed in contracts.incoming.values():
        for month in _months(lake, policies, feed, region, first, now.date()):
            path = lake.path("quarantine", feed.name, region, month)
            rows = pl.read_parquet(path)
            texts = _texts(rows, feed)
            says_something = pl.any_horizontal(pl.col(name).is_not_null() for name in texts)
            is_past = rows.select(pl.col("_delivery_id").is_in(old) & says_something).to_series()
            if is_past.any():
                yield _OldRows(path, rows, is_past, texts)


def _months(
    lake: Lake, policies: Policies, feed: Contract, region: str, first: str, today: dt.date
) -> Iterator[str | None]:
    if not feed.is_event:
        yield from [None] if lake.has("quarantine", feed.name, region) else []
        return
    for month in lake.months("quarantine", feed.name, region):
        if month < first and today >= closing_date(policies.in_force(region, month), month):
            yield month


def _texts(rows: pl.DataFrame, feed: Contract) -> list[str]:
    """The columns with what was delivered. File, row and reasons stay, and of events whom the row names: follow-up
    counts it for their unit, and must count it so again whenever a month is computed anew."""
    kept = {"_delivery_id", "_source_row", "_reasons", *(NAMING if feed.is_event else ())}
    return [name for name in rows.columns if name not in kept]


# ---- runs ------------------------------------------------------------------------------------------------------------


def _old_runs(instance: DagsterInstance, policies: Policies, now: dt.datetime) -> Iterator[str]:
    """Runs that ended and are past their region's time; of none, as of tidying, the longest of all regions'. Never the
    last of a job and partition, nor one that made something no later run has made again: Dagster would miss it."""
    months = {region: policies[region].retention.run_months for region in policies}
    before = {region: _ago(now, kept) if kept else _NEVER for region, kept in months.items()}
    old = instance.get_run_records(
        RunsFilter(statuses=FINISHED_STATUSES, created_before=max(before.values(), default=_NEVER))
    )
    if not old:
        return
    last: dict[tuple[str, str], str] = {}
    for run in instance.get_runs(RunsFilter(statuses=FINISHED_STATUSES)):
        last.setdefault((run.job_name, run.tags.get(PARTITION_TAG, "")), run.run_id)
    current = _current(instance)
    for record in old:
        run = record.dagster_run
        is_past = record.create_timestamp < before.get(partition_of(run)[0], min(before.values()))
        is_last = last[run.job_name, run.tags.get(PARTITION_TAG, "")] == run.run_id
        if is_past and not is_last and current.isdisjoint(_made(instance, run.run_id)):
            yield run.run_id


def _ago(now: dt.datetime, months: int) -> dt.datetime:
    return dt.datetime.combine(month_start(add_months(month_of(now.date()), -months)), dt.time(), dt.UTC)


def _current(instance: DagsterInstance) -> frozenset[int]:
    """The storage ids of the last materialization of every asset and partition."""
    storage, kind = instance.event_log_storage, DagsterEventType.ASSET_MATERIALIZATION
    return frozenset(
        number
        for key in instance.all_asset_keys()
        for number in storage.get_latest_storage_id_by_partition(key, kind).values()
    )


def _made(instance: DagsterInstance, run_id: str) -> Iterator[int]:
    cursor, has_more = None, True
    while has_more:
        page = instance.get_records_for_run(run_id, cursor, of_type=DagsterEventType.ASSET_MATERIALIZATION, limit=_PAGE)
        yield from (record.storage_id for record in page.records)
        cursor, has_more = page.cursor, page.has_more
