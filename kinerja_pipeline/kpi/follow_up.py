"""Follow-up: recommendations with rule and evidence, for a person to decide.

Here: which rule of the policy looks at what. Not here: the rules (kpi/follow_up_people, kpi/follow_up_units), scores
(kpi/evaluation); nothing here is a decision.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from kinerja_pipeline.facts.feed_day import FEED_DAY_SCHEMA
from kinerja_pipeline.kpi import follow_up_people as of_people
from kinerja_pipeline.kpi import follow_up_units as of_units
from kinerja_pipeline.kpi.exclusions import excluded
from kinerja_pipeline.policies.follow_up import (
    CompletenessRule,
    DeclineRule,
    DisagreementRule,
    DisciplineRule,
    FeedbackRule,
    FollowUpRule,
    InfrastructureRule,
    InsufficientEvidenceRule,
    MistakesRule,
    ObjectionRule,
    PromotionRule,
    RewardRule,
    StaffingRule,
    TrainingRule,
    UnitRule,
)
from kinerja_pipeline.policies.model import Policy

FOLLOW_UP_SCHEMA: dict[str, type[pl.DataType]] = dict.fromkeys(
    (
        "subject_kind",
        "subject_id",
        "period",
        "rule_id",
        "action_code",
        "reason",
        "evidence",
        "programme_id",
        "status_code",
    ),
    pl.String,
)


EVALUATED = (
    *("nip", "period_kind", "period", "unit_id", "result_score", "result_rating", "behaviour_rating"),
    *("official_predicate", "objection_code", "status_code", "reason"),
)
"""What rules look at of evaluations."""


def no_competencies() -> pl.DataFrame:
    return pl.DataFrame(schema={"nip": pl.String, "competency_code": pl.String, "score": pl.Float64})


def no_feed_days() -> pl.DataFrame:
    return pl.DataFrame(schema=FEED_DAY_SCHEMA)


@dataclass(frozen=True)
class Evidence:
    """The frames that rules look at, of the month unless named otherwise.

    `evaluations` has the rows of earlier months too (EVALUATED are enough), `aspects` are the aspect_scores of
    follow_up_people, `completed` says who completed which programme in the year so far,
    `mistakes` the rejected rows by unit and `accepted` how many valid ones it has (both of follow_up_units),
    `competencies` the scores of a 360 round (percent), `feed_day` what was expected and came.
    """

    evaluations: pl.DataFrame
    aspects: pl.DataFrame
    attendance_month: pl.DataFrame
    attendance_day: pl.LazyFrame
    employees: pl.DataFrame
    org_units: pl.DataFrame
    training: pl.DataFrame
    completed: pl.DataFrame
    satisfaction: pl.DataFrame
    mistakes: pl.DataFrame
    accepted: pl.DataFrame
    competencies: pl.DataFrame = field(default_factory=no_competencies)
    feed_day: pl.DataFrame = field(default_factory=no_feed_days)


def follow_up(given: Evidence, policy: Policy, month: str) -> pl.DataFrame:
    """One row per subject whom a rule names in `month`: recommended, excluded with a reason, or not computable."""
    monthly = given.evaluations.filter(pl.col("period_kind") == "month")
    people = excluded(given.attendance_day, given.employees, policy.exclusions, month)
    parts = [pl.DataFrame(schema=FOLLOW_UP_SCHEMA)]
    for rule_id, rule in policy.follow_up.items():
        rows = _named(given, monthly, people, rule, policy.region, month)
        if not isinstance(rule, UnitRule):
            rows = rows.with_columns(subject_kind=pl.lit("employee"))
        named = rows.with_columns(period=pl.lit(month), rule_id=pl.lit(rule_id))
        parts.append(named.select(list(FOLLOW_UP_SCHEMA)))
    return pl.concat(parts).sort("subject_kind", "subject_id", "rule_id")


def _named(
    given: Evidence, monthly: pl.DataFrame, people: pl.DataFrame, rule: FollowUpRule, region: str, month: str
) -> pl.DataFrame:
    match rule:
        case DeclineRule():
            return of_people.declined(monthly, people, rule, month)
        case RewardRule():
            return of_people.rewarded(monthly, given.attendance_month, people, rule, month)
        case TrainingRule():
            return of_people.trained(given.aspects, given.competencies, given.training, given.completed, people, rule)
        case PromotionRule():
            return of_people.promoted(monthly, given.attendance_month, people, rule, month)
        case DisciplineRule():
            return of_people.warned(given.attendance_month)
        case ObjectionRule():
            return of_people.objected(given.evaluations, month)
        case InsufficientEvidenceRule():
            return of_people.unproven(monthly, people, rule, month)
        case CompletenessRule():
            return of_units.incomplete(given.attendance_month, rule)
        case InfrastructureRule():
            return of_units.unsupported(given.feed_day, rule)
        case StaffingRule():
            return of_units.understaffed(given.employees, given.org_units, rule, month)
        case FeedbackRule():
            return of_units.unheard(given.satisfaction, given.org_units, rule, month)
        case DisagreementRule():
            return of_units.disagreeing(monthly, given.satisfaction, rule, month)
        case MistakesRule():
            return of_units.mistaken(given.mistakes, given.accepted, rule, region)


def training_needs(advice: pl.DataFrame) -> pl.DataFrame:
    """One row per programme, year and employee for whom the programme was recommended."""
    return (
        advice.filter((pl.col("status_code") == "recommended") & (pl.col("subject_kind") == "employee"))
        .drop_nulls("programme_id")
        .select(
            "programme_id",
            pl.col("period").str.slice(0, 4).cast(pl.Int64).alias("year"),
            pl.col("subject_id").alias("nip"),
        )
        .unique(maintain_order=True)
    )
