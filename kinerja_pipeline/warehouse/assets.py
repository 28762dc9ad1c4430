"""The warehouse's assets: every published table of a region and month, replaced in one transaction.

Here: binding only. Not here: the transaction (warehouse/publish) and the describing tables (warehouse/registers).
"""

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import polars as pl
from dagster import (
    AssetCheckResult,
    AssetDep,
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    MaterializeResult,
    MetadataValue,
    multi_asset,
)

from kinerja_pipeline import __version__
from kinerja_pipeline.facts.periods import months_of, periods_of
from kinerja_pipeline.home import Home, warehouse_url
from kinerja_pipeline.kpi.parts import Sums, evaluated_sums, period_sums, together, unit_sums
from kinerja_pipeline.landing.deliveries import deliveries
from kinerja_pipeline.orchestration.basis import Present, note
from kinerja_pipeline.orchestration.checks import promise_check, promise_check_spec, sums_check, sums_check_spec
from kinerja_pipeline.orchestration.column_lineage import column_lineage, passed_on
from kinerja_pipeline.orchestration.deployment import Deployment, region_month_of
from kinerja_pipeline.orchestration.faults import OF_MONTH, ended_well, last_run_spec, retrying
from kinerja_pipeline.orchestration.metadata import definition_metadata, team
from kinerja_pipeline.orchestration.preview import preview
from kinerja_pipeline.orchestration.resources import Clock, HomeResource, RegionLock
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.warehouse import registers
from kinerja_pipeline.warehouse.restate import RESTATED

if TYPE_CHECKING:
    from kinerja_pipeline.warehouse.outgoing import Checked

FACTS = (
    "attendance_day",
    "attendance_month",
    "feed_day",
    "indicator_target",
    "task_outcome",
    "satisfaction_element",
    "satisfaction_index",
    "training_year",
    "appraisal_role",
    "competency_profile",
    "rater_unit",
)
KPI = ("kpi", "evaluation", "unit_evaluation", "follow_up", "allowance", "training_effect", "training_programme")
POLICY = ("region", "indicator")
PUBLISHED = "published"
"""The lake's room for what Great Expectations said of each published table and month."""


