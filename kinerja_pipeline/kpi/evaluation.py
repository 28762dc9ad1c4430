"""Evaluation: indicator scores and the superior's rating -> recommended ratings and predicate, beside the official.

Here: weighting, coverage, rating thresholds, the predicate matrix of PermenPANRB 6/2022. Not here: indicators
(kpi/indicators), recommendations to act (kpi/follow_up). A person decides; nothing here overwrites an official rating.
"""

from __future__ import annotations

import polars as pl

from kinerja_pipeline.facts.periods import months_of
from kinerja_pipeline.policies.model import Evaluation

PREDICATES: dict[tuple[str, str], str] = {
    ("di_atas", "di_atas"): "sangat_baik",
    ("di_atas", "sesuai"): "baik",
    ("di_atas", "di_bawah"): "kurang",
    ("sesuai", "di_atas"): "baik",
    ("sesuai", "sesuai"): "baik",
    ("sesuai", "di_bawah"): "kurang",
    ("di_bawah", "di_atas"): "butuh_perbaikan",
    ("di_bawah", "sesuai"): "butuh_perbaikan",
    ("di_bawah", "di_bawah"): "sangat_kurang",
}
"""(result rating, behaviour rating) -> predicate: PermenPANRB 6/2022; not an average and not symmetric."""


def evaluation(kpi: pl.DataFrame, ratings: pl.DataFrame, rules: Evaluation) -> pl.DataFrame:
    """One row per employee and period of `kpi`: both ratings, the recommended and the official predicate.

    `ratings` are the validated performance_rating rows of the year so far. *Null when*: result_score below the minimum
    coverage of computable weights; recommended_predicate when either rating is missing, with the reason;
    official_predicate unless the agency rated exactly that period. behaviour_rating is the superior's rating of the
    period, else the latest month's inside it. numeric_score and credit_points need a behaviour score, which only a 360
    round gives.
    """
    rows = kpi.filter((pl.col("subject_kind") == "employee") & (pl.col("weight") > 0)).with_columns(
        _weight=pl.when(pl.col("status_code") == "computed").then(pl.col("weight"))
    )
    scores = rows.group_by("subject_id", "unit_id", "period_kind", "period", "policy_version").agg(
        ((pl.col("_weight") * pl.col("score")).sum() / pl.col("_weight").sum()).alias("_score"),
        (pl.col("_weight").sum() / pl.col("weight").sum()).alias("coverage_share"),
    )
    rated = _official(ratings, scores.select("period_kind", "period").unique())
    frame = (
        scores.rename({"subject_id": "nip"})
        .join(rated, on=["nip", "period_kind", "period"], how="left")
        .with_columns(
            result_score=pl.when(
                (pl.col("coverage_share") > 0) & (pl.col("coverage_share").round(9) >= rules.minimum_coverage_share)
            ).then(half_up("_score", 2))
        )
        .with_columns(result_rating=result_rating(pl.col("result_score"), rules))
        .join(_matrix(), on=["result_rating", "behaviour_rating"], how="left")
    )
    reason = (
        pl.when(pl.col("result_score").is_null())
        .then(pl.lit("result_coverage_too_low"))
        .when(pl.col("behaviour_rating").is_null())
        .then(pl.lit("behaviour_not_rated"))
    )
    return (
        frame.with_columns(
            reason=reason,
            status_code=pl.when(reason.is_null()).then(pl.lit("computed")).otherwise(pl.lit("not_computable")),
            is_different=pl.col("recommended_predicate") != pl.col("official_predicate"),
            behaviour_score=pl.lit(None, dtype=pl.Float64),
            numeric_score=pl.lit(None, dtype=pl.Float64),
            credit_points=pl.lit(None, dtype=pl.Float64),
        )
        .sort("nip", "period")
        .select(
            "nip",
            "period_kind",
            "period",
            "unit_id",
            "result_score",
            "behaviour_score",
            "coverage_share",
            "result_rating",
            "behaviour_rating",
            "recommended_predicate",
            "official_predicate",
            "is_different",
            "numeric_score",
            "credit_points",
            "objection_code",
            "status_code",
            "reason",
            "policy_version",
        )
    )


def half_up(column: str, decimals: int) -> pl.Expr:
    """Half-up rounding of a non-negative score, so that classification sees what the law's tables print."""
    factor = 10.0**decimals
    # Binary fractions sit a hair below their decimal (2.675 is 2.67499...): nine decimals are exact enough for a score.
    scaled: pl.Expr = (pl.col(column) * factor).round(9) + 0.5
    # Polars divides by a constant as times its reciprocal, which leaves 76.60000000000001.
    return (scaled.floor() / factor).round(decimals)


def result_rating(score: pl.Expr, rules: Evaluation) -> pl.Expr:
    """Di Atas above `result_above`, Sesuai from `result_meets` to it inclusive, Di Bawah under; null for null."""
    return (
        pl.when(score > rules.result_above)
        .then(pl.lit("di_atas"))
        .when(score >= rules.result_meets)
        .then(pl.lit("sesuai"))
        .when(score.is_not_null())
        .then(pl.lit("di_bawah"))
    )


def _matrix() -> pl.DataFrame:
    return pl.DataFrame(
        [(*ratings, predicate) for ratings, predicate in PREDICATES.items()],
        schema=["result_rating", "behaviour_rating", "recommended_predicate"],
        orient="row",
    )


def _official(ratings: pl.DataFrame, periods: pl.DataFrame) -> pl.DataFrame:
    """Per employee and period: the official predicate of exactly that period, and the behaviour rating that holds."""
    own = ratings.filter(pl.col("subject_kind") == "employee").rename({"subject_id": "nip"})
    objection = (
        pl.when(pl.col("decided_at").is_not_null())
        .then(pl.coalesce("decision_code", pl.lit("decided")))
        .when(pl.col("objected_at").is_not_null())
        .then(pl.lit("open"))
    )
    parts = []
    for kind, period in periods.iter_rows():
        exact = own.filter((pl.col("period_kind") == kind) & (pl.col("period") == period)).select(
            "nip",
            pl.col("behaviour_rating").alias("_exact"),
            pl.col("predicate").alias("official_predicate"),
            objection.alias("objection_code"),
        )
        latest = (
            own.filter((pl.col("period_kind") == "month") & pl.col("period").is_in(months_of(period)))
            .drop_nulls("behaviour_rating")
            .sort("period")
            .group_by("nip")
            .agg(pl.col("behaviour_rating").last().alias("_latest"))
        )
        parts.append(
            exact.join(latest, on="nip", how="full", coalesce=True).select(
                "nip",
                pl.lit(kind).alias("period_kind"),
                pl.lit(period).alias("period"),
                pl.coalesce("_exact", "_latest").alias("behaviour_rating"),
                "official_predicate",
                "objection_code",
            )
        )
    schema = dict.fromkeys(
        ("nip", "period_kind", "period", "behaviour_rating", "official_predicate", "objection_code"), pl.String
    )
    return pl.concat([pl.DataFrame(schema=schema), *parts])
