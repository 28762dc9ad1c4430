"""KPI's assets: measures, indicators, evaluations and follow-up of a region and month, and of the periods around it.

Here: binding only. Not here: formulas (the modules beside this one).
"""

import datetime as dt
import time
from collections.abc import Iterator, Sequence

import polars as pl
from dagster import AssetDep, AssetExecutionContext, AssetsDefinition, AssetSpec, MaterializeResult, multi_asset

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.facts.by_people import Stretch, parted, stretches
from kinerja_pipeline.facts.periods import (
    add_months,
    as_of,
    month_start,
    months_between,
    months_of,
    period_kind,
    periods_of,
)
from kinerja_pipeline.facts.training import training_programme
from kinerja_pipeline.kpi.allowance import JUDGED, allowance
from kinerja_pipeline.kpi.credit import credited
from kinerja_pipeline.kpi.distribution import SPREAD, unit_evaluation
from kinerja_pipeline.kpi.evaluation import RATED, WEIGHED, evaluation
from kinerja_pipeline.kpi.exclusions import DAY_COLUMNS
from kinerja_pipeline.kpi.follow_up import EVALUATED, Evidence, follow_up, training_needs
from kinerja_pipeline.kpi.follow_up_people import aspect_scores
from kinerja_pipeline.kpi.follow_up_units import NAMING, REJECTED, accepted, mistakes
from kinerja_pipeline.kpi.indicators import RESCANNED, kpi, measure_parts, measures, rescanned, rolled_up
from kinerja_pipeline.kpi.people import people
from kinerja_pipeline.kpi.targets import AGREED, agreed_targets
from kinerja_pipeline.kpi.training_effect import TRAINING_EFFECT_SCHEMA, training_effect, windows
from kinerja_pipeline.orchestration.column_lineage import column_lineage, counted_lineage
from kinerja_pipeline.orchestration.declared_facts import declared_facts, facts_year_before
from kinerja_pipeline.orchestration.deployment import Deployment, region_month_of
from kinerja_pipeline.orchestration.faults import retrying
from kinerja_pipeline.orchestration.metadata import counts, definition_metadata, team
from kinerja_pipeline.orchestration.plots import achieved
from kinerja_pipeline.orchestration.resources import Clock, HomeResource, RegionLock
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.indicators import CompiledIndicator
from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.policies.model import Policy

STAFF = ("nip", "assignment_code", "unit_id", "position", "position_level", "valid_from", "valid_to")
"""What is looked at of the register of employees."""


def kpi_assets(deployment: Deployment) -> list[AssetsDefinition]:
    return [_measure(deployment), _kpi(deployment)]