def warehouse_assets(deployment: Deployment) -> list[AssetsDefinition]:
    tables = {name: c for name, c in deployment.contracts.outgoing.items() if name != "publication"}
    replaced = deployment.replaced_tables
    specs = [
        AssetSpec(
            ["warehouse", name],
            group_name="warehouse",
            kinds={"sql"},
            deps=_deps(deployment, name),
            description=f"{contract.description} Made from the region's policy alone."
            if name in POLICY
            else contract.description,
            owners=team(contract),
            metadata={**definition_metadata(contract), **_ways(deployment, name)},
        )
        for name, contract in tables.items()
    ]

    check_specs = [
        *(promise_check_spec(tables[name], _key(name), deployment.region_month) for name in replaced),
        sums_check_spec(_key("kpi"), deployment.region_month),
        last_run_spec(OF_MONTH, deployment.region_month),
    ]

    @multi_asset(
        name="publication",
        specs=specs,
        check_specs=check_specs,
        partitions_def=deployment.region_month,
        can_subset=False,
    )
    @retrying
    def publication(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> Iterator[MaterializeResult[None] | AssetCheckResult]:
        # Late: SQLAlchemy and Alembic would make up a quarter of the time in which the definitions load.
        from kinerja_pipeline.warehouse.database import open_warehouse
        from kinerja_pipeline.warehouse.publish import PublishRefused, Versions, publish, refusal
        from kinerja_pipeline.warehouse.status import published_digest

        checked: list[Checked] = []
        region, month = region_month_of(context)
        start = time.perf_counter()
        policy = deployment.policy(region, month)
        today = clock.local_today(policy.zone)
        frames = outgoing(deployment, home.home, home.lake, region, month, today)
        sums = sums_of(deployment, home.lake, region, month, frames)
        yield sums_check(_key("kpi"), sums.asked, sums.problems)
        if sums.problems:
            raise refusal(region, month, sums.problems)
        versions = Versions(code=__version__, policy=policy_version(policy))
        before = Present(home.home, deployment.policies, deployment.contracts, region, today)
        engine = open_warehouse(warehouse_url(home.home))
        try:
            published = publish(
                engine,
                deployment.contracts,
                region,
                month,
                frames,
                versions=versions,
                now=clock.now(),
                run_id=context.run.run_id,
                causes=before.causes(month),
                told=checked.append,
            )
        except PublishRefused:
            yield from _kept(home.lake, checked, region, month, is_published=False).values()
            raise
        finally:
            engine.dispose()
        note(before, month, published_digest(published, month), with_facts=_has_facts(context))
        checks = _kept(home.lake, checked, region, month, is_published=True)
        seconds = MetadataValue.float(round(time.perf_counter() - start, 3))
        changed = {p.table_name for p in published if p.is_changed}
        for name in replaced:
            yield MaterializeResult(
                asset_key=["warehouse", name],
                metadata={
                    "dagster/row_count": MetadataValue.int(len(frames[name])),
                    "changed": name in changed,
                    "seconds": seconds,
                    **preview(tables[name], frames[name]),
                },
            )
            # By itself: a check inside a MaterializeResult has Dagster look up its table's last materialization twice.
            yield checks[name]
        yield MaterializeResult(asset_key=["warehouse", "restatement"])
        yield ended_well(OF_MONTH)

    return [publication]


def _has_facts(context: AssetExecutionContext) -> bool:
    """Whether the run makes the month's own facts too, or publishes those that are there."""
    selected = context.run.asset_selection
    return (
        not selected or {AssetKey(["validated", "attendance_log"]), AssetKey(["facts", "attendance_day"])} <= selected
    )


def _key(table: str) -> AssetKey:
    return AssetKey(["warehouse", table])


def _kept(
    lake: Lake, checked: Iterable["Checked"], region: str, month: str, *, is_published: bool
) -> dict[str, AssetCheckResult]:
    """Writes each table's judgement to the lake; returns it as the table's check."""
    from kinerja_pipeline.warehouse.outgoing import document

    results = {}
    for each in checked:
        name = each.contract.name
        lake.write_document(document(each, region, month, is_published=is_published), PUBLISHED, name, region, month)
        results[name] = promise_check(each.contract, _key(name), len(each.rows), each.judgement, each.problems)
    return results


def _ways(deployment: Deployment, table: str) -> dict[str, MetadataValue[Any]]:
    """Which columns of other assets the table's columns come from."""
    if room := _room(table):
        return passed_on(deployment.contracts.outgoing[table], room)
    return column_lineage(deployment, table, lambda name: _room(name) or "warehouse")


def _room(table: str) -> str | None:
    return "facts" if table in FACTS else "kpi" if table in KPI else None


def _deps(deployment: Deployment, table: str) -> list[AssetDep]:
    """What a table is made from; nothing for those of POLICY, for a policy is a file and not an asset."""
    of_region = deployment.of_region
    if table in FACTS:
        return [AssetDep(["facts", table])]
    if table in KPI:
        return [AssetDep(["kpi", table])]
    match table:
        case "employee" | "org_unit":
            return [AssetDep(["validated", table], partition_mapping=of_region)]
        case "data_quality" | "delivery":
            return [
                AssetDep(["validated", "event_tally"]),
                AssetDep(["validated", "dated_tally"], partition_mapping=of_region),
            ]
        case "restatement":
            return [AssetDep(["facts" if name in FACTS else "kpi", name]) for name in RESTATED]
        case "period_status":
            return [AssetDep(["kpi", "measure"])]
        case _:
            return []


def outgoing(
    deployment: Deployment, home: Home, lake: Lake, region: str, month: str, today: dt.date
) -> dict[str, pl.DataFrame]:
    """Every table of a region and month exactly as its outgoing contract lists the columns."""
    policy, published = deployment.policy(region, month), lake.months("kpi", "measure", region)
    ruling = [deployment.policy(region, period) for period in periods_of(month).values()]
    dated = lake.read("validated", "dated_tally", region)
    events = {
        m: lake.read("validated", "event_tally", region, m) for m in lake.months("validated", "event_tally", region)
    }
    frames = {
        "region": registers.region(deployment.policy(region, max([*published, month]))),
        "indicator": registers.indicator(ruling),
        "employee": lake.read("validated", "employee", region),
        "org_unit": registers.org_unit(lake.read("validated", "org_unit", region)),
        "delivery": registers.delivery(deliveries(home, region), [dated, *events.values()]),
        "data_quality": registers.data_quality([dated, events[month]], deployment.contracts.incoming, month),
        "period_status": registers.period_status(policy, month, published, today),
        **{table: lake.read("facts", table, region, month) for table in FACTS},
        **{table: lake.read("kpi", table, region, month) for table in KPI},
    }
    return {
        name: frame.with_columns(pl.lit(region).alias("region")).select(deployment.contracts.outgoing[name].names)
        for name, frame in frames.items()
    }


def sums_of(deployment: Deployment, lake: Lake, region: str, month: str, frames: Mapping[str, pl.DataFrame]) -> Sums:
    """What is about to be published against its parts. An indicator that was declared otherwise in a month of a longer
    period was measured anew for that period, and is left out there."""
    found = [evaluated_sums(frames["evaluation"], frames["unit_evaluation"])]
    for period in periods_of(month).values():
        months = [m for m in months_of(period) if lake.has("kpi", "measure", region, m)]
        declared = {i.indicator_id: i.declared for i in deployment.indicators(deployment.policy(region, period))}
        for each in months:
            own = {
                i.indicator_id: i.declared.measured_by for i in deployment.indicators(deployment.policy(region, each))
            }
            declared = {name: d for name, d in declared.items() if own.get(name) == d.measured_by}
        rows = frames["kpi"].filter(pl.col("period") == period)
        found += [
            period_sums(rows, lake.read("kpi", "measure", region, months), declared),
            unit_sums(rows, declared),
        ]
    return together(*found)
