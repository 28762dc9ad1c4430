"""KPI's assets: measures, indicators, evaluations and follow-up of a region and month, and of the periods around it.

Here: binding only. Not here: formulas (the modules beside this one).
"""

import datetime as dt
import time
from collections.abc import Iterator

import polars as pl
from dagster import AssetDep, AssetExecutionContext, AssetsDefinition, AssetSpec, MaterializeResult, multi_asset

from kinerja_pipeline.facts.periods import (
    add_months,
    as_of,
    month_start,
    months_between,
    months_of,
    period_end_month,
    periods_of,
)
from kinerja_pipeline.facts.tasks import task_window
from kinerja_pipeline.facts.training import training_programme
from kinerja_pipeline.kpi.distribution import unit_evaluation
from kinerja_pipeline.kpi.evaluation import evaluation
from kinerja_pipeline.kpi.follow_up import Evidence, follow_up, training_needs
from kinerja_pipeline.kpi.follow_up_units import mistakes
from kinerja_pipeline.kpi.indicators import kpi, measures
from kinerja_pipeline.kpi.people import people
from kinerja_pipeline.kpi.subjects import answers_by_subject, measurements_by_subject
from kinerja_pipeline.orchestration.deployment import Deployment, region_month_of
from kinerja_pipeline.orchestration.metadata import counts, definition_metadata
from kinerja_pipeline.orchestration.resources import Clock, HomeResource, RegionLock
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.policies.model import Policy


def kpi_assets(deployment: Deployment) -> list[AssetsDefinition]:
    return [_measure(deployment), _kpi(deployment)]


