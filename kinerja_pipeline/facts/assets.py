"""Facts' assets: one table per thing that happened, by region and month.

Here: binding only. Not here: any rule of working time, tasks or surveys (the modules beside this one).
"""

import time
from collections.abc import Iterator
from itertools import chain

import polars as pl
from dagster import AssetDep, AssetExecutionContext, AssetsDefinition, AssetSpec, MaterializeResult, multi_asset

from kinerja_pipeline.facts.appraisal import APPRAISAL_SCHEMAS, appraisal
from kinerja_pipeline.facts.attendance import COUNTED_COLUMNS, SUMMED_COLUMNS, attendance_days, attendance_month
from kinerja_pipeline.facts.by_people import stretches
from kinerja_pipeline.facts.discipline import covered_from
from kinerja_pipeline.facts.feed_day import Expected, expected, feed_day
from kinerja_pipeline.facts.periods import (
    add_months,
    as_of,
    in_force,
    month_of,
    months_between,
    months_of,
    periods_of,
)
from kinerja_pipeline.facts.satisfaction import satisfaction
from kinerja_pipeline.facts.shifts import ASSIGNED
from kinerja_pipeline.facts.targets import indicator_target
from kinerja_pipeline.facts.tasks import task_outcome_parts
from kinerja_pipeline.facts.training import training_year
from kinerja_pipeline.orchestration.column_lineage import column_lineage
from kinerja_pipeline.orchestration.deployment import Deployment, region_month_of
from kinerja_pipeline.orchestration.faults import retrying
from kinerja_pipeline.orchestration.metadata import counts, definition_metadata, team
from kinerja_pipeline.orchestration.plots import Lateness, late_by_day, lateness
from kinerja_pipeline.orchestration.resources import Clock, HomeResource, RegionLock

VALID = ("valid_from", "valid_to")
REGISTERS = {
    "employee": ("nip", "assignment_code", *ASSIGNED, *VALID),
    "device_pin": ("device_id", "pin", "nip", *VALID),
    "leave_permit": ("permit_id", "nip", "kind_code", "part", "start_date", "end_date"),
    "shift_roster": ("nip", "work_date", "schedule_id"),
    "device_outage": ("device_id", "started_at", "ended_at"),
}
"""What days look at of the registers."""
TAPS, TAP_COLUMNS = ("attendance_log", "attendance_margin"), ("device_id", "pin", "tapped_at")
UNPUBLISHED = {
    "appraisal_round": "One row per appraisal round that has been computed: when, and from which deliveries. A round "
    "in it is never computed again.",
    "behaviour_score": "One row per employee whom a computed appraisal round judged: behaviour in percent of the "
    "maximum, null while a role is missing; whether peers or subordinates counted.",
}
ASSIGNMENTS = ("nip", "unit_id", "assignment_code", "valid_from", "valid_to")
SUPERIORS = ("position_level", "supervisor_nip")
MARKS = ("round_id", "response_id", "subject_id", "role_code", "element_code", "score")
AGREEMENTS = ("indicator_id", "subject_kind", "subject_id", "period", "target", "agreed_at", "agreed_by")
TRAININGS = ("nip", "programme_id", "completed_date", "hours", "is_training")
"""What these facts look at of employees, answers of appraisal rounds, targets and training records."""


def facts_assets(deployment: Deployment) -> list[AssetsDefinition]:
    return [
        _attendance_day(deployment),
        _attendance_month(deployment),
        _tasks(deployment),
        _satisfaction(deployment),
        _appraisal(deployment),
        _targets(deployment),
        _training(deployment),
    ]


def _spec(deployment: Deployment, table: str, deps: list[AssetDep]) -> AssetSpec:
    contract = deployment.contracts.outgoing.get(table)
    return AssetSpec(
        ["facts", table],
        group_name="facts",
        kinds={"polars", "parquet"},
        deps=deps,
        description=contract.description if contract else UNPUBLISHED[table],
        metadata={**definition_metadata(contract), **column_lineage(deployment, table, lambda _: "facts")}
        if contract
        else None,
        owners=team(contract),
        partitions_def=deployment.region_month,
    )


