"""The one Dagster code location: assets of every room, jobs, schedules, resources.

Here: the explicit list of what the deployment runs. Loading it takes no network, no clock, no reads beyond contracts
and policies; ticks of schedules and sensor look into the home.
"""

import warnings

from dagster import (
    AssetSelection,
    BetaWarning,
    Definitions,
    PreviewWarning,
    define_asset_job,
    definitions,
    in_process_executor,
)
from dagster._core.storage.tags import RETRY_STRATEGY_TAG

from kinerja_pipeline.contracts.model import Contracts, load_contracts
from kinerja_pipeline.home import home_from_environment, runs_by_itself
from kinerja_pipeline.orchestration.alerting import Alerts, watch
from kinerja_pipeline.orchestration.automation import LAND, REGION_MONTH, Runs, new_files, schedules
from kinerja_pipeline.orchestration.deployment import Deployment
from kinerja_pipeline.orchestration.resources import Clock, HomeResource, RegionLock
from kinerja_pipeline.orchestration.retention import tidying
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import load_policies

# Dagster marks parts we use (multi-dimensional partition mappings, kinds) as beta; nothing an operator can act on.
for category in (BetaWarning, PreviewWarning):
    warnings.filterwarnings("ignore", category=category)


WHOLE = {RETRY_STRATEGY_TAG: "ALL_STEPS"}
"""A run that was cut off is done again from the beginning: files may have come since."""


def build_definitions(contracts: Contracts, policies: Policies, *, is_on: bool = False) -> Definitions:
    """The code location of a deployment; tests build their own from other contracts and policies. With `is_on` the
    schedules and the sensor start switched on."""
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
        LAND,
        selection=of_region,
        executor_def=in_process_executor,
        tags=WHOLE,
        description="Takes in a region's new files, validates its registers (employees, units, PINs, permits).",
    )
    region_month = define_asset_job(
        REGION_MONTH,
        selection=AssetSelection.all() - of_region,
        executor_def=in_process_executor,
        tags=WHOLE,
        description="Validates, computes and publishes a region and month, with the longer periods around it.",
    )
    assets = [
        *landing_assets(deployment),
        *validated_assets(deployment),
        *facts_assets(deployment),
        *kpi_assets(deployment),
        *warehouse_assets(deployment),
        *reports_assets(deployment),
    ]
    runs, tidy = Runs(deployment, assets), tidying(deployment)
    return Definitions(
        assets=assets,
        jobs=[land, region_month, tidy],
        schedules=schedules(runs, land, region_month, tidy, is_on=is_on),
        sensors=[new_files(runs, land, region_month, is_on=is_on), watch(deployment)],
        resources={"home": HomeResource(), "clock": Clock(), "lock": RegionLock(), "alerts": Alerts()},
        executor=in_process_executor,
    )


@definitions
def kinerja() -> Definitions:
    """The code location as Dagster loads it: the packaged contracts, and the policies of the home."""
    return build_definitions(load_contracts(), load_policies(home_from_environment().policies), is_on=runs_by_itself())
