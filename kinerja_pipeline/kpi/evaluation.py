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

NUMERIC_BANDS = ((50, "kurang"), (70, "cukup"), (90, "baik"))
"""From this numeric score on, below it Sangat Kurang (PP 30/2019 art. 41)."""
NEW_IDEA_FROM = 110
"""From here on Sangat Baik, but only for who has a new idea recorded; of the others it stays Baik."""

WEIGHED = (
    *("subject_kind", "subject_id", "unit_id", "period_kind", "period"),
    *("weight", "score", "status_code", "policy_version"),
)
"""What an evaluation looks at of kpi rows."""
RATED = (
    *("subject_kind", "subject_id", "period_kind", "period", "behaviour_rating", "predicate", "has_new_idea"),
    *("received_at", "objected_at", "decided_at", "decision_code"),
)
"""What evaluations look at of ratings."""


def evaluation(
    kpi: pl.DataFrame, ratings: pl.DataFrame, rules: Evaluation, behaviour: pl.DataFrame | None = None
) -> pl.DataFrame:
    """One row per employee and period of `kpi` (its columns WEIGHED): both ratings, the recommended and the official
    predicate.

    `ratings` are the validated performance_rating rows of the year so far, `behaviour` the year's behaviour scores of
    computed 360 rounds. *Null when*: result_score below the minimum coverage of computable weights;
    recommended_predicate when either rating is missing, with the reason; official_predicate unless the agency rated
    exactly that period. behaviour_rating follows from the behaviour score of the latest round inside the period that
    judged the person (null while that is pending); without one it is the superior's rating of the period, else the
    latest month's inside it. numeric_score needs a behaviour score: 0.7 of the result, 0.6 where peers or subordinates
    counted (PP 30/2019 art. 41), and the rest of behaviour. numeric_band_code is its band by the same article; the
    highest asks for a new idea that the rating of exactly that period records. objection_code is that of an objection
    to exactly that period: `open` until it is decided, `late` if it came more than the policy's days after the rating
    was received (then a person decides whether it is heard), `upheld`, `changed` or `decided` afterwards. The official
    predicate stays as it was delivered until a decision delivers another. credit_points are left to kpi/credit.
    """
    rows = kpi.filter((pl.col("subject_kind") == "employee") & (pl.col("weight") > 0)).with_columns(
        _weight=pl.when(pl.col("status_code") == "computed").then(pl.col("weight"))
    )
    scores = rows.group_by("subject_id", "unit_id", "period_kind", "period", "policy_version").agg(
        ((pl.col("_weight") * pl.col("score")).sum() / pl.col("_weight").sum()).alias("_score"),
        (pl.col("_weight").sum() / pl.col("weight").sum()).alias("coverage_share"),
    )
    periods = scores.select("period_kind", "period").unique()
    rated = _official(ratings, periods, rules)
    result_weight = pl.when(pl.col("has_opinion")).then(rules.result_weight_with_opinion).otherwise(rules.result_weight)
    frame = (
        scores.rename({"subject_id": "nip"})
        .join(rated, on=["nip", "period_kind", "period"], how="left")
        .join(_of_rounds(behaviour, periods), on=["nip", "period_kind", "period"], how="left")
        .with_columns(
            result_score=pl.when(
                (pl.col("coverage_share") > 0) & (pl.col("coverage_share").round(9) >= rules.minimum_coverage_share)
            ).then(half_up("_score", 2))
        )
        .with_columns(
            result_rating=result_rating(pl.col("result_score"), rules),
            behaviour_score=half_up("_behaviour", 2),
            _numeric=result_weight * pl.col("_score") + (1 - result_weight) * pl.col("_behaviour"),
        )
        .with_columns(
            behaviour_rating=pl.when(pl.col("is_pending").is_null())
            .then("behaviour_rating")
            .otherwise(behaviour_rating(pl.col("behaviour_score"), rules)),
            numeric_score=pl.when(pl.col("result_score").is_not_null()).then(half_up("_numeric", 2)),
        )
        .with_columns(numeric_band_code=numeric_band(pl.col("numeric_score"), pl.col("has_new_idea")))
        .join(_matrix(), on=["result_rating", "behaviour_rating"], how="left")
    )
    reason = (
        pl.when(pl.col("result_score").is_null())
        .then(pl.lit("result_coverage_too_low"))
        .when(pl.col("is_pending"))
        .then(pl.lit("appraisal_pending"))
        .when(pl.col("behaviour_rating").is_null())
        .then(pl.lit("behaviour_not_rated"))
    )
    return (
        frame.with_columns(
            reason=reason,
            status_code=pl.when(reason.is_null()).then(pl.lit("computed")).otherwise(pl.lit("not_computable")),
            is_different=pl.col("recommended_predicate") != pl.col("official_predicate"),
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
            "has_new_idea",
            "numeric_band_code",
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


def behaviour_rating(score: pl.Expr, rules: Evaluation) -> pl.Expr:
    """Di Atas from `behaviour_above`, Sesuai from `behaviour_meets`, Di Bawah under; null for null."""
    return (
        pl.when(score >= rules.behaviour_above)
        .then(pl.lit("di_atas"))
        .when(score >= rules.behaviour_meets)
        .then(pl.lit("sesuai"))
        .when(score.is_not_null())
        .then(pl.lit("di_bawah"))
    )


def numeric_band(score: pl.Expr, has_new_idea: pl.Expr) -> pl.Expr:
    """Band of the numeric score (PP 30/2019 art. 41): Sangat Baik from 110 with a new idea, else Baik; Baik from 90,
    Cukup from 70, Kurang from 50, Sangat Kurang under 50; null for null."""
    band: pl.Expr = pl.when(score.is_not_null()).then(pl.lit("sangat_kurang"))
    for minimum, code in NUMERIC_BANDS:
        band = pl.when(score >= minimum).then(pl.lit(code)).otherwise(band)
    return pl.when((score >= NEW_IDEA_FROM) & has_new_idea.fill_null(False)).then(pl.lit("sangat_baik")).otherwise(band)


def _of_rounds(behaviour: pl.DataFrame | None, periods: pl.DataFrame) -> pl.DataFrame:
    """Per employee and period: the score of the latest round inside it. Rounds are never averaged into one another."""
    schema: dict[str, type[pl.DataType]] = dict.fromkeys(("nip", "period_kind", "period"), pl.String)
    schema |= {"_behaviour": pl.Float64, "has_opinion": pl.Boolean, "is_pending": pl.Boolean}
    parts = [pl.DataFrame(schema=schema)]
    for kind, period in periods.iter_rows() if behaviour is not None else ():
        assert behaviour is not None
        latest = (
            behaviour.filter(pl.col("period").is_in(months_of(period)))
            .sort("period")
            .group_by("nip")
            .agg(pl.col("behaviour_score", "has_opinion", "is_pending").last())
        )
        named = latest.with_columns(period_kind=pl.lit(kind), period=pl.lit(period), _behaviour="behaviour_score")
        parts.append(named.select(list(schema)))
    return pl.concat(parts)


def _matrix() -> pl.DataFrame:
    return pl.DataFrame(
        [(*ratings, predicate) for ratings, predicate in PREDICATES.items()],
        schema=["result_rating", "behaviour_rating", "recommended_predicate"],
        orient="row",
    )


def _official(ratings: pl.DataFrame, periods: pl.DataFrame, rules: Evaluation) -> pl.DataFrame:
    """Per employee and period: the official predicate of exactly that period, and the behaviour rating that holds."""
    own = ratings.filter(pl.col("subject_kind") == "employee").rename({"subject_id": "nip"})
    days = (pl.col("objected_at").dt.date() - pl.col("received_at").dt.date()).dt.total_days()
    objection = (
        pl.when(pl.col("decided_at").is_not_null())
        .then(pl.coalesce("decision_code", pl.lit("decided")))
        .when(days > rules.objection_days)
        .then(pl.lit("late"))
        .when(pl.col("objected_at").is_not_null())
        .then(pl.lit("open"))
    )
    parts = []
    for kind, period in periods.iter_rows():
        exact = own.filter((pl.col("period_kind") == kind) & (pl.col("period") == period)).select(
            "nip",
            pl.col("behaviour_rating").alias("_exact"),
            pl.col("predicate").alias("official_predicate"),
            "has_new_idea",
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
                "has_new_idea",
                "objection_code",
            )
        )
    schema: dict[str, type[pl.DataType]] = dict.fromkeys(
        ("nip", "period_kind", "period", "behaviour_rating", "official_predicate"), pl.String
    )
    schema |= {"has_new_idea": pl.Boolean, "objection_code": pl.String}
    return pl.concat([pl.DataFrame(schema=schema), *parts])
