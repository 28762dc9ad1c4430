"""What runs by itself: the schedules, the sensor that sees files come, and the runs that they ask for.

Here: when, and which partitions in which order. Not here: which months are affected (orchestration/affected), which of
them wait for somebody (orchestration/approval), the other jobs (definitions), what is kept how long (retention).
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster import (
    AssetKey,
    AssetsDefinition,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultScheduleStatus,
    DefaultSensorStatus,
    JobDefinition,
    RunRecord,
    RunRequest,
    RunsFilter,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    schedule,
    sensor,
)
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as Job
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES as IN_PROGRESS
from dagster._core.storage.tags import PRIORITY_TAG, RETRY_NUMBER_TAG, WILL_RETRY_TAG

from kinerja_pipeline.facts.periods import add_months, month_of
from kinerja_pipeline.home import Home, home_from_environment
from kinerja_pipeline.landing.arrivals import look
from kinerja_pipeline.landing.ledger import LEDGER
from kinerja_pipeline.orchestration.abandoned import abandoned, is_given_up
from kinerja_pipeline.orchestration.affected import Affected, CauseCode
from kinerja_pipeline.orchestration.approval import permitted, read_approval
from kinerja_pipeline.orchestration.approval import told as waits
from kinerja_pipeline.orchestration.basis import BY_FILES, Present, are_registers_current, closing_date, digest, present
from kinerja_pipeline.orchestration.deployment import Deployment, looking_back, partition_key
from kinerja_pipeline.orchestration.resources import is_locked, local_day, partition_of

LAND, REGION_MONTH = "land", "region_month"
LOOK_SECONDS = 3
"""How often the sensor may look: an operating system's list of files, and one query of Dagster's. The daemon comes by
every five seconds, and would now and then leave one out if it were asked for exactly that."""
MOST_RUNS = 200
"""Failed runs that one look takes in; the next takes the others."""
AFTERWARDS: frozenset[CauseCode] = frozenset({"month"})


class Runs:
    """The runs that a deployment asks for: which assets a month's run needs is looked up once, when first asked."""

    def __init__(self, deployment: Deployment, assets: Sequence[AssetsDefinition]) -> None:
        self.deployment = deployment
        self._assets = assets

    @cached_property
    def _onward(self) -> list[AssetKey]:
        return sorted(looking_back(AssetGraph.from_assets(self._assets)))

    def landing(self, region: str, key: str, changed: set[str]) -> RunRequest:
        """The run that takes files in. Where nothing but folders of event feeds is `changed` and the registers are
        current, these stay as they were validated: judging them again would take most of the run."""
        policy, contracts = self.deployment.policies[region], self.deployment.contracts
        is_light = changed <= {contract.name for contract in self.deployment.event_feeds}
        is_light = is_light and are_registers_current(home_from_environment(), policy, contracts)
        keys = [AssetKey(["landing", name]) for name in contracts.incoming]
        return RunRequest(run_key=key, job_name=LAND, partition_key=region, asset_selection=keys if is_light else None)

    def present(self, region: str, day: dt.date) -> Present:
        return present(home_from_environment(), self.deployment.policies, self.deployment.contracts, region, day)

    def asked(self, instance: DagsterInstance, now: Present, months: Iterable[str], key: str) -> list[RunRequest]:
        """The runs of these months and of those that belong to them, as far as they need nobody's approval."""
        if could_not_land(instance, now.region):
            return []
        periods = self.deployment.policies[now.region].periods
        approved = read_approval(now.home, now.region)
        may = permitted(now.affected(months), now.statuses, periods, approved, is_asked=True)
        return self.requests(now.region, may.months, key)

    def requests(self, region: str, months: Iterable[Affected], key: str) -> list[RunRequest]:
        """The runs of a region's months, in order, as `kinerja run` would run them.

        Runs wait in Dagster's queue and may not overlap within a region (dagster.yaml). The queue takes runs of higher
        priority first and runs of one priority as they were asked for, so a region's months come in order by
        themselves; the priority falls with every month all the same, for a daemon that submits runs in several threads
        asks in any order. A month whose predecessor failed runs nevertheless, as on the command line.
        """
        return [
            RunRequest(
                run_key=f"{region}-{key}-{each.month}",
                job_name=REGION_MONTH,
                partition_key=partition_key(region, each.month),
                asset_selection=None if each.depth == "whole" else self._onward,
                tags={PRIORITY_TAG: str(-place)},
            )
            for place, each in enumerate(months)
        ]


