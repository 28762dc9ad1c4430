"""Whether published sums are the sums of their parts: periods of their months, the region of its units.

Here: finished kpi and evaluation rows against what they must add up to, told without naming anybody. Not here: the
adding up (kpi/indicators), what happens when it is wrong (warehouse/assets).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from kinerja_pipeline.facts.periods import months_of, period_kind
from kinerja_pipeline.kpi.indicators import SUBJECT, SUMS_PUBLISHED, UNITS
from kinerja_pipeline.policies.model import Indicator

ADDED = ("ratio", "growth", "count")
"""Statistics whose months add up. A stock is its last month's, a median no sum of anything."""
SPLIT_BY_UNIT = ("ratio", "count")


class Sums(NamedTuple):
    """How many sums were compared with their parts, and those that differ, in words."""

    asked: int
    problems: tuple[str, ...]


def period_sums(rows: pl.DataFrame, monthly: pl.DataFrame, indicators: Mapping[str, Indicator]) -> Sums:
    """The kpi `rows` of one period against `monthly`, the measures of its months. `indicators` are those that were
    declared alike in all of these months; others were measured anew for the period."""
    if rows.is_empty():
        return Sums(0, ())
    period = rows.item(0, "period")
    added = {name for name, declared in indicators.items() if declared.statistic in ADDED}
    divided = {name for name, declared in indicators.items() if declared.statistic in SUMS_PUBLISHED}
    inside = monthly.filter(pl.col("month").is_in(months_of(period)), pl.col("indicator_id").is_in(list(added)))
    parts = inside.group_by(SUBJECT).agg(
        # Of growth only the months count that have a year before; the others have neither number.
        *(
            pl.when(pl.col(c).is_not_null().any()).then(pl.col(c).sum()).alias(f"_{c}")
            for c in ("numerator", "denominator")
        ),
        pl.col("evidence_count").sum().alias("_evidence"),
    )
    whole = rows.filter(pl.col("indicator_id").is_in(list(added))).with_columns(
        pl.when(pl.col("subject_kind") == "region").then(pl.lit("")).otherwise("subject_id").alias("subject_id")
    )
    joined = whole.join(parts, on=SUBJECT, how="left")
    has_denominator = pl.col("indicator_id").is_in(list(divided))
    differs = _units("numerator").ne_missing(pl.col("_numerator")) | (
        has_denominator & _units("denominator").ne_missing(pl.col("_denominator"))
    )
    lacking = inside.filter(pl.col("subject_kind") != "employee").join(joined, on=SUBJECT, how="anti")
    wrong = pl.concat([joined.filter(differs).select("indicator_id"), lacking.select("indicator_id").unique()])
    return Sums(len(joined), tuple(_told(wrong, f"{period_kind(period)} {period} is not the sum of its months")))


def unit_sums(rows: pl.DataFrame, indicators: Mapping[str, Indicator]) -> Sums:
    """The region's kpi rows against those of its units. What belongs to no unit counts in the region alone: units never
    have more evidence than the region, and where they have all of it, the same sums."""
    added = [
        name
        for name, declared in indicators.items()
        if declared.statistic in SPLIT_BY_UNIT and {"unit", "region"} <= {*declared.subjects}
    ]
    chosen = rows.filter(pl.col("indicator_id").is_in(added))
    keys = ["indicator_id", "period"]
    sums = [_units(c).sum().alias(c) for c in ("numerator", "denominator")]
    units, region = (
        chosen.filter(pl.col("subject_kind") == kind).group_by(keys).agg(*sums, pl.col("evidence_count").sum())
        for kind in ("unit", "region")
    )
    joined = units.join(region, on=keys, how="left", suffix="_region").with_columns(
        pl.col("evidence_count_region").fill_null(0)
    )
    evidence, whole = pl.col("evidence_count"), pl.col("evidence_count_region")
    same = pl.all_horizontal(pl.col(c).eq_missing(pl.col(f"{c}_region")) for c in ("numerator", "denominator"))
    wrong = joined.filter((evidence > whole) | ((evidence == whole) & ~same))
    told = [
        problem for period, own in _by(wrong, "period") for problem in _told(own, f"units of {period} do not add up")
    ]
    return Sums(len(joined), tuple(told))


def evaluated_sums(evaluations: pl.DataFrame, units: pl.DataFrame) -> Sums:
    """The people of all units, period by period, against the evaluations that name a unit."""
    people = evaluations.drop_nulls("unit_id").group_by("period").agg(pl.len().cast(pl.Int64).alias("people"))
    summed = units.group_by("period").agg(pl.col("employee_count").sum())
    joined = people.join(summed, on="period", how="full", coalesce=True).sort("period")
    wrong = joined.filter(pl.col("people").ne_missing(pl.col("employee_count")))
    told = [
        f"unit_evaluation {period}: {counted} people in units, {evaluated} evaluated"
        for period, evaluated, counted in wrong.select("period", "people", "employee_count").iter_rows()
    ]
    return Sums(len(joined), tuple(told))


def together(*each: Sums) -> Sums:
    return Sums(sum(s.asked for s in each), tuple(problem for s in each for problem in s.problems))


def _units(name: str) -> pl.Expr:
    return (pl.col(name) * UNITS).round().cast(pl.Int64)


def _told(wrong: pl.DataFrame, what: str) -> list[str]:
    """Subjects may be people: they are counted."""
    return [
        f"kpi {name}: {what} ({count} of its subjects)"
        for name, count in wrong.group_by("indicator_id").len().sort("indicator_id").iter_rows()
    ]


def _by(frame: pl.DataFrame, column: str) -> list[tuple[str, pl.DataFrame]]:
    return [(value, frame.filter(pl.col(column) == value)) for value in frame[column].unique().sort()]
