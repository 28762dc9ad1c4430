"""What runs by itself: the schedules, and the run requests that follow from what a home holds.

Here: when, and which partitions in which order. Not here: which months are affected (orchestration/affected), the jobs
(definitions).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from dagster import (
    AssetKey,
    AssetsDefinition,
    DefaultScheduleStatus,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    schedule,
)
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as Job
from dagster._core.storage.tags import PRIORITY_TAG

from kinerja_pipeline.facts.periods import add_months, month_of
from kinerja_pipeline.home import home_from_environment
from kinerja_pipeline.orchestration.affected import Affected
from kinerja_pipeline.orchestration.basis import present
from kinerja_pipeline.orchestration.deployment import Deployment, looking_back, partition_key

LAND, REGION_MONTH = "land", "region_month"


class Runs:
    """The run requests of a deployment: which assets a month's run needs is looked up once, when first asked for."""

    def __init__(self, deployment: Deployment, assets: Sequence[AssetsDefinition]) -> None:
        self.deployment = deployment
        self._assets = assets

    @cached_property
    def _onward(self) -> list[AssetKey]:
        return sorted(looking_back(AssetGraph.from_assets(self._assets)))

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


def schedules(runs: Runs, land: Job, region_month: Job) -> list[ScheduleDefinition]:
    policies = runs.deployment.policies

    @schedule(
        name="daily_landing",
        cron_schedule="0 1 * * *",
        execution_timezone="Asia/Jakarta",
        job=land,
        default_status=DefaultScheduleStatus.STOPPED,
        description="Every night: takes in the new files of every region.",
    )
    def daily_landing(context: ScheduleEvaluationContext) -> list[RunRequest]:
        day = context.scheduled_execution_time.date().isoformat()
        return [RunRequest(run_key=f"{region}-{day}", partition_key=region) for region in policies]

    @schedule(
        name="monthly_closing",
        cron_schedule="0 3 * * *",
        execution_timezone="Asia/Jakarta",
        job=region_month,
        default_status=DefaultScheduleStatus.STOPPED,
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
        home = home_from_environment()
        found = {r: present(home, policies, runs.deployment.contracts, r, day).affected([closed]) for r in due}
        requests = [each for region, months in found.items() for each in runs.requests(region, months, closed)]
        return requests or SkipReason(f"No file of {', '.join(due)} has rows of {closed}.")

    return [daily_landing, monthly_closing]
