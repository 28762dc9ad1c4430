"""The allowance (TPP) of a month as shares: what discipline and productivity leave of it, and the line that says so.

Here: attendance deductions and results -> percentages, by the policy's weights. Not here: what a day costs
(facts/deductions), results and predicates (kpi/evaluation), rupiah: what a share is worth is the treasurer's.
"""

from __future__ import annotations

import polars as pl

from kinerja_pipeline.policies.allowance import Productivity
from kinerja_pipeline.policies.model import Policy

ALLOWANCE_SCHEMA: dict[str, type[pl.DataType]] = {
    **dict.fromkeys(("nip", "period", "unit_id"), pl.String),
    **dict.fromkeys(("discipline_weight", "productivity_weight", "deduction_share"), pl.Float64),
    "deduction_base_code": pl.String,
    **dict.fromkeys(
        ("deduction_of_allowance_share", "discipline_share", "productivity_share", "allowance_share"), pl.Float64
    ),
    **dict.fromkeys(("explanation", "status_code", "reason", "policy_version"), pl.String),
}
JUDGED = ("nip", "period", "unit_id", "result_score", "official_predicate", "objection_code")
"""What is looked at of evaluations."""
BASES = {"attendance_part": "of the attendance part", "allowance": "of the whole allowance"}


def allowance(
    attendance_month: pl.DataFrame, evaluations: pl.DataFrame, policy: Policy, month: str, policy_version: str
) -> pl.DataFrame:
    """One row per employee of `month`: the share of the allowance (TPP) that discipline and productivity leave.

    `allowance_share = discipline_weight + productivity_weight * productivity_share - deduction_of_allowance_share`, not
    below 0. A deduction of the attendance part costs `discipline_weight` times itself of the whole, a deduction of the
    whole allowance itself (DOMAIN section 5: mixing them up is a 3.33-fold error where the part is 30 %).
    discipline_share is what is left of the attendance part. No rows where the policy composes no allowance.

    *Null when*: what its evidence is missing for, and then allowance_share too, with the reason; never a zero and never
    a default. *Edge*: days that could not be recorded cost nothing, and the explanation counts them; a predicate that
    is objected to stands until the decision, and the explanation says so.
    """
    rules = policy.allowance
    if rules is None:
        return pl.DataFrame(schema=ALLOWANCE_SCHEMA)
    own = evaluations.filter(pl.col("period") == month)
    rows = attendance_month.select(
        "nip", "unit_id", "workday_count", "not_recorded_count", "deduction_share", "deduction_base_code"
    ).join(
        own.select("nip", "result_score", "official_predicate", "objection_code", _unit="unit_id"),
        on="nip",
        how="full",
        coalesce=True,
    )
    is_of_part = pl.col("deduction_base_code") == "attendance_part"
    has_days = pl.col("workday_count").is_not_null()
    is_silent = (pl.col("workday_count") == 0) & (pl.col("not_recorded_count") > 0)
    deducted = pl.when(has_days & ~is_silent).then(
        pl.when(is_of_part).then(pl.col("deduction_share") * rules.discipline_weight).otherwise("deduction_share")
    )
    left = rules.discipline_weight + rules.productivity_weight * pl.col("productivity_share")
    earned, basis, lacking = _productivity(rules.productivity)
    reason = pl.coalesce(
        pl.when(~has_days).then(pl.lit("attendance_missing")),
        pl.when(is_silent).then(pl.lit("attendance_not_recorded")),
        # Days of different bases do not add up, and without a rule table nobody knows what a day costs.
        pl.when(pl.col("deduction_share").is_null() | pl.col("deduction_base_code").is_null()).then(
            pl.lit("deduction_not_computable")
        ),
        pl.when(pl.col("productivity_share").is_null()).then(pl.lit(lacking)),
    )
    return (
        rows.with_columns(
            period=pl.lit(month),
            unit_id=pl.coalesce("unit_id", "_unit"),
            discipline_weight=pl.lit(rules.discipline_weight),
            productivity_weight=pl.lit(rules.productivity_weight),
            productivity_share=earned,
            deduction_of_allowance_share=deducted,
            policy_version=pl.lit(policy_version),
        )
        .with_columns(
            reason=reason,
            discipline_share=(1 - pl.col("deduction_of_allowance_share") / rules.discipline_weight).clip(0, 1),
        )
        .with_columns(
            status_code=pl.when(pl.col("reason").is_null())
            .then(pl.lit("computed"))
            .otherwise(pl.lit("not_computable")),
            allowance_share=pl.when(pl.col("reason").is_null()).then(
                (left - pl.col("deduction_of_allowance_share")).clip(0, 1)
            ),
            explanation=pl.when(pl.col("reason").is_null()).then(_explanation(basis)),
        )
        .select(list(ALLOWANCE_SCHEMA))
        .sort("nip")
    )


def _productivity(rules: Productivity) -> tuple[pl.Expr, pl.Expr, str]:
    """The share earned (null without evidence), what it follows from in words, and the reason when it is missing."""
    predicate, score = pl.col("official_predicate"), pl.col("result_score")
    if rules.by_predicate:
        shares = rules.by_predicate
        earned = predicate.replace_strict(list(shares), list(shares.values()), default=None, return_dtype=pl.Float64)
        return earned, pl.format("predicate {}", predicate), "official_predicate_missing"
    if rules.full_score is not None:
        of = pl.format("result {} of {}", score, pl.lit(f"{rules.full_score:g}"))
        return (score / rules.full_score).clip(0, 1), of, "result_score_missing"
    earned = reached = pl.lit(None)
    for band in rules.by_score:
        earned = pl.when(score >= band.from_score).then(pl.lit(band.share)).otherwise(earned)
        reached = pl.when(score >= band.from_score).then(pl.lit(f"{band.from_score:g}")).otherwise(reached)
    return earned.cast(pl.Float64), pl.format("result {}, from {}", score, reached), "result_score_missing"


def _explanation(basis: pl.Expr) -> pl.Expr:
    """`40.00 % discipline - 2.20 % (5.50 % of the attendance part) + 60.00 % productivity x 85.00 % (...)`."""
    of = pl.col("deduction_base_code").replace_strict(BASES, default=None, return_dtype=pl.String)
    unrecorded = pl.when(pl.col("not_recorded_count") > 0).then(
        pl.format("; {} days could not be recorded", "not_recorded_count")
    )
    objected = pl.when(pl.col("objection_code") == "open").then(pl.lit("; objection open"))
    return pl.concat_str(
        pl.format(
            "{} discipline - {} ({} {}) + {} productivity x {} ({})",
            _percent("discipline_weight"),
            _percent("deduction_of_allowance_share"),
            _percent("deduction_share"),
            of,
            _percent("productivity_weight"),
            _percent("productivity_share"),
            basis,
        ),
        unrecorded.fill_null(""),
        objected.fill_null(""),
    )


def _percent(column: str) -> pl.Expr:
    hundredths = (pl.col(column) * 10_000).round().cast(pl.Int64)
    return pl.format("{}.{} %", hundredths // 100, (hundredths % 100).cast(pl.String).str.zfill(2))
