"""Indicators: measures (numerators and denominators that add up) and the kpi rows made from them.

Here: one aggregation per fact and subject, roll-up by adding, achievement and score. Not here: what an indicator is
(policies/), weighting into an evaluation (kpi/evaluation).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from kinerja_pipeline.facts.periods import months_of, periods_of
from kinerja_pipeline.policies.indicators import CompiledIndicator
from kinerja_pipeline.policies.model import Policy

UNITS = 10_000
"""Numerators and denominators are summed as integers of 1/10000, so that no order of rows changes a total."""

MEASURE_SCHEMA: dict[str, type[pl.DataType]] = {
    "subject_kind": pl.String,
    "subject_id": pl.String,
    "indicator_id": pl.String,
    "month": pl.String,
    "numerator": pl.Int64,
    "denominator": pl.Int64,
    "evidence_count": pl.Int64,
}
SUBJECT_COLUMN = {"employee": "nip", "unit": "unit_id", "region": None}


def measures(facts: Mapping[str, pl.DataFrame], indicators: Iterable[CompiledIndicator], month: str) -> pl.DataFrame:
    """One row per subject and indicator with evidence in `month`: numerator and denominator in 1/10000, evidence_count rows.

    All indicators on a fact are computed in one aggregation per kind of subject.
    """
    indicators = list(indicators)
    parts = [pl.DataFrame(schema=MEASURE_SCHEMA)]
    for fact, frame in facts.items():
        for kind, column in SUBJECT_COLUMN.items():
            chosen = [i for i in indicators if i.declared.fact == fact and kind in i.declared.subjects]
            if chosen and not frame.is_empty():
                parts.append(_measured(frame, chosen, kind, column, month))
    return pl.concat(parts).sort("subject_kind", "subject_id", "indicator_id")


def _measured(
    frame: pl.DataFrame, chosen: Sequence[CompiledIndicator], kind: str, column: str | None, month: str
) -> pl.DataFrame:
    keyed = frame.with_columns((pl.col(column) if column else pl.lit("")).alias("_subject")).drop_nulls("_subject")
    sums = keyed.group_by("_subject").agg(
        pl.struct(
            numerator=_units(i.numerator).filter(i.keep).sum(),
            denominator=_units(i.denominator if i.denominator is not None else pl.lit(1)).filter(i.keep).sum(),
            evidence_count=i.keep.cast(pl.Int64).sum() if i.declared.filter else pl.len().cast(pl.Int64),
        ).alias(i.indicator_id)
        for i in chosen
    )
    long = sums.unpivot(index="_subject", variable_name="indicator_id", value_name="_sums").unnest("_sums")
    return long.filter(pl.col("evidence_count") > 0).select(
        pl.lit(kind).alias("subject_kind"),
        pl.col("_subject").alias("subject_id"),
        "indicator_id",
        pl.lit(month).alias("month"),
        *(pl.col(c).cast(pl.Int64) for c in ("numerator", "denominator", "evidence_count")),
    )


def _units(expression: pl.Expr) -> pl.Expr:
    return (expression.cast(pl.Float64) * UNITS).round().cast(pl.Int64)


def rolled_up(monthly: pl.DataFrame, indicators: Iterable[CompiledIndicator], period: str) -> pl.DataFrame:
    """The measures of a period from those of its months: sums, or the last month's for a stock (statistic `last`).

    Same columns as the monthly measures, with `month` replaced by the number of months that count (`month_count`).
    """
    stocks = [i.indicator_id for i in indicators if i.declared.statistic == "last"]
    inside = monthly.filter(pl.col("month").is_in(months_of(period)))
    last = inside["month"].max()
    kept = inside.filter(~pl.col("indicator_id").is_in(stocks) | (pl.col("month") == last))
    return (
        kept.group_by("subject_kind", "subject_id", "indicator_id")
        .agg(pl.col("numerator", "denominator", "evidence_count").sum(), pl.col("month").n_unique().alias("month_count"))
        .with_columns(pl.lit(inside["month"].n_unique()).cast(pl.Int64).alias("period_month_count"))
    )


def kpi(
    monthly: pl.DataFrame,
    indicators: Sequence[CompiledIndicator],
    people: Mapping[str, pl.DataFrame],
    policy: Policy,
    month: str,
    policy_version: str,
) -> pl.DataFrame:
    """One row per subject, indicator and period (the month, and the quarter, semester and year that contain it).

    `monthly` are the measures of the year's months so far; `people` has, by period kind, the
    period's employees with nip, unit_id and position_level. Every one of them has a row for every employee indicator: without evidence it is not computable, with
    the reason. Units and the region have rows where there is evidence.
    """
    by_period = [
        _period_rows(rolled_up(monthly, indicators, period), indicators, people[kind]).with_columns(
            period_kind=pl.lit(kind), period=pl.lit(period)
        )
        for kind, period in periods_of(month).items()
    ]
    rows = pl.concat(by_period).with_columns(
        subject_id=pl.when(pl.col("subject_kind") == "region").then(pl.lit(policy.region)).otherwise("subject_id")
    )
    return rows.with_columns(policy_version=pl.lit(policy_version)).select(
        "subject_kind",
        "subject_id",
        "indicator_id",
        "period_kind",
        "period",
        "unit_id",
        "aspect_code",
        (pl.col("numerator") / UNITS).alias("numerator"),
        (pl.col("denominator") / UNITS).alias("denominator"),
        "actual",
        "target",
        "achievement",
        "score",
        "weight",
        "status_code",
        "reason",
        "evidence_count",
        "policy_version",
    )


def _period_rows(measured: pl.DataFrame, indicators: Sequence[CompiledIndicator], people: pl.DataFrame) -> pl.DataFrame:
    of_employees = [i.indicator_id for i in indicators if "employee" in i.declared.subjects]
    expected = people.select(pl.lit("employee").alias("subject_kind"), pl.col("nip").alias("subject_id")).join(
        pl.DataFrame({"indicator_id": of_employees}, schema={"indicator_id": pl.String}), how="cross"
    )
    others = measured.filter(pl.col("subject_kind") != "employee").select("subject_kind", "subject_id", "indicator_id")
    rows = pl.concat([expected, others]).join(measured, on=["subject_kind", "subject_id", "indicator_id"], how="left")
    rows = rows.join(people.select(pl.col("nip").alias("subject_id"), "unit_id", "position_level"), on="subject_id", how="left")
    rows = rows.with_columns(
        unit_id=pl.when(pl.col("subject_kind") == "unit").then("subject_id").otherwise("unit_id"),
        evidence_count=pl.col("evidence_count").fill_null(0),
    )
    # The frame's own count of months: an additive target of a partial period sums only the months it has.
    return _scored(rows.join(_declared(indicators), on="indicator_id"))


def _declared(indicators: Sequence[CompiledIndicator]) -> pl.DataFrame:
    rows = [
        {
            "indicator_id": i.indicator_id,
            "aspect_code": i.declared.aspect,
            "statistic": i.declared.statistic,
            "scale": i.declared.scale,
            "direction": i.declared.direction,
            "formula": i.declared.formula,
            "weight": i.declared.weight,
            "cap": i.declared.cap,
            "minimum_evidence": i.declared.minimum_evidence,
            "low": i.declared.target.low,
            "high": i.declared.target.high,
            "is_additive": i.declared.target.kind == "additive",
            "base_target": i.declared.target.value if i.declared.direction != "range" else i.declared.target.low,
            "by_position": [{"level": k, "value": v} for k, v in i.declared.target.by_position.items()],
        }
        for i in indicators
    ]
    schema: dict[str, pl.DataType | type[pl.DataType]] = {
        "indicator_id": pl.String,
        "aspect_code": pl.String,
        "statistic": pl.String,
        "scale": pl.Float64,
        "direction": pl.String,
        "formula": pl.String,
        "weight": pl.Float64,
        "cap": pl.Float64,
        "minimum_evidence": pl.Int64,
        "low": pl.Float64,
        "high": pl.Float64,
        "is_additive": pl.Boolean,
        "base_target": pl.Float64,
        "by_position": pl.List(pl.Struct({"level": pl.String, "value": pl.Float64})),
    }
    return pl.DataFrame(rows, schema=schema)


def _scored(rows: pl.DataFrame) -> pl.DataFrame:
    levels = (
        rows.select("indicator_id", "by_position").unique("indicator_id").explode("by_position").drop_nulls("by_position")
        if rows.height
        else rows.select("indicator_id", "by_position").explode("by_position")
    ).unnest("by_position")
    rows = rows.join(levels, left_on=["indicator_id", "position_level"], right_on=["indicator_id", "level"], how="left")
    months = pl.when(pl.col("is_additive")).then(pl.col("period_month_count").fill_null(1)).otherwise(1)
    is_ratio = pl.col("statistic") == "ratio"
    divisor = pl.when(is_ratio).then(pl.col("denominator")).otherwise(pl.lit(UNITS))
    rows = rows.with_columns(
        target=pl.coalesce("value", "base_target") * months,
        reason=pl.when(pl.col("evidence_count") == 0)
        .then(pl.lit("no_evidence"))
        .when(pl.col("evidence_count") < pl.col("minimum_evidence"))
        .then(pl.lit("below_minimum_evidence"))
        .when(is_ratio & (pl.col("denominator") == 0))
        .then(pl.lit("denominator_zero")),
        actual=pl.when((divisor != 0) & (pl.col("evidence_count") > 0)).then(
            pl.col("scale") * pl.col("numerator") / divisor
        ),
        denominator=pl.when(is_ratio).then(pl.col("denominator")),
    )
    rows = rows.with_columns(reason=pl.coalesce("reason", unattainable()))
    rows = rows.with_columns(
        achievement=pl.when(pl.col("reason").is_null()).then(pl.min_horizontal(achievement(), pl.col("cap")))
    )
    return rows.with_columns(
        score=pl.col("achievement"),
        status_code=pl.when(pl.col("reason").is_null()).then(pl.lit("computed")).otherwise(pl.lit("not_computable")),
    ).drop("by_position")


def unattainable() -> pl.Expr:
    """Why an actual cannot be set against its target, null when it can (DOMAIN section 9)."""
    direction, target, actual = pl.col("direction"), pl.col("target"), pl.col("actual")
    inverse = (direction == "lower") & (pl.col("formula") == "inverse")
    return (
        pl.when(direction.is_in(["higher", "lower"]) & ~inverse & (target == 0))
        .then(pl.lit("target_zero"))
        .when(inverse & (actual == 0))
        .then(pl.lit("actual_zero"))
        .when((direction == "range") & (pl.col("high") <= pl.col("low")))
        .then(pl.lit("range_empty"))
    )


def achievement() -> pl.Expr:
    """Achievement in percent of target *t* by actual *a*, before the cap (DOMAIN section 9, after PP 30/2019):
    higher is better 100 a/t; lower is better 100 (2t - a)/t, not below 0, or 100 t/a where the policy says `inverse`;
    in a range 100 inside, else 100 - 100 distance/width, not below 0."""
    direction, t, a = pl.col("direction"), pl.col("target"), pl.col("actual")
    low, high = pl.col("low"), pl.col("high")
    distance = pl.max_horizontal(low - a, a - high, pl.lit(0.0))
    return (
        pl.when(direction == "higher")
        .then(100 * a / t)
        .when((direction == "lower") & (pl.col("formula") == "inverse"))
        .then(100 * t / a)
        .when(direction == "lower")
        .then(pl.max_horizontal(100 * (2 * t - a) / t, pl.lit(0.0)))
        .otherwise(pl.max_horizontal(100 - 100 * distance / (high - low), pl.lit(0.0)))
    )