def _measure(deployment: Deployment) -> AssetsDefinition:
    every = (p for region in deployment.policies for p in deployment.policies.versions(region))
    lookback = 12 + max(p.periods.task_lookback_months for p in every)
    spec = AssetSpec(
        ["kpi", "measure"],
        group_name="kpi",
        kinds={"polars", "parquet"},
        description="One row per subject and indicator with evidence in the month: numerator and denominator, "
        "which add up to every longer period (medians and percentiles do not).",
        metadata=counted_lineage(deployment),
        deps=[
            # Growth looks at the same month last year.
            AssetDep(["facts", "attendance_day"], partition_mapping=deployment.window(12)),
            AssetDep(["facts", "indicator_target"], partition_mapping=deployment.window(12)),
            AssetDep(["facts", "training_year"], partition_mapping=deployment.window(12)),
            AssetDep(["facts", "task_outcome"], partition_mapping=deployment.window(lookback)),
            AssetDep(["validated", "employee"], partition_mapping=deployment.of_region),
            AssetDep(["validated", "feedback_response"], partition_mapping=deployment.window(12)),
            AssetDep(["validated", "indicator_measurement"]),
            AssetDep(["validated", "measurement_year_before"]),
            AssetDep(["validated", "indicator_target"], partition_mapping=deployment.of_region),
        ],
    )

    @multi_asset(name="measure", specs=[spec], partitions_def=deployment.region_month)
    @retrying
    def build(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> MaterializeResult[None]:
        region, month = region_month_of(context)
        policy, lake, start = deployment.policy(region, month), home.lake, time.perf_counter()
        today = clock.local_today(policy.zone)
        indicators = deployment.indicators(policy)
        now, year_before = _facts(lake, policy, month, indicators, today)
        parts = measure_parts(now, indicators, month, year_before)
        count = sum(lake.write_parts(parts, len, "kpi", "measure", region, month))
        return MaterializeResult(asset_key=["kpi", "measure"], metadata=counts(count, time.perf_counter() - start))

    return build


def _measured(
    lake: Lake, policy: Policy, month: str, indicators: Sequence[CompiledIndicator], today: dt.date
) -> pl.DataFrame:
    now, year_before = _facts(lake, policy, month, indicators, today)
    return measures(now, indicators, month, year_before)


def _facts(
    lake: Lake, policy: Policy, month: str, indicators: Sequence[CompiledIndicator], today: dt.date
) -> tuple[dict[str, pl.LazyFrame], dict[str, pl.LazyFrame]]:
    """What the indicators are measured from: the facts of the month, and of the same month last year."""
    needed = {i.declared.fact for i in indicators}
    growing = {i.declared.fact for i in indicators if i.declared.statistic == "growth"}
    now = declared_facts(lake, policy, month, today, needed)
    return now, facts_year_before(lake, policy, month, today, growing)


def _kpi(deployment: Deployment) -> AssetsDefinition:
    year = deployment.window(11)
    deps = {
        # Medians of a longer period rescan its facts; a period whose declarations changed in it measures them anew.
        "kpi": [
            AssetDep(["kpi", "measure"], partition_mapping=year),
            *(AssetDep(["facts", f], partition_mapping=year) for f in ("attendance_day", "task_outcome")),
            *(
                AssetDep(["validated", f], partition_mapping=year)
                for f in ("feedback_response", "indicator_measurement")
            ),
            AssetDep(["validated", "indicator_target"], partition_mapping=deployment.of_region),
        ],
        "evaluation": [
            AssetDep(["validated", "performance_rating"], partition_mapping=year),
            AssetDep(["facts", "behaviour_score"], partition_mapping=year),
        ],
        "unit_evaluation": [AssetDep(["validated", "performance_rating"], partition_mapping=year)],
        "follow_up": [
            *(AssetDep(["facts", name]) for name in ("attendance_day", "attendance_month", "satisfaction_index")),
            *(AssetDep(["facts", name]) for name in ("training_year", "competency_profile", "feed_day")),
            AssetDep(["validated", "org_unit"], partition_mapping=deployment.of_region),
            *(AssetDep([room, feed.name]) for room in ("quarantine", "validated") for feed in deployment.event_feeds),
        ],
        "allowance": [AssetDep(["facts", "attendance_month"])],
        "training_effect": [
            AssetDep(["kpi", "measure"], partition_mapping=year),
            AssetDep(["validated", "training_plan"], partition_mapping=deployment.of_region),
            AssetDep(["validated", "training_record"], partition_mapping=year),
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
        "allowance": [AssetDep(["kpi", "evaluation"])],
        "training_effect": [],
        "training_programme": [AssetDep(["kpi", "follow_up"])],
    }
    specs = [
        AssetSpec(
            ["kpi", table],
            group_name="kpi",
            kinds={"polars", "parquet"},
            deps=[*deps[table], *inside[table], *([employees] if table in ("kpi", "evaluation") else [])],
            description=deployment.contracts.outgoing[table].description,
            owners=team(deployment.contracts.outgoing[table]),
            metadata={
                **definition_metadata(deployment.contracts.outgoing[table]),
                **column_lineage(deployment, table, lambda name: "kpi" if name in deps else "facts"),
            },
        )
        for table in deps
    ]

    @multi_asset(name="kpi", specs=specs, partitions_def=deployment.region_month, can_subset=False)
    @retrying
    def build(
        context: AssetExecutionContext, home: HomeResource, clock: Clock, lock: RegionLock
    ) -> Iterator[MaterializeResult[None]]:
        region, month = region_month_of(context)
        policy, lake, start = deployment.policy(region, month), home.lake, time.perf_counter()
        today = clock.local_today(policy.zone)
        staff = lake.read("validated", "employee", region, columns=STAFF)
        shares = stretches(staff["nip"])

        def told(rows: pl.DataFrame) -> tuple[int, pl.DataFrame, pl.DataFrame]:
            of_region = rows.filter((pl.col("subject_kind") == "region") & (pl.col("period") == month))
            return len(rows), of_region, aspect_scores(rows, month)

        parts = (
            rows
            for period in periods_of(month).values()
            for rows in _period(deployment, lake, region, period, today, staff, shares)
        )
        written, of_region, aspects = zip(*lake.write_parts(parts, told, "kpi", "kpi", region, month), strict=True)
        yield MaterializeResult(
            asset_key=["kpi", "kpi"],
            metadata={**counts(sum(written), time.perf_counter() - start), **achieved(pl.concat(of_region), month)},
        )
        evaluated = lake.write_parts(
            _evaluations(deployment, lake, region, month, staff, shares), len, "kpi", "evaluation", region, month
        )
        yield MaterializeResult(
            asset_key=["kpi", "evaluation"], metadata=counts(sum(evaluated), time.perf_counter() - start)
        )

        def others() -> Iterator[tuple[str, pl.DataFrame]]:
            yield "unit_evaluation", _spreads(deployment, lake, region, month)
            evidence = _evidence(deployment, lake, region, month, pl.concat(aspects), staff)
            advice = follow_up(evidence, policy, month)
            yield "follow_up", advice
            yield "training_programme", _programmes(lake, region, month, advice)
            yield "training_effect", _effects(deployment, lake, policy, month, today)
            scores = lake.scan("kpi", "evaluation", region, month).filter(pl.col("period") == month).select(JUDGED)
            days = evidence.attendance_month
            yield "allowance", allowance(days, scores.collect(), policy, month, policy_version(policy))

        for table, frame in others():
            lake.write(frame, "kpi", table, region, month)
            yield MaterializeResult(asset_key=["kpi", table], metadata=counts(len(frame), time.perf_counter() - start))

    return build


def _period(
    deployment: Deployment,
    lake: Lake,
    region: str,
    period: str,
    today: dt.date,
    staff: pl.DataFrame,
    shares: Sequence[Stretch],
) -> Iterator[pl.DataFrame]:
    """The kpi rows of a period, one share of the people after the other and then units and region, by the policy of its
    last day, from the months that have been measured."""
    policy = deployment.policy(region, period)
    indicators, version = deployment.indicators(policy), policy_version(policy)
    months = [m for m in months_of(period) if lake.has("kpi", "measure", region, m)]
    monthly = pl.concat([_by_rules_of(deployment, lake, policy, m, today) for m in months])
    latest = monthly.select(pl.col("month").max()).collect().item()
    values = None
    sorted_anew = [i for i in indicators if i.declared.statistic in RESCANNED]
    if sorted_anew and period_kind(period) != "month":
        needed = {i.declared.fact for i in sorted_anew}
        values = rescanned([declared_facts(lake, policy, m, today, needed) for m in months], sorted_anew, period)
    first, last = month_start(months_of(period)[0]), as_of(months[-1], today)
    targets = lake.read("validated", "indicator_target", region, columns=AGREED)
    is_employee = pl.col("subject_kind") == "employee"
    own = parted(staff, "nip", shares), parted(targets.filter(is_employee), "subject_id", shares)

    def scored(is_theirs: pl.Expr, assigned: pl.DataFrame, agreed: pl.DataFrame) -> pl.DataFrame:
        found = None if values is None else values.filter(is_theirs)
        measured = rolled_up(monthly.filter(is_theirs).collect(), indicators, period, found, latest)
        evaluated = people(assigned, first, last)
        agreed = agreed_targets(agreed, period, months)
        return kpi(measured, indicators, evaluated, region, period, len(months), version, agreed)

    for share, assigned, agreed in zip(shares, *own, strict=True):
        yield scored(is_employee & share.holds("subject_id"), assigned, agreed)
    yield scored(~is_employee, staff.clear(), targets.filter(~is_employee))


def _evaluations(
    deployment: Deployment, lake: Lake, region: str, month: str, staff: pl.DataFrame, shares: Sequence[Stretch]
) -> Iterator[pl.DataFrame]:
    """The evaluations of the month and the periods around it, one share of the people after the other."""
    year = months_of(month[:4])
    ratings = parted(lake.read("validated", "performance_rating", region, year, columns=RATED), "subject_id", shares)
    behaviour = parted(lake.read("facts", "behaviour_score", region, year), "nip", shares)
    assigned = parted(staff, "nip", shares)
    rows = lake.scan("kpi", "kpi", region, month).filter(pl.col("subject_kind") == "employee")
    for period in periods_of(month).values():
        rules = deployment.policy(region, period).evaluation
        for share, rated, observed, held in zip(shares, ratings, behaviour, assigned, strict=True):
            own = rows.filter(pl.col("period") == period, share.holds("subject_id")).select(WEIGHED).collect()
            yield credited(evaluation(own, rated, rules, observed), held, rules.credit)


def _spreads(deployment: Deployment, lake: Lake, region: str, month: str) -> pl.DataFrame:
    """How the predicates of every unit are spread, in the month and in the periods around it."""
    ratings = lake.read("validated", "performance_rating", region, months_of(month[:4]), columns=RATED)
    parts = []
    for period in periods_of(month).values():
        own = lake.scan("kpi", "evaluation", region, month).filter(pl.col("period") == period).select(SPREAD).collect()
        parts.append(unit_evaluation(own, ratings, deployment.policy(region, period).evaluation))
    return pl.concat(parts)


def _by_rules_of(deployment: Deployment, lake: Lake, policy: Policy, month: str, today: dt.date) -> pl.LazyFrame:
    """The measures of a month; what `policy` measures otherwise than the month's own policy is measured its way."""
    stored = lake.scan("kpi", "measure", policy.region, month)
    of_month = deployment.indicators(deployment.policy(policy.region, month))
    own = {i.indicator_id: i.declared.measured_by for i in of_month}
    changed = [i for i in deployment.indicators(policy) if own.get(i.indicator_id) != i.declared.measured_by]
    if not changed:
        return stored
    kept = stored.filter(~pl.col("indicator_id").is_in([i.indicator_id for i in changed]))
    return pl.concat([kept, _measured(lake, policy, month, changed, today).lazy()])


def _evidence(
    deployment: Deployment,
    lake: Lake,
    region: str,
    month: str,
    aspects: pl.DataFrame,
    staff: pl.DataFrame,
) -> Evidence:
    """What the follow-up rules of a month look at."""
    org_units = lake.read("validated", "org_unit", region)
    earlier = months_between(add_months(month, -12), add_months(month, -1))
    found = [m for m in (month, *earlier) if lake.has("kpi", "evaluation", region, m)]
    judged = [lake.scan("kpi", "evaluation", region, m) for m in found]
    # Of longer periods only objections are looked at.
    is_asked = (pl.col("period_kind") == "month") | pl.col("objection_code").is_not_null()
    year = [m for m in months_of(month[:4]) if m <= month]
    completed = lake.read("validated", "training_record", region, year, columns=["nip", "programme_id"])
    profile = lake.read("facts", "competency_profile", region, month)
    feeds = deployment.event_feeds
    rejected = {c.name: lake.read("quarantine", c.name, region, month, columns=[*_naming(c), *REJECTED]) for c in feeds}
    valid = {c.name: lake.scan("validated", c.name, region, month) for c in feeds}
    return Evidence(
        evaluations=pl.concat(judged, how="diagonal").filter(is_asked).select(EVALUATED).collect(),
        aspects=aspects,
        attendance_month=lake.read("facts", "attendance_month", region, month),
        attendance_day=lake.scan("facts", "attendance_day", region, month).select(DAY_COLUMNS),
        employees=staff,
        org_units=org_units,
        training=lake.read("facts", "training_year", region, month),
        completed=completed,
        satisfaction=lake.read("facts", "satisfaction_index", region, month),
        mistakes=mistakes(rejected, staff, org_units),
        accepted=accepted(valid, staff, org_units),
        feed_day=lake.read("facts", "feed_day", region, month),
        competencies=profile.drop_nulls("score").select("nip", "competency_code", "score"),
    )


def _naming(feed: Contract) -> list[str]:
    """The columns that say whose row it is."""
    return [name for name in NAMING if name in feed.names]


def _effects(deployment: Deployment, lake: Lake, policy: Policy, month: str, today: dt.date) -> pl.DataFrame:
    """What was measured before and after the trainings that the month can tell of; of months that have not run there is
    nothing to tell."""
    region, rules = policy.region, policy.training.effect
    done = add_months(month, -rules.months) if rules else month
    if rules is None or not lake.has("validated", "training_record", region, done):
        return pl.DataFrame(schema=TRAINING_EFFECT_SCHEMA)
    looked_at = [m for side in windows(policy, month) for m in side if lake.has("kpi", "measure", region, m)]
    records = lake.read("validated", "training_record", region, done)
    took = pl.col("subject_id").is_in(records["nip"].unique().implode())
    return training_effect(
        records,
        lake.read("validated", "training_plan", region),
        pl.concat(_by_rules_of(deployment, lake, policy, m, today) for m in looked_at).filter(took).collect(),
        policy,
        month,
        policy_version(policy),
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
