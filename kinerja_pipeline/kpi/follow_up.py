"""Follow-up: recommendations with rule and evidence, for a person to decide.

Here: the decline rule (coaching) and the reward rule. Not here: scores (kpi/evaluation); nothing here is a decision.
"""

from __future__ import annotations

import polars as pl

from kinerja_pipeline.facts.periods import add_months
from kinerja_pipeline.policies.model import DeclineRule, Policy, RewardRule

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


def follow_up(evaluations: pl.DataFrame, attendance: pl.DataFrame, policy: Policy, month: str) -> pl.DataFrame:
    """One row per employee whom a rule names in `month`: recommended, excluded with a reason, or not computable.

    `evaluations` are the month rows of this and earlier months; `attendance` is the attendance_month of `month`.
    """
    parts = [pl.DataFrame(schema=FOLLOW_UP_SCHEMA)]
    monthly = evaluations.filter(pl.col("period_kind") == "month")
    for rule_id, rule in policy.follow_up.items():
        rows = (
            _declined(monthly, rule, month)
            if isinstance(rule, DeclineRule)
            else _rewarded(monthly, attendance, rule, month)
        )
        parts.append(
            rows.with_columns(subject_kind=pl.lit("employee"), period=pl.lit(month), rule_id=pl.lit(rule_id)).select(
                list(FOLLOW_UP_SCHEMA)
            )
        )
    return pl.concat(parts).sort("subject_kind", "subject_id", "rule_id")


def _declined(monthly: pl.DataFrame, rule: DeclineRule, month: str) -> pl.DataFrame:
    """Coaching (M6): result score below `below_score` in `months` consecutive months, each at least `drop` points under
    the mean of the `baseline_months` months before them. Low now but with earlier months missing: not computable."""
    low_months = [add_months(month, -k) for k in range(rule.months)]
    base_months = [add_months(low_months[-1], -k) for k in range(1, rule.baseline_months + 1)]
    scores = monthly.select("nip", "period", "result_score").drop_nulls()
    low = (
        scores.filter(pl.col("period").is_in(low_months))
        .group_by("nip")
        .agg(
            pl.len().alias("_low_count"),
            pl.col("result_score").max().alias("_highest"),
            pl.format("{} in {}", pl.col("result_score").round(2), "period").sort_by("period").alias("_low"),
        )
    )
    base = (
        scores.filter(pl.col("period").is_in(base_months))
        .group_by("nip")
        .agg(pl.len().alias("_base_count"), pl.col("result_score").mean().alias("_base"))
    )
    now = scores.filter((pl.col("period") == month) & (pl.col("result_score") < rule.below_score)).select("nip")
    joined = now.join(low, on="nip", how="left").join(base, on="nip", how="left")
    is_known = (pl.col("_low_count") == rule.months) & (pl.col("_base_count").fill_null(0) == rule.baseline_months)
    has_declined = (pl.col("_highest") < rule.below_score) & (
        (pl.col("_base") - pl.col("_highest")).round(6) >= rule.drop
    )
    # A month that was not low says no, whatever is missing elsewhere.
    listed = joined.filter(pl.when(is_known).then(has_declined).otherwise(pl.col("_highest") < rule.below_score))
    evidence = pl.format(
        "result {}; mean of the {} months before: {}",
        pl.col("_low").list.join(", "),
        pl.lit(rule.baseline_months),
        pl.when(pl.col("_base_count") == rule.baseline_months)
        .then(pl.col("_base").round(2).cast(pl.String))
        .otherwise(pl.lit("not all known")),
    )
    return listed.select(
        pl.col("nip").alias("subject_id"),
        pl.lit("coaching").alias("action_code"),
        pl.when(is_known).then(pl.lit("declined")).otherwise(pl.lit("earlier_months_missing")).alias("reason"),
        evidence.alias("evidence"),
        pl.lit(rule.programme_id, dtype=pl.String).alias("programme_id"),
        pl.when(is_known).then(pl.lit("recommended")).otherwise(pl.lit("not_computable")).alias("status_code"),
    )


def _rewarded(monthly: pl.DataFrame, attendance: pl.DataFrame, rule: RewardRule, month: str) -> pl.DataFrame:
    """Reward nomination (M9, P6): the best result scores of a unit among those above expectation with behaviour at
    least as expected; ties are all listed. Excluded, with the reason: an unexcused day this year, an open objection."""
    now = monthly.filter(
        (pl.col("period") == month)
        & (pl.col("result_rating") == "di_atas")
        & pl.col("behaviour_rating").is_in(["di_atas", "sesuai"])
    ).join(attendance.select("nip", "unexcused_year_count"), on="nip", how="left")
    reason = (
        pl.when(pl.col("unexcused_year_count") > 0)
        .then(pl.lit("unexcused_days"))
        .when(pl.col("objection_code") == "open")
        .then(pl.lit("objection_open"))
    )
    judged = now.with_columns(reason=reason)
    fit = pl.col("reason").is_null()
    # dense rank over the fit only: the excluded take nobody's place
    rank = pl.when(fit).then(pl.col("result_score")).rank("dense", descending=True).over("unit_id")
    tied = pl.when(fit).then(pl.len().over("unit_id", "reason", "result_score")).otherwise(1)
    ranked = judged.with_columns(_rank=rank, _tied=tied)
    best = ranked.filter(~fit | (pl.col("_rank") <= rule.places))
    evidence = pl.format(
        "result {}, behaviour {}{}",
        pl.col("result_score").round(2).cast(pl.String),
        "behaviour_rating",
        pl.when(pl.col("_tied") > 1)
        .then(pl.format(", tied with {} others", pl.col("_tied") - 1))
        .otherwise(pl.lit("")),
    )
    return best.select(
        pl.col("nip").alias("subject_id"),
        pl.lit("reward").alias("action_code"),
        pl.coalesce("reason", pl.lit("best_of_unit")).alias("reason"),
        evidence.alias("evidence"),
        pl.lit(None, dtype=pl.String).alias("programme_id"),
        pl.when(fit).then(pl.lit("recommended")).otherwise(pl.lit("excluded")).alias("status_code"),
    )
