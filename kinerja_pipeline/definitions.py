"""The one Dagster code location: assets of every room, jobs, schedules, resources.

Here: the explicit list of what the deployment runs. Loading it takes no network, no clock, no reads beyond contracts
and policies; a tick of the monthly schedule looks into the home.
"""

import warnings

from dagster import (
    AssetSelection,
    BetaWarning,
    DefaultScheduleStatus,
    Definitions,
    PreviewWarning,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
    define_asset_job,
    definitions,
    in_process_executor,
    schedule,
)
from dagster._core.storage.tags import PRIORITY_TAG

from kinerja_pipeline.contracts.model import Contracts, load_contracts
from kinerja_pipeline.facts.periods import add_months, month_of
from kinerja_pipeline.home import home_from_environment
from kinerja_pipeline.orchestration.deployment import Deployment, partition_key
from kinerja_pipeline.orchestration.months import closing_months
from kinerja_pipeline.orchestration.resources import Clock, HomeResource, RegionLock
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import load_policies

# Dagster marks parts we use (multi-dimensional partition mappings, kinds) as beta; nothing an operator can act on.
for category in (BetaWarning, PreviewWarning):
    warnings.filterwarnings("ignore", category=category)


def build_definitions(contracts: Contracts, policies: Policies) -> Definitions:
    """The code location of a deployment; tests build their own from other contracts and policies."""
    from kinerja_pipeline.facts.assets import facts_assets
    from kinerja_pipeline.kpi.assets import kpi_assets
    from kinerja_pipeline.landing.assets import landing_assets
    from kinerja_pipeline.reports.assets import reports_assets
    from kinerja_pipeline.validated.assets import validated_assets
    from kinerja_pipeline.warehouse.assets import warehouse_assets

    deployment = Deployment(contracts, policies)
    # Compiled here, so that a wrong declaration fails the load and not a run at night.
    deployment.check()
    dated = AssetSelection.assets(
        *([room, c.name] for c in deployment.dated_feeds for room in ("validated", "quarantine")),
        ["validated", "dated_tally"],
        ["validated", "correction"],
    )
    of_region = AssetSelection.groups("landing") | dated
    land = define_asset_job(
        "land",
        selection=of_region,
        executor_def=in_process_executor,
        description="Takes in a region's new files, validates its registers (employees, units, PINs, permits).",
    )
    region_month = define_asset_job(
        "region_month",
        selection=AssetSelection.all() - of_region,
        executor_def=in_process_executor,
        description="Validates, computes and publishes a region and month, with the longer periods around it.",
    )
    return Definitions(
        assets=[
            *landing_assets(deployment),
            *validated_assets(deployment),
            *facts_assets(deployment),
            *kpi_assets(deployment),
            *warehouse_assets(deployment),
            *reports_assets(deployment),
        ],
        jobs=[land, region_month],
        schedules=_schedules(policies, land, region_month),
        resources={"home": HomeResource(), "clock": Clock(), "lock": RegionLock()},
        executor=in_process_executor,
    )


def _schedules(policies: Policies, land: object, region_month: object) -> list[ScheduleDefinition]:
    @schedule(
        name="daily_landing",
        cron_schedule="0 1 * * *",
        execution_timezone="Asia/Jakarta",
        job=land,  # type: ignore[arg-type]
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
        job=region_month,  # type: ignore[arg-type]
        default_status=DefaultScheduleStatus.STOPPED,
        description="On each region's closing day: computes and publishes the month before, and the published months "
        "that look at it.",
    )
    def monthly_closing(context: ScheduleEvaluationContext) -> list[RunRequest] | SkipReason:
        """The runs of a tick, each region's months in order, as `kinerja run` would run them.

        Runs wait in Dagster's queue and may not overlap within a region (dagster.yaml). The queue takes runs of higher
        priority first and runs of one priority as they were asked for, so a region's months come in order by
        themselves; the priority falls with every month all the same, for a daemon that submits runs in several threads
        asks in any order. A month whose predecessor failed runs nevertheless, as on the command line.
        """
        day, home = context.scheduled_execution_time.date(), home_from_environment()
        closed = add_months(month_of(day), -1)
        due = [region for region in policies if policies.in_force(region, closed).periods.closing_day == day.day]
        if not due:
            return SkipReason(f"No region closes its month on day {day.day}.")
        requests = [
            RunRequest(
                run_key=f"{region}-{closed}-{month}",
                partition_key=partition_key(region, month),
                tags={PRIORITY_TAG: str(-place)},
            )
            for region in due
            for place, month in enumerate(closing_months(home, policies.versions(region), closed))
        ]
        return requests or SkipReason(f"No file of {', '.join(due)} has rows of {closed}.")

    return [daily_landing, monthly_closing]


@definitions
def kinerja() -> Definitions:
    """The code location as Dagster loads it: the packaged contracts, and the policies of the home."""
    return build_definitions(load_contracts(), load_policies(home_from_environment().policies))
