"""The rows that a figure was counted from, and what they add up to: the sums of kpi/indicators, told row by row.

Here: pure functions on the facts that declarations see. Not here: adding up for everybody (kpi/indicators), where a
row was delivered (warehouse/sources).
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from kinerja_pipeline.kpi.indicators import ENUMERATED, RESCANNED, UNITS, counted
from kinerja_pipeline.policies.indicators import SUBJECT_COLUMN, CompiledIndicator

ABOVE, BELOW = "_above", "_below"
"""What a row adds above and below the line, in 1/10000."""


def counted_rows(fact: pl.DataFrame, indicator: CompiledIndicator, kind: str, subject_id: str) -> pl.DataFrame:
    """The rows of the fact that count for the subject, with what each adds above and below the line."""
    is_counted, above, below = counted(indicator)
    return (
        rows_of(fact, kind, subject_id)
        .with_columns(pl.lit(subject_id).alias("_subject"))
        .with_columns(is_counted.alias("_is_counted"), above.alias(ABOVE), below.alias(BELOW))
        .filter("_is_counted")
        .drop("_is_counted", "_subject")
    )


def rows_of(fact: pl.DataFrame, kind: str, subject_id: str) -> pl.DataFrame:
    """The rows of the subject, whether they count or not; the region has every row."""
    column = SUBJECT_COLUMN[kind]
    return fact if column is None else fact.filter(pl.col(column) == subject_id)


def has_base(fact: pl.DataFrame, rows: pl.DataFrame, indicator: CompiledIndicator, kind: str, subject_id: str) -> bool:
    """Whether last year's month has a figure to grow from: counted rows, or any row where none counted means zero."""
    is_enumerated = indicator.declared.fact in ENUMERATED
    return bool(len(rows)) or (is_enumerated and bool(len(rows_of(fact, kind, subject_id))))


def totals(
    months: Iterable[pl.DataFrame], before: Iterable[pl.DataFrame], indicator: CompiledIndicator
) -> tuple[float | None, float | None, float | None]:
    """Numerator, denominator and actual that the rows give: `months` hold the rows of each month, `before` those of the
    year before (growth)."""
    declared = indicator.declared
    parts = list(months)
    above = [value for part in parts for value in part[ABOVE].to_list()]
    if declared.statistic in RESCANNED:
        if not above:
            return None, None, None
        ordered = sorted(above)
        count = len(ordered)
        ranks = ((count - 1) // 2, count // 2) if declared.statistic == "median" else ((9 * count - 1) // 10,)
        return None, None, declared.scale * sum(ordered[rank] for rank in ranks) / len(ranks) / UNITS
    numerator = sum(above)
    if declared.statistic in ("ratio", "growth"):
        over = parts if declared.statistic == "ratio" else list(before)
        denominator = sum(int(part[BELOW if declared.statistic == "ratio" else ABOVE].sum()) for part in over)
        actual = declared.scale * numerator / denominator if denominator else None
        return numerator / UNITS, denominator / UNITS, actual
    return numerator / UNITS, None, declared.scale * numerator / UNITS