def schedules(
    runs: Runs, land: Job, region_month: Job, tidy: JobDefinition, *, is_on: bool
) -> list[ScheduleDefinition]:
    policies = runs.deployment.policies
    state = DefaultScheduleStatus.RUNNING if is_on else DefaultScheduleStatus.STOPPED

    @schedule(
        name="daily_landing",
        cron_schedule="0 1 * * *",
        execution_timezone="Asia/Jakarta",
        job=land,
        default_status=state,
        description="Every night: takes in the new files of every region.",
    )
    def daily_landing(context: ScheduleEvaluationContext) -> list[RunRequest]:
        day = context.scheduled_execution_time.date().isoformat()
        return [RunRequest(run_key=f"{region}-{day}", partition_key=region) for region in policies]

    @schedule(
        name="daily_open_months",
        cron_schedule="0 2 * * *",
        execution_timezone="Asia/Jakarta",
        job=region_month,
        default_status=state,
        description="Every night: computes and publishes the months that are not closed yet, up to the day before.",
    )
    def daily_open_months(context: ScheduleEvaluationContext) -> list[RunRequest] | SkipReason:
        day = context.scheduled_execution_time.date()
        requests: list[RunRequest] = []
        for region in policies:
            now = runs.present(region, day)
            still_open = [month for month in now.known if day < closing_date(policies.in_force(region, month), month)]
            requests += runs.asked(context.instance, now, still_open, day.isoformat())
        return requests or SkipReason("There are no rows of an open month.")

    @schedule(
        name="monthly_closing",
        cron_schedule="0 3 * * *",
        execution_timezone="Asia/Jakarta",
        job=region_month,
        default_status=state,
        description="On each region's closing day: computes and publishes the month before, and the published months "
        "that look at it.",
    )
    def monthly_closing(context: ScheduleEvaluationContext) -> list[RunRequest] | SkipReason:
        """Nothing of a region while the month has no events and was not published."""
        day = context.scheduled_execution_time.date()
        closed = add_months(month_of(day), -1)
        due = [region for region in policies if policies.in_force(region, closed).periods.closing_day == day.day]
        if not due:
            return SkipReason(f"No region closes its month on day {day.day}.")
        requests = [
            each for region in due for each in runs.asked(context.instance, runs.present(region, day), [closed], closed)
        ]
        return requests or SkipReason(f"No file of {', '.join(due)} has rows of {closed}.")

    weekly_tidying = ScheduleDefinition(
        name="weekly_tidying",
        cron_schedule="0 4 * * 0",
        execution_timezone="Asia/Jakarta",
        job=tidy,
        default_status=state,
        description="Every Sunday night: lets go of what is kept longer than the policies say.",
    )
    return [daily_landing, daily_open_months, monthly_closing, weekly_tidying]


def new_files(runs: Runs, land: Job, region_month: Job, *, is_on: bool) -> SensorDefinition:
    """The sensor that sees files come: it has them landed, and then asks for the months that they touch."""

    @sensor(
        name="new_files",
        jobs=[land, region_month],
        minimum_interval_seconds=LOOK_SECONDS,
        default_status=DefaultSensorStatus.RUNNING if is_on else DefaultSensorStatus.STOPPED,
        description="Sees new and changed files in landing/, takes them in, then computes and publishes exactly the "
        "months that they touch.",
    )
    def new_files(context: SensorEvaluationContext) -> SensorResult:
        """One look at every region. A region with a run under way is left alone until that has ended."""
        home = home_from_environment()
        cursor: dict[str, Any] = json.loads(context.cursor) if context.cursor else {}
        regions: dict[str, dict[str, Any]] = cursor.get("regions", {})
        failed = unretried(context.instance, cursor.get("until", time.time()))
        until = failed[-1].update_timestamp.timestamp() if failed else cursor.get("until", time.time())
        for run in (record.dagster_run for record in failed):
            if is_given_up(context.instance, run):
                seen = regions.setdefault(partition_of(run)[0], {})
                seen["again"] = run.run_id
                if run.job_name == LAND:
                    seen.pop("files", None)
        under_way = context.instance.get_runs(RunsFilter(statuses=IN_PROGRESS))
        busy = busy_regions(home, context.instance, runs.deployment.policies, under_way)
        for run in under_way:
            if RETRY_NUMBER_TAG in run.tags:
                regions.setdefault(partition_of(run)[0], {})["again"] = run.run_id
        requests: list[RunRequest] = []
        told: list[str] = []
        for region in runs.deployment.policies:
            if (home.landing / region).is_dir() and region not in busy:
                seen = regions.setdefault(region, {})
                requests += _asked_by(context.instance, runs, home, region, seen, told)
        skipped = None if requests else SkipReason(" ".join(told) or "Nothing has come.")
        now_known = json.dumps({"regions": regions, "until": until}, sort_keys=True)
        return SensorResult(run_requests=requests, skip_reason=skipped, cursor=now_known)

    return new_files


