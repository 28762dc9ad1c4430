"""Follow-up rules as a policy declares them, and whom they leave out.

Here: the keys under `follow_up` and `exclusions`. Not here: applying them (kpi/follow_up_people, kpi/follow_up_units).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kinerja_pipeline.policies.terms import Aspect, Identifier, Labels, Model


class DeclineRule(Model):
    """Coaching: below `below_score` in `months` months running, each `drop` points under the mean of the
    `baseline_months` before them."""

    rule: Literal["decline"]
    labels: Labels
    below_score: float = 90
    months: Annotated[int, Field(ge=1, le=12)] = 2
    drop: float = 10
    baseline_months: Annotated[int, Field(ge=1, le=12)] = 3
    programme_id: str | None = None


class RewardRule(Model):
    """Nomination: results above expectation, behaviour at least as expected, no unexcused day this year (which must be
    known); the best of each unit, ties listed."""

    rule: Literal["reward"]
    labels: Labels
    places: Annotated[int, Field(ge=1)] = 1


class TrainingRule(Model):
    """Training: the weakest of these `aspects` of the results below `below_score`, or the weakest competency below
    `below_competency` (percent); `programmes` names the one that covers an aspect or competency."""

    rule: Literal["training"]
    labels: Labels
    aspects: list[Aspect] = ["quantity", "quality", "time", "cost"]
    below_score: float = 80.0
    below_competency: float = 70.0
    programmes: dict[str, str] = {}


class PromotionRule(Model):
    """Advanced training or promotion pool: results above expectation and behaviour at least as expected in `months`
    months running, no unexcused day this year (which must be known)."""

    rule: Literal["promotion"]
    labels: Labels
    months: Annotated[int, Field(ge=1, le=12)] = 6
    programme_id: str | None = None


class DisciplineRule(Model):
    """Early warning: an unexcused-day threshold of `discipline` is reached. Never a sanction."""

    rule: Literal["discipline"]
    labels: Labels


class ObjectionRule(Model):
    """An objection to a rating waits for its decision."""

    rule: Literal["objection"]
    labels: Labels


class InsufficientEvidenceRule(Model):
    """The evaluation could not be computed in `months` months running."""

    rule: Literal["insufficient_evidence"]
    labels: Labels
    months: Annotated[int, Field(ge=1, le=12)] = 2


class CompletenessRule(Model):
    """A unit whose attendance could not be recorded on at least `not_recorded_share` of its person-days."""

    rule: Literal["completeness"]
    labels: Labels
    not_recorded_share: Annotated[float, Field(gt=0, le=1)] = 0.2


class InfrastructureRule(Model):
    """A unit whose attendance came late for at least `late_days` days of the month, or whose devices were down for at
    least `downtime_minutes` on days on which somebody was expected."""

    rule: Literal["infrastructure"]
    labels: Labels
    late_days: Annotated[int, Field(ge=1)] = 3
    downtime_minutes: Annotated[int, Field(ge=1)] = 120


class StaffingRule(Model):
    """A unit that lacks at least `minimum_gap` people and `minimum_gap_share` of those its workload analysis needs."""

    rule: Literal["staffing"]
    labels: Labels
    minimum_gap: Annotated[int, Field(ge=1)] = 1
    minimum_gap_share: Annotated[float, Field(ge=0, le=1)] = 0.1


class FeedbackRule(Model):
    """A unit with fewer answers of the public than the required sample; longer periods are judged in their last
    month."""

    rule: Literal["feedback"]
    labels: Labels
    period_kind: Literal["month", "quarter", "semester", "year"] = "month"


class DisagreementRule(Model):
    """A unit whose superiors and whose public disagree: of at least `minimum_rated` people with an official predicate,
    `content_share` or more are Baik or better while the index of `survey_code` is in one of `low_classes`, or fewer are
    while it is in none of them."""

    rule: Literal["disagreement"]
    labels: Labels
    survey_code: Identifier = "skm"
    low_classes: Annotated[list[str], Field(min_length=1)] = ["C", "D"]
    content_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    minimum_rated: Annotated[int, Field(ge=1)] = 3


class MistakesRule(Model):
    """A unit of which at least `minimum_count` delivered rows of the month were rejected, with its `most_frequent`
    reasons."""

    rule: Literal["mistakes"]
    labels: Labels
    minimum_count: Annotated[int, Field(ge=1)] = 3
    most_frequent: Annotated[int, Field(ge=1, le=10)] = 3


PersonRule = (
    DeclineRule | RewardRule | TrainingRule | PromotionRule | DisciplineRule | ObjectionRule | InsufficientEvidenceRule
)
UnitRule = CompletenessRule | InfrastructureRule | StaffingRule | FeedbackRule | DisagreementRule | MistakesRule
FollowUpRule = Annotated[PersonRule | UnitRule, Field(discriminator="rule")]


class Exclusions(Model):
    """Whom rules about results leave out, with the reason: leave (with sickness) or study on this share of the month's
    scheduled days, and people in a new unit for less than `moved_months` months."""

    leave_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    study_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    moved_months: Annotated[int, Field(ge=0, le=12)] = 1
