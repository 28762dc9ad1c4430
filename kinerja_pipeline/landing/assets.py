"""Landing's assets: the files of a region as delivered, by feed.

Here: binding only. Not here: reading files (landing/readers) and the ledger (landing/deliveries).
"""

from collections.abc import Iterable, Iterator

from dagster import (
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)

from kinerja_pipeline.alerts.fault import masked
from kinerja_pipeline.alerts.message import WORDS
from kinerja_pipeline.landing.deliveries import deliveries, land_region
from kinerja_pipeline.landing.freshness import freshness
from kinerja_pipeline.landing.ledger import Delivery
from kinerja_pipeline.landing.refusals import lying_refused
from kinerja_pipeline.orchestration import checks
from kinerja_pipeline.orchestration.alerting import Alerts
from kinerja_pipeline.orchestration.deployment import Deployment
from kinerja_pipeline.orchestration.faults import OF_REGION, ended_well, last_run_spec, retrying
from kinerja_pipeline.orchestration.metadata import definition_metadata, team
from kinerja_pipeline.orchestration.resources import Clock, HomeResource, RegionLock
from kinerja_pipeline.plain import unnumbered


def landing_assets(deployment: Deployment) -> list[AssetsDefinition]:
    feeds = deployment.contracts.incoming
    specs = [
        AssetSpec(
            ["landing", name],
            group_name="landing",
            kinds={"file"},
            description=f"Files of {contract.name} as delivered, every version kept. {contract.description}",
            owners=team(contract),
            metadata=definition_metadata(contract),
            partitions_def=deployment.region,
        )
        for name, contract in feeds.items()
    ]

    asked = {name: contract for name, contract in feeds.items() if contract.cadence or contract.is_event}
    check_specs = [checks.freshness_check_spec(c, _key(name), deployment.region) for name, c in asked.items()]

    @multi_asset(
        name="landing",
        specs=specs,
        check_specs=[*check_specs, last_run_spec(OF_REGION, deployment.region)],
        partitions_def=deployment.region,
        can_subset=False,
    )
    @retrying
    def landing(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock, alerts: Alerts
    ) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        region = context.partition_key
        policy = deployment.policies[region]
        report = land_region(home.home, region, policy, deployment.contracts)
        for problem in report.refused:
            # What Dagster logs stays for as long as its database, and everybody with the UI reads it.
            context.log.warning(unnumbered(problem))
        for problem in alerts.refused(deployment, report):
            context.log.warning(problem)
        ledger, lying = deliveries(home.home, region), lying_refused(home.home, report)
        for feed in feeds:
            own = ledger.filter(ledger["feed"] == feed)
            landed = own.filter(own["status_code"] == "landed")
            yield MaterializeResult(
                asset_key=["landing", feed],
                metadata={
                    "dagster/row_count": MetadataValue.int(int(landed["row_count"].sum() or 0)),
                    "deliveries": len(landed),
                    "refused files": len(own) - len(landed),
                    "new in this run": report.new_by_feed.get(feed, 0),
                    **_to_mend(line for line in lying if line.feed == feed),
                },
            )
        today = clock.local_today(policy.zone)
        for feed, contract in asked.items():
            found = freshness(contract, policy, ledger, today)
            yield checks.freshness_check(contract, _key(feed), policy, found, today)
        yield ended_well(OF_REGION)

    return [landing]


def _key(feed: str) -> AssetKey:
    return AssetKey(["landing", feed])


def _to_mend(lines: Iterable[Delivery]) -> dict[str, MetadataValue[str]]:
    """The feed's refused files, each with its reason, and what to do; nothing where there are none."""
    reasons = [f"- {masked(line.reason or '')}" for line in lines]
    return {"to mend": MetadataValue.md("\n".join([*reasons, "", WORDS["refused_file"].advice[1]]))} if reasons else {}
