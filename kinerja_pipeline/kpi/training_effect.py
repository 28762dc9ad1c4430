"""Before and after a training: the indicator that its competency is about, of the people who completed it.

Here: windows of months around a completion, pooled sums, and when there is too little to tell. Not here: hours and
places (facts/training), who should be trained (kpi/follow_up_people). A difference is no proof of a cause, and of one
person it is no judgement.
"""

from __future__ import annotations

import polars as pl

from kinerja_pipeline.facts.periods import add_months, months_between
from kinerja_pipeline.policies.model import Policy

TRAINING_EFFECT_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("programme_id", "subject_kind", "subject_id", "period", "completed_period"), pl.String),
    **dict.fromkeys(("competency_code", "indicator_id"), pl.String),
    **dict.fromkeys(("participant_count", "person_count", "before_count", "after_count"), pl.Int64),
    **dict.fromkeys(("before_value", "after_value", "change_value"), pl.Float64),
    **dict.fromkeys(("status_code", "reason", "policy_version"), pl.String),
}
SIDES = ("before", "after")


def windows(policy: Policy, month: str) -> tuple[list[str], list[str]]:
    """The months before and after the completions that `month` can tell of; empty where the policy asks for none."""
    if policy.training.effect is None:
        return [], []
    length = policy.training.effect.months
    done = add_months(month, -length)
    return (
        months_between(add_months(done, -length), add_months(done, -1)),
        months_between(add_months(done, 1), month),
    )


def training_effect(
    records: pl.DataFrame,
    plans: pl.DataFrame,
    measured: pl.DataFrame,
    policy: Policy,
    month: str,
    policy_version: str,
) -> pl.DataFrame:
    """One row per programme that people completed so many months before `month` as the policy compares, and one per
    person: the indicator of the programme's competency before and after, the month of completion left out.

    `records` are validated training_record rows of the month of completion, `plans` all of training_plan, `measured`
    the measures (kpi/indicators) of the months of both windows. Values are sums divided by sums over a window's months,
    and of a programme over the people who have both sides: never means of means.

    *Null when*: the values of a person with evidence in fewer than `minimum_months` months of a side, of a programme
    with fewer than `minimum_people` such people, and of a competency for which the policy names no indicator; the
    reason says so. *Edge*: what does not count as training is left out; a programme's competency is that of the plan of
    its year, else the first one recorded.
    """
    rules = policy.training.effect
    assert rules is not None, f"{policy.region} compares nothing before and after a training"
    done = add_months(month, -rules.months)
    took = _participants(records, plans, done[:4])
    took = took.with_columns(
        indicator_id=pl.col("competency_code").replace_strict(rules.indicators, default=None, return_dtype=pl.String)
    )
    for side, months in zip(SIDES, windows(policy, month), strict=True):
        took = took.join(_sums(measured, months, side), on=["nip", "indicator_id"], how="left")
    enough = {side: pl.col(f"_{side}_months").fill_null(0) >= rules.minimum_months for side in SIDES}
    divisible = [pl.col(f"_{side}_denominator") > 0 for side in SIDES]
    people = took.with_columns(
        reason=pl.coalesce(
            pl.when(pl.col("indicator_id").is_null()).then(pl.lit("competency_not_mapped")),
            *(pl.when(~enough[side]).then(pl.lit(f"too_little_evidence_{side}")) for side in SIDES),
            pl.when(~pl.all_horizontal(divisible)).then(pl.lit("denominator_zero")),
        )
    ).with_columns(is_told=pl.col("reason").is_null())
    columns = [f"_{side}_{part}" for side in SIDES for part in ("numerator", "denominator")]
    counts = [f"{side}_count" for side in SIDES]
    programmes = (
        people.group_by("programme_id", "competency_code", "indicator_id")
        .agg(
            pl.len().cast(pl.Int64).alias("participant_count"),
            pl.col("is_told").sum().cast(pl.Int64).alias("person_count"),
            *(pl.when("is_told").then(name).sum().alias(name) for name in (*columns, *counts)),
        )
        .with_columns(
            subject_kind=pl.lit("programme"),
            subject_id="programme_id",
            reason=pl.coalesce(
                pl.when(pl.col("indicator_id").is_null()).then(pl.lit("competency_not_mapped")),
                pl.when(pl.col("person_count") < rules.minimum_people).then(pl.lit("too_few_people")),
            ),
        )
    )
    persons = people.with_columns(
        subject_kind=pl.lit("employee"),
        subject_id="nip",
        participant_count=pl.lit(1, dtype=pl.Int64),
        person_count=pl.col("is_told").cast(pl.Int64),
    )
    kept = ["programme_id", "subject_kind", "subject_id", "competency_code", "indicator_id", "participant_count"]
    kept += ["person_count", "reason", *columns, *counts]
    scales = {name: policy.indicators[name].scale for name in rules.indicators.values()}
    scale = pl.col("indicator_id").replace_strict(scales, default=None, return_dtype=pl.Float64)
    is_told = pl.col("reason").is_null()
    return (
        pl.concat([programmes.select(kept), persons.select(kept)])
        .with_columns(
            pl.when(is_told)
            .then(scale * pl.col(f"_{side}_numerator") / pl.col(f"_{side}_denominator"))
            .alias(f"{side}_value")
            for side in SIDES
        )
        .with_columns(
            pl.col(*counts).fill_null(0),
            change_value=pl.col("after_value") - pl.col("before_value"),
            period=pl.lit(month),
            completed_period=pl.lit(done),
            status_code=pl.when(is_told).then(pl.lit("computed")).otherwise(pl.lit("not_computable")),
            policy_version=pl.lit(policy_version),
        )
        .select(list(TRAINING_EFFECT_SCHEMA))
        .sort("programme_id", "subject_kind", "subject_id")
    )


def _participants(records: pl.DataFrame, plans: pl.DataFrame, year: str) -> pl.DataFrame:
    """One row per programme and person who completed it, with the programme's competency."""
    planned = plans.filter(pl.col("year") == int(year)).select("programme_id", _planned="competency_code")
    recorded = pl.col("competency_code").drop_nulls().first().over("programme_id")
    return (
        records.filter(pl.col("is_training").fill_null(True))
        .sort("completed_date", "nip")
        .with_columns(_recorded=recorded)
        .unique(["programme_id", "nip"], keep="first", maintain_order=True)
        .join(planned, on="programme_id", how="left")
        .select("programme_id", "nip", competency_code=pl.coalesce("_planned", "_recorded"))
    )


def _sums(measured: pl.DataFrame, months: list[str], side: str) -> pl.DataFrame:
    """Per person and indicator the sums of a window's months, and how many of them have evidence."""
    return (
        measured.filter((pl.col("subject_kind") == "employee") & pl.col("month").is_in(months))
        .group_by(pl.col("subject_id").alias("nip"), "indicator_id")
        .agg(
            pl.col("numerator").sum().alias(f"_{side}_numerator"),
            pl.col("denominator").sum().alias(f"_{side}_denominator"),
            pl.col("evidence_count").sum().alias(f"{side}_count"),
            pl.col("month").n_unique().cast(pl.Int64).alias(f"_{side}_months"),
        )
    )