def _asked_by(
    instance: DagsterInstance, runs: Runs, home: Home, region: str, seen: dict[str, Any], told: list[str]
) -> list[RunRequest]:
    """What the region's files ask for: landing when they are others than last time and no more written to; when they
    have landed, the months that are touched, unless these have been asked for already. `seen` is kept for next time."""
    found = look(home, region, time.time(), {n: (a, b) for n, (a, b) in seen.get("unsettled", {}).items()})
    files, before, again = dict(found.folders), seen.get("files"), seen.get("again")
    if files != before:
        seen["unsettled"] = dict(found.unsettled)
        if found.unsettled:
            told.append(f"{region}: {len(found.unsettled)} files are still being written.")
            return []
        seen["files"] = files
        changed = {folder for folder in {*(before or {}), *files} if (before or {}).get(folder) != files.get(folder)}
        # Dagster starts nothing twice under one key: a landing that was cut off needs another than it had.
        return [runs.landing(region, f"{region}-land-{digest([files, again] if again else files)[:16]}", changed)]
    state = [
        files,
        *(stamp(path) for path in (home.landing / region / LEDGER, home.approvals / f"{region}.json")),
    ]
    if (key := digest(state)[:16]) == seen.get("state") and not again:
        return []
    if could_not_land(instance, region):
        told.append(f"{region}: landing failed; nothing is computed until somebody has looked and it succeeds.")
        return []
    seen["state"] = key
    # A month that ran while an earlier one, cut off, waited to be launched again looked at what that was before.
    causes: frozenset[CauseCode] = BY_FILES | AFTERWARDS if seen.pop("again", None) else BY_FILES
    policy = runs.deployment.policies[region]
    now = runs.present(region, local_day(policy, None))
    may = permitted(now.affected(of=causes), now.statuses, policy.periods, read_approval(home, region), is_asked=False)
    if may.waiting:
        told.append(waits(region, may.waiting, may.why))
    return runs.requests(region, may.months, digest([key, again])[:16] if again else key)


def busy_regions(
    home: Home, instance: DagsterInstance, regions: Collection[str], under_way: Iterable[DagsterRun]
) -> set[str]:
    """The regions on which a run works or waits to work. One whose command line or server was killed works on
    nothing: it is closed, and Dagster launches the server's again."""
    busy = {region for region in regions if is_locked(home, f"{region}-command")}
    for run in under_way:
        # Asked now: a command line takes the lock before its first run.
        if why := abandoned(home, instance, run):
            instance.report_run_failed(run, why)
        else:
            busy.add(partition_of(run)[0])
    return busy


def unretried(instance: DagsterInstance, after: float) -> Sequence[RunRecord]:
    """The runs that failed and will not be launched again, as far as that was entered after a time; in that order."""
    since = dt.datetime.fromtimestamp(after, dt.UTC)
    given = RunsFilter(statuses=[DagsterRunStatus.FAILURE], tags={WILL_RETRY_TAG: "false"}, updated_after=since)
    return instance.get_run_records(given, limit=MOST_RUNS, order_by="update_timestamp", ascending=True)


def could_not_land(instance: DagsterInstance, region: str) -> bool:
    """Whether the region's last landing failed, as with a correction that no longer fits: its registers are those of
    before, and months computed from them would be wrong."""
    last = instance.get_runs(RunsFilter(job_name=LAND, tags={"dagster/partition": region}), limit=1)
    return bool(last) and last[0].status != DagsterRunStatus.SUCCESS


def stamp(path: Path) -> str:
    """Changes when the file does."""
    status = path.stat() if path.exists() else None
    return f"{status.st_size}-{status.st_mtime_ns}" if status else ""
