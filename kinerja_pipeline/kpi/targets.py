"""Targets agreed with employees and units: which of them holds for a period, and who has one at all.

Here: feed rows -> the target of a subject, indicator and period; the plan of every employee. Not here: targets that a
policy declares for everybody (kpi/indicators falls back to them), and the published table (facts/targets).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from kinerja_pipeline.facts.periods import PeriodKind, months_of, period_kind, periods_of
from kinerja_pipeline.policies.model import Indicator

AGREED_SCHEMA: dict[str, type[pl.DataType]] = {
    "subject_kind": pl.String,
    "subject_id": pl.String,
    "indicator_id": pl.String,
    "agreed_level": pl.Float64,
    "agreed_whole": pl.Float64,
    "agreed_sum": pl.Float64,
    "agreed_months": pl.Int64,
}
SUBJECT = ("subject_kind", "subject_id", "indicator_id")
AGREED = (*SUBJECT, "period", "target")
"""What is looked at of agreed targets."""
SHARES: dict[PeriodKind, int] = {"month": 1, "quarter": 3, "year": 12}
"""A target is agreed for a month, a quarter or a year; an additive one is spread evenly over its months."""


def agreed_targets(targets: pl.DataFrame, period: str, months: Sequence[str]) -> pl.DataFrame:
    """One row per subject and indicator with a target that was agreed for the period, a longer one or a month of it.

    `months` are the months of the period that have figures. Which agreement holds: that of the very period, else of the
    quarter and year around it, nearest first, else of the last of its months that has one (for a semester, that of its
    second quarter before that of its first). `agreed_level` is that target; `agreed_whole` the very period's, cut down
    to the months it has; `agreed_sum` adds up the months' targets, each from the month's, quarter's or year's
    agreement, nearest first, and `agreed_months` says how many have one.
    """
    parts = [_held(targets, month, ("month", "quarter", "year")).with_columns(_month=pl.lit(month)) for month in months]
    none = pl.DataFrame(schema=AGREED_SCHEMA).select(*SUBJECT, target="agreed_level", share="agreed_months")
    monthly = pl.concat([none.with_columns(_month=pl.lit(None, dtype=pl.String)), *parts])
    summed = (
        monthly.sort("_month")
        .group_by(SUBJECT, maintain_order=True)
        .agg(
            (pl.col("target") / pl.col("share")).sum().alias("agreed_sum"),
            pl.len().cast(pl.Int64).alias("agreed_months"),
            pl.col("target").last().alias("_last"),
        )
    )
    kind = period_kind(period)
    longer: tuple[PeriodKind, ...] = ("month", "quarter", "semester", "year")
    around = _held(targets, period, longer[longer.index(kind) :])
    length = len(months_of(period))
    whole = around.filter(pl.col("share") == length).select(
        *SUBJECT, agreed_whole=pl.col("target") * len(months) / length
    )
    return (
        summed.join(around.select(*SUBJECT, _around="target"), on=SUBJECT, how="full", coalesce=True)
        .join(whole, on=SUBJECT, how="left")
        .with_columns(agreed_level=pl.coalesce("_around", "_last"))
        .with_columns(subject_id=pl.when(pl.col("subject_kind") == "region").then(pl.lit("")).otherwise("subject_id"))
        .select(list(AGREED_SCHEMA))
        .cast(AGREED_SCHEMA)  # type: ignore[arg-type]
    )


def _held(targets: pl.DataFrame, period: str, kinds: Iterable[PeriodKind]) -> pl.DataFrame:
    """Per subject and indicator the target of the shortest of `kinds` that contains the period; `share`: its months."""
    around = periods_of(months_of(period)[0])
    lengths = {around[kind]: SHARES[kind] for kind in kinds if kind in SHARES}
    named = pl.DataFrame(
        {"period": list(lengths), "share": list(lengths.values())}, schema={"period": pl.String, "share": pl.Int64}
    )
    return (
        targets.join(named, on="period")
        .sort("share")
        .group_by(SUBJECT, maintain_order=True)
        .agg(pl.col("target", "share").first())
    )


def employee_plan(
    targets: pl.DataFrame, people: pl.DataFrame, indicators: dict[str, Indicator], month: str
) -> pl.DataFrame:
    """One row per employee of the month: how many measurable targets of their own they have.

    Measurable is a target on an active indicator of employees, which the pipeline computes. Their own is what was
    agreed with them for the month, its quarter or year (agreed_count), or what the policy sets for their position;
    target_count counts indicators with either. A target that is the same for everybody is nobody's goal.
    """
    active = {name: i for name, i in indicators.items() if i.is_active and "employee" in i.subjects}
    agreed = (
        _held(targets, month, SHARES)
        .filter((pl.col("subject_kind") == "employee") & pl.col("indicator_id").is_in(list(active)))
        .select(pl.col("subject_id").alias("nip"), "indicator_id", is_agreed=pl.lit(True))
    )
    of_level = [(level, name) for name, i in active.items() for level in i.target.by_position]
    levels = pl.DataFrame(of_level, schema=dict.fromkeys(("position_level", "indicator_id"), pl.String), orient="row")
    by_position = people.join(levels, on="position_level").select("nip", "indicator_id", is_agreed=pl.lit(False))
    counted = (
        pl.concat([agreed, by_position])
        .group_by("nip")
        .agg(
            pl.col("indicator_id").n_unique().cast(pl.Int64).alias("target_count"),
            pl.col("is_agreed").sum().cast(pl.Int64).alias("agreed_count"),
        )
    )
    return people.join(counted, on="nip", how="left").with_columns(
        pl.col("target_count", "agreed_count").fill_null(0), has_target=pl.col("target_count").fill_null(0) > 0
    )