def _measure(deployment: Deployment) -> AssetsDefinition:
    lookback = max(p.periods.task_lookback_months for p in deployment.policies.values())
    spec = AssetSpec(
        ["kpi", "measure"],
        group_name="kpi",
        kinds={"polars", "parquet"},
        description="One row per subject and indicator with evidence in the month: numerator and denominator, "
        "which add up to every longer period.",
        deps=[
            AssetDep(["facts", "attendance_day"]),
            AssetDep(["facts", "training_year"]),
            AssetDep(["facts", "task_outcome"], partition_mapping=deployment.window(lookback)),
            AssetDep(["validated", "feedback_response"]),
            AssetDep(["validated", "indicator_measurement"]),
        ],
    )

    @multi_asset(name="measure", specs=[spec], partitions_def=deployment.region_month)
    def build(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        policy, lake, start = deployment.policies[region], home.lake, time.perf_counter()
        facts = _facts(lake, policy, month, clock.local_today(policy.zone))
        frame = measures(facts, deployment.indicators[region], month)
        lake.write(frame, "kpi", "measure", region, month)
        return MaterializeResult(asset_key=["kpi", "measure"], metadata=counts(frame, time.perf_counter() - start))

    return build


def _facts(lake: Lake, policy: Policy, month: str, today: dt.date) -> dict[str, pl.DataFrame]:
    region, months = policy.region, months_between(add_months(month, -policy.periods.task_lookback_months), month)
    return {
        "attendance_day": lake.read("facts", "attendance_day", region, month),
        "task_outcome": task_window(
            lake.read("facts", "task_outcome", region, months), month, policy.time_zone, as_of(month, today)
        ),
        "training_year": lake.read("facts", "training_year", region, month),
        "feedback_answer": answers_by_subject(lake.read("validated", "feedback_response", region, month)),
        "indicator_measurement": measurements_by_subject(
            lake.read("validated", "indicator_measurement", region, month)
        ),
    }


def _kpi(deployment: Deployment) -> AssetsDefinition:
    year = deployment.window(11)
    deps = {
        "kpi": [AssetDep(["kpi", "measure"], partition_mapping=year)],
        "evaluation": [AssetDep(["validated", "performance_rating"], partition_mapping=year)],
        "unit_evaluation": [AssetDep(["validated", "performance_rating"], partition_mapping=year)],
        "follow_up": [
            *(AssetDep(["facts", name]) for name in ("attendance_day", "attendance_month", "satisfaction_index")),
            AssetDep(["facts", "training_year"]),
            AssetDep(["validated", "org_unit"], partition_mapping=deployment.of_region),
            *(AssetDep(["quarantine", contract.name]) for contract in deployment.event_feeds),
        ],
        "training_programme": [
            AssetDep(["validated", "training_plan"], partition_mapping=deployment.of_region),
            AssetDep(["validated", "training_record"], partition_mapping=year),
        ],
    }
    employees = AssetDep(["validated", "employee"], partition_mapping=deployment.of_region)
    inside = {
        "kpi": [],
        "evaluation": [AssetDep(["kpi", "kpi"])],
        "unit_evaluation": [AssetDep(["kpi", "evaluation"])],
        "follow_up": [AssetDep(["kpi", "evaluation"])],
        "training_programme": [AssetDep(["kpi", "follow_up"])],
    }
    specs = [
        AssetSpec(
            ["kpi", table],
            group_name="kpi",
            kinds={"polars", "parquet"},
            deps=[*deps[table], *inside[table], *([employees] if table == "kpi" else [])],
            description=deployment.contracts.outgoing[table].description,
            metadata=definition_metadata(deployment.contracts.outgoing[table]),
        )
        for table in deps
    ]

    @multi_asset(name="kpi", specs=specs, partitions_def=deployment.region_month, can_subset=False)
    def build(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> Iterator[MaterializeResult[None]]:
        region, month = region_month_of(context)
        policy, lake, start = deployment.policies[region], home.lake, time.perf_counter()
        year_months = months_of(month[:4])
        monthly = lake.read("kpi", "measure", region, year_months)
        present = [m for m in year_months if lake.has("kpi", "measure", region, m)]
        staff = _people(lake, policy, month, present, clock.local_today(policy.zone))
        indicators = kpi(monthly, deployment.indicators[region], staff, policy, month, policy_version(policy))
        ratings = lake.read("validated", "performance_rating", region, year_months)
        judged = evaluation(indicators, ratings, policy.evaluation)
        earlier = [
            m
            for m in months_between(add_months(month, -12), add_months(month, -1))
            if lake.has("kpi", "evaluation", region, m)
        ]
        history = [judged, *(lake.read("kpi", "evaluation", region, m) for m in earlier)]
        advice = follow_up(_evidence(deployment, lake, region, month, indicators, pl.concat(history)), policy, month)
        spread = unit_evaluation(judged, ratings, policy.evaluation)
        for table, frame in {
            "kpi": indicators,
            "evaluation": judged,
            "unit_evaluation": spread,
            "follow_up": advice,
            "training_programme": _programmes(lake, region, month, advice),
        }.items():
            lake.write(frame, "kpi", table, region, month)
            yield MaterializeResult(asset_key=["kpi", table], metadata=counts(frame, time.perf_counter() - start))

    return build


def _people(lake: Lake, policy: Policy, month: str, present: list[str], today: dt.date) -> dict[str, pl.DataFrame]:
    """The people of the month and of the longer periods, up to the last month that has figures."""
    employees = lake.read("validated", "employee", policy.region)
    return {
        kind: people(
            employees,
            month_start(months_of(period)[0]),
            as_of(max(m for m in present if m <= period_end_month(period)), today),
        )
        for kind, period in periods_of(month).items()
    }


def _evidence(
    deployment: Deployment, lake: Lake, region: str, month: str, indicators: pl.DataFrame, evaluations: pl.DataFrame
) -> Evidence:
    """What the follow-up rules of a month look at."""
    employees, org_units = (lake.read("validated", name, region) for name in ("employee", "org_unit"))
    year = [m for m in months_of(month[:4]) if m <= month]
    completed = lake.read("validated", "training_record", region, year)
    rejected = {c.name: lake.read("quarantine", c.name, region, month) for c in deployment.event_feeds}
    return Evidence(
        evaluations=evaluations,
        kpi=indicators,
        attendance_month=lake.read("facts", "attendance_month", region, month),
        attendance_day=lake.read("facts", "attendance_day", region, month),
        employees=employees,
        org_units=org_units,
        training=lake.read("facts", "training_year", region, month),
        completed=completed.select("nip", "programme_id"),
        satisfaction=lake.read("facts", "satisfaction_index", region, month),
        mistakes=mistakes(rejected, employees, org_units),
    )


def _programmes(lake: Lake, region: str, month: str, advice: pl.DataFrame) -> pl.DataFrame:
    """Every programme of the region, over all its months: those of other months as they were last computed."""
    others = [m for m in lake.months("kpi", "follow_up", region) if m != month]
    advised = [advice, *([lake.read("kpi", "follow_up", region, others)] if others else [])]
    return training_programme(
        lake.read("validated", "training_plan", region),
        lake.read("validated", "training_record", region, lake.months("validated", "training_record", region)),
        training_needs(pl.concat(advised)),
    )