def _attendance_day(deployment: Deployment) -> AssetsDefinition:
    own = [AssetDep(["validated", name]) for name in TAPS]
    registers = [AssetDep(["validated", name], partition_mapping=deployment.of_region) for name in REGISTERS]
    known = [dep for dep in registers if dep.asset_key.path[-1] in ("device_pin", "device_outage")]

    @multi_asset(
        name="attendance_day",
        specs=[
            _spec(deployment, "attendance_day", [*own, *registers]),
            _spec(
                deployment,
                "feed_day",
                [AssetDep(["facts", "attendance_day"]), AssetDep(["validated", "arrival"]), *known],
            ),
        ],
        partitions_def=deployment.region_month,
    )
    @retrying
    def build(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> Iterator[MaterializeResult[None]]:
        region, month = region_month_of(context)
        policy, lake, start = deployment.policy(region, month), home.lake, time.perf_counter()
        employees, pins, permits, rosters, outages = (
            lake.read("validated", name, region, columns=columns) for name, columns in REGISTERS.items()
        )
        taps = chain.from_iterable(lake.read_parts("validated", name, region, month, TAP_COLUMNS) for name in TAPS)
        today = clock.local_today(policy.zone)
        day = as_of(month, today)
        parts = attendance_days(taps, employees, pins, permits, rosters, outages, policy, month, day)
        holders = in_force(pins, ["device_id", "pin"])

        def told(part: pl.DataFrame) -> tuple[int, Lateness, Expected]:
            return len(part), late_by_day(part), expected(part, holders)

        rows, late, asked = zip(*lake.write_parts(parts, told, "facts", "attendance_day", region, month), strict=True)
        yield MaterializeResult(
            asset_key=["facts", "attendance_day"],
            metadata={**counts(sum(rows), time.perf_counter() - start), **lateness(late)},
        )
        start = time.perf_counter()
        arrivals = lake.read("validated", "arrival", region, month)
        complete = feed_day(asked, outages, arrivals, policy, month, day, today)
        lake.write(complete, "facts", "feed_day", region, month)
        yield MaterializeResult(
            asset_key=["facts", "feed_day"], metadata=counts(len(complete), time.perf_counter() - start)
        )

    return build


def _attendance_month(deployment: Deployment) -> AssetsDefinition:
    year = AssetDep(["facts", "attendance_day"], partition_mapping=deployment.window(11))

    @multi_asset(
        name="attendance_month",
        specs=[_spec(deployment, "attendance_month", [year])],
        partitions_def=deployment.region_month,
    )
    @retrying
    def build(context: AssetExecutionContext, home: HomeResource, lock: RegionLock) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        lake, start = home.lake, time.perf_counter()
        policy = deployment.policy(region, month)
        before = months_between(add_months(month, -11), add_months(month, -1))
        earlier = [m for m in before if lake.has("facts", "attendance_day", region, m)]
        days = [lake.scan("facts", "attendance_day", region, m).select(COUNTED_COLUMNS) for m in earlier]
        days.append(lake.scan("facts", "attendance_day", region, month).select(SUMMED_COLUMNS))
        has_days = pl.collect_all([rows.select(pl.len() > 0) for rows in days])
        covered = covered_from((m for m, has in zip([*earlier, month], has_days, strict=True) if has.item()), month)
        people = days[-1].select(pl.col("nip").unique()).collect(engine="streaming").to_series()

        def parts() -> Iterator[pl.DataFrame]:
            for some in stretches(people):
                own = pl.collect_all([rows.filter(some.holds("nip")) for rows in days])
                yield attendance_month(pl.concat(own, how="diagonal"), policy, month, covered)

        rows = lake.write_parts(parts(), len, "facts", "attendance_month", region, month)
        return MaterializeResult(
            asset_key=["facts", "attendance_month"], metadata=counts(sum(rows), time.perf_counter() - start)
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
    @retrying
    def build(context: AssetExecutionContext, home: HomeResource, lock: RegionLock) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        start, lake = time.perf_counter(), home.lake
        # A requester's earlier task makes a later one a repeat, also across the month's end.
        tasks = lake.scan("validated", "task_record", region, [add_months(month, -1), month])
        employees = lake.read("validated", "employee", region, columns=ASSIGNMENTS)
        parts = task_outcome_parts(tasks, employees, deployment.policy(region, month), month)
        count = sum(lake.write_parts(parts, len, "facts", "task_outcome", region, month))
        return MaterializeResult(
            asset_key=["facts", "task_outcome"], metadata=counts(count, time.perf_counter() - start)
        )

    return build


def _satisfaction(deployment: Deployment) -> AssetsDefinition:
    answers = AssetDep(["validated", "feedback_response"], partition_mapping=deployment.window(11))
    units = AssetDep(["validated", "org_unit"], partition_mapping=deployment.of_region)

    @multi_asset(
        name="satisfaction",
        specs=[_spec(deployment, table, [answers, units]) for table in ("satisfaction_element", "satisfaction_index")],
        partitions_def=deployment.region_month,
    )
    @retrying
    def build(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> Iterator[MaterializeResult[None]]:
        region, month = region_month_of(context)
        lake, start = home.lake, time.perf_counter()
        today = clock.local_today(deployment.policy(region, month).zone)
        # All that is there of a longer period, as for indicators: an earlier month that runs again must not take a
        # quarter back to what it was then.
        year = months_of(month[:4])
        there = [m for m in year if m == month or lake.has("validated", "feedback_response", region, m)]
        told = [
            (deployment.policy(region, period), period, as_of(max(set(there) & set(months_of(period))), today))
            for period in periods_of(month).values()
        ]
        given = pl.concat(lake.scan("validated", "feedback_response", region, m) for m in there)
        for table, frame in satisfaction(given, lake.read("validated", "org_unit", region), told).items():
            lake.write(frame, "facts", table, region, month)
            seconds = time.perf_counter() - start
            yield MaterializeResult(asset_key=["facts", table], metadata=counts(len(frame), seconds))

    return build


def _appraisal(deployment: Deployment) -> AssetsDefinition:
    rounds = [held for region in deployment.policies for held, _ in deployment.policies.rounds(region).values()]
    reach = max((len(months_between(month_of(each.opens), each.period)) - 1 for each in rounds), default=0)
    answers = AssetDep(["validated", "feedback_response"], partition_mapping=deployment.window(reach))
    counted = AssetDep(["validated", "event_tally"], partition_mapping=deployment.window(reach))
    employees = AssetDep(["validated", "employee"], partition_mapping=deployment.of_region)

    @multi_asset(
        name="appraisal",
        specs=[_spec(deployment, table, [answers, counted, employees]) for table in APPRAISAL_SCHEMAS],
        partitions_def=deployment.region_month,
    )
    @retrying
    def build(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> Iterator[MaterializeResult[None]]:
        region, month = region_month_of(context)
        policy, lake, start = deployment.policy(region, month), home.lake, time.perf_counter()
        rules = policy.appraisal
        first = min((month_of(each.opens) for each in rules.rounds.values() if each.period == month), default=month)
        months = months_between(first, month)
        tally = lake.read("validated", "event_tally", region, months)
        frames = appraisal(
            lake.scan("validated", "feedback_response", region, months).drop_nulls("round_id").select(MARKS).collect(),
            lake.read("validated", "employee", region, columns=[*ASSIGNMENTS, *SUPERIORS]),
            rules,
            month,
            clock.local_today(policy.zone),
            delivery_ids=tally.filter(pl.col("feed") == "feedback_response")["delivery_id"].unique(),
            before={table: lake.read("facts", table, region, month) for table in APPRAISAL_SCHEMAS}
            if all(lake.has("facts", table, region, month) for table in APPRAISAL_SCHEMAS)
            else None,
        )
        # Last the table that says the round is computed: a killed run leaves it to be computed again.
        for table in sorted(frames, key=lambda name: name == "appraisal_round"):
            lake.write(frames[table], "facts", table, region, month)
            seconds = time.perf_counter() - start
            yield MaterializeResult(asset_key=["facts", table], metadata=counts(len(frames[table]), seconds))

    return build


def _targets(deployment: Deployment) -> AssetsDefinition:
    agreed = AssetDep(["validated", "indicator_target"], partition_mapping=deployment.of_region)

    @multi_asset(
        name="indicator_target",
        specs=[_spec(deployment, "indicator_target", [agreed])],
        partitions_def=deployment.region_month,
    )
    @retrying
    def build(context: AssetExecutionContext, home: HomeResource, lock: RegionLock) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        start, lake = time.perf_counter(), home.lake
        targets = lake.read("validated", "indicator_target", region, columns=AGREEMENTS)
        frame = indicator_target(targets, deployment.policy(region, month), month)
        lake.write(frame, "facts", "indicator_target", region, month)
        return MaterializeResult(
            asset_key=["facts", "indicator_target"], metadata=counts(len(frame), time.perf_counter() - start)
        )

    return build


def _training(deployment: Deployment) -> AssetsDefinition:
    employees = AssetDep(["validated", "employee"], partition_mapping=deployment.of_region)
    records = AssetDep(["validated", "training_record"], partition_mapping=deployment.window(11))

    @multi_asset(
        name="training_year",
        specs=[_spec(deployment, "training_year", [records, employees])],
        partitions_def=deployment.region_month,
    )
    @retrying
    def build(context: AssetExecutionContext, home: HomeResource, lock: RegionLock) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        start, lake = time.perf_counter(), home.lake
        year = [m for m in months_of(month[:4]) if m <= month]
        months = [m for m in year if lake.has("validated", "training_record", region, m)]
        given = lake.read("validated", "training_record", region, months, columns=TRAININGS)
        employees = lake.read("validated", "employee", region, columns=ASSIGNMENTS)
        frame = training_year(given, employees, deployment.policy(region, month), month, months)
        lake.write(frame, "facts", "training_year", region, month)
        return MaterializeResult(
            asset_key=["facts", "training_year"], metadata=counts(len(frame), time.perf_counter() - start)
        )

    return build
