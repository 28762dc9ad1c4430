"""Facts' assets: one table per thing that happened, by region and month.

Here: binding only. Not here: any rule of working time, tasks or surveys (the modules beside this one).
"""

import time
from collections.abc import Iterator

import polars as pl
from dagster import AssetDep, AssetExecutionContext, AssetsDefinition, AssetSpec, MaterializeResult, multi_asset

from kinerja_pipeline.facts.attendance import attendance_day, attendance_month
from kinerja_pipeline.facts.periods import add_months, as_of, months_between, months_of, periods_of
from kinerja_pipeline.facts.satisfaction import satisfaction_element, satisfaction_index
from kinerja_pipeline.facts.tasks import task_outcome
from kinerja_pipeline.facts.training import training_year
from kinerja_pipeline.orchestration.deployment import Deployment, region_month_of
from kinerja_pipeline.orchestration.metadata import counts, definition_metadata
from kinerja_pipeline.orchestration.resources import Clock, HomeResource, RegionLock

REGISTERS = ("employee", "device_pin", "leave_permit", "shift_roster")


def facts_assets(deployment: Deployment) -> list[AssetsDefinition]:
    return [
        _attendance_day(deployment),
        _attendance_month(deployment),
        _tasks(deployment),
        _satisfaction(deployment),
        _training(deployment),
    ]


def _spec(deployment: Deployment, table: str, deps: list[AssetDep]) -> AssetSpec:
    contract = deployment.contracts.outgoing[table]
    return AssetSpec(
        ["facts", table],
        group_name="facts",
        kinds={"polars", "parquet"},
        deps=deps,
        description=contract.description,
        metadata=definition_metadata(contract),
        partitions_def=deployment.region_month,
    )


def _attendance_day(deployment: Deployment) -> AssetsDefinition:
    own = [AssetDep(["validated", name]) for name in ("attendance_log", "attendance_margin")]
    registers = [AssetDep(["validated", name], partition_mapping=deployment.of_region) for name in REGISTERS]

    @multi_asset(
        name="attendance_day",
        specs=[_spec(deployment, "attendance_day", [*own, *registers])],
        partitions_def=deployment.region_month,
    )
    def build(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        policy, lake, start = deployment.policies[region], home.lake, time.perf_counter()
        taps = pl.concat(
            [lake.read("validated", name, region, month) for name in ("attendance_log", "attendance_margin")]
        )
        employees, pins, permits, rosters = (lake.read("validated", name, region) for name in REGISTERS)
        day = as_of(month, clock.local_today(policy.zone))
        days = attendance_day(taps, employees, pins, permits, rosters, policy, month, day)
        lake.write(days, "facts", "attendance_day", region, month)
        return MaterializeResult(
            asset_key=["facts", "attendance_day"], metadata=counts(days, time.perf_counter() - start)
        )

    return build


def _attendance_month(deployment: Deployment) -> AssetsDefinition:
    earlier = AssetDep(["facts", "attendance_day"], partition_mapping=deployment.window(11))

    @multi_asset(
        name="attendance_month",
        specs=[_spec(deployment, "attendance_month", [earlier])],
        partitions_def=deployment.region_month,
    )
    def build(context: AssetExecutionContext, home: HomeResource, lock: RegionLock) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        start, months = time.perf_counter(), months_between(add_months(month, -11), month)
        days = home.lake.read("facts", "attendance_day", region, months)
        frame = attendance_month(days, deployment.policies[region], month)
        home.lake.write(frame, "facts", "attendance_month", region, month)
        return MaterializeResult(
            asset_key=["facts", "attendance_month"], metadata=counts(frame, time.perf_counter() - start)
        )

    return build


def _tasks(deployment: Deployment) -> AssetsDefinition:
    employees = AssetDep(["validated", "employee"], partition_mapping=deployment.of_region)
    tasks_before = AssetDep(["validated", "task_record"], partition_mapping=deployment.window(1))

    @multi_asset(
        name="task_outcome",
        specs=[_spec(deployment, "task_outcome", [tasks_before, employees])],
        partitions_def=deployment.region_month,
    )
    def build(context: AssetExecutionContext, home: HomeResource, lock: RegionLock) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        start, lake = time.perf_counter(), home.lake
        # A requester's earlier task makes a later one a repeat, also across the month's end.
        tasks = lake.read("validated", "task_record", region, [add_months(month, -1), month])
        frame = task_outcome(tasks, lake.read("validated", "employee", region), deployment.policies[region], month)
        lake.write(frame, "facts", "task_outcome", region, month)
        return MaterializeResult(
            asset_key=["facts", "task_outcome"], metadata=counts(frame, time.perf_counter() - start)
        )

    return build


def _satisfaction(deployment: Deployment) -> AssetsDefinition:
    answers = AssetDep(["validated", "feedback_response"], partition_mapping=deployment.window(11))
    units = AssetDep(["validated", "org_unit"], partition_mapping=deployment.of_region)
    tables = {"satisfaction_element": satisfaction_element, "satisfaction_index": satisfaction_index}

    @multi_asset(
        name="satisfaction",
        specs=[_spec(deployment, table, [answers, units]) for table in tables],
        partitions_def=deployment.region_month,
    )
    def build(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> Iterator[MaterializeResult[None]]:
        region, month = region_month_of(context)
        policy, lake, day = (
            deployment.policies[region],
            home.lake,
            as_of(month, clock.local_today(deployment.policies[region].zone)),
        )
        org_units = lake.read("validated", "org_unit", region)
        for table, function in tables.items():
            start, parts = time.perf_counter(), []
            for period in periods_of(month).values():
                given = lake.read("validated", "feedback_response", region, months_of(period))
                parts.append(function(given, org_units, policy, period, day))
            frame = pl.concat(parts)
            lake.write(frame, "facts", table, region, month)
            yield MaterializeResult(asset_key=["facts", table], metadata=counts(frame, time.perf_counter() - start))

    return build


def _training(deployment: Deployment) -> AssetsDefinition:
    employees = AssetDep(["validated", "employee"], partition_mapping=deployment.of_region)
    records = AssetDep(["validated", "training_record"], partition_mapping=deployment.window(11))

    @multi_asset(
        name="training_year",
        specs=[_spec(deployment, "training_year", [records, employees])],
        partitions_def=deployment.region_month,
    )
    def build(context: AssetExecutionContext, home: HomeResource, lock: RegionLock) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        start, lake = time.perf_counter(), home.lake
        year = [m for m in months_of(month[:4]) if m <= month]
        months = [m for m in year if lake.has("validated", "training_record", region, m)]
        given = lake.read("validated", "training_record", region, months)
        employees = lake.read("validated", "employee", region)
        frame = training_year(given, employees, deployment.policies[region], month, months)
        lake.write(frame, "facts", "training_year", region, month)
        return MaterializeResult(
            asset_key=["facts", "training_year"], metadata=counts(frame, time.perf_counter() - start)
        )

    return build
