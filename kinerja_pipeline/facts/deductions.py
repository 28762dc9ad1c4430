"""Deductions: which rule table rules a day, what the day costs by it, and the line that says so.

Here: the policy's tables laid on days, bands and rates, the explanation. Not here: minutes and statuses
(facts/attendance), sums and caps of a month (facts/attendance), rupiah.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import polars as pl

from kinerja_pipeline.policies.model import Band, Deduction, EmploymentStatus, Policy, WorkedDayType

Part = Literal["late", "early"]
MISSING = {"missing_in": "missing in-tap", "missing_out": "missing out-tap"}


def tables_of(policy: Policy, month: str) -> list[Deduction]:
    """The deduction tables that rule any day of `month`, in the order of the policy."""
    found = [policy.deduction(month, *key) for key in _keys()]
    return [table for table in policy.deductions if table in found]


def with_table(days: pl.DataFrame, policy: Policy, month: str) -> pl.DataFrame:
    """`days` with `_table`, the number among tables_of the month of the one that rules the day; null where none does.

    *Edge*: a free day counts as a normal one, so that it is known to cost nothing, and of which base.
    """
    tables = tables_of(policy, month)
    rows = [
        (status, kind, tables.index(table))
        for status, kind in _keys()
        if (table := policy.deduction(month, status, kind)) is not None
    ]
    schema = {"employment_status": pl.String, "_kind": pl.String, "_table": pl.Int64}
    kind = pl.col("day_type")
    return (
        days.with_columns(
            pl.when(kind.is_in(get_args(WorkedDayType))).then(kind).otherwise(pl.lit("normal")).alias("_kind")
        )
        .join(
            pl.DataFrame(rows, schema=schema, orient="row"),
            on=["employment_status", "_kind"],
            how="left",
            maintain_order="left",
        )
        .drop("_kind")
    )


def setting(tables: Sequence[Deduction], of: Callable[[Deduction], Any], kind: pl.DataType) -> pl.Expr:
    """The day's table's own value of a setting; null where no table is in force."""
    if not tables:
        return pl.lit(None, dtype=kind)
    return pl.lit(pl.Series([of(table) for table in tables], dtype=kind)).gather(pl.col("_table"))


def with_deduction(days: pl.DataFrame, tables: Sequence[Deduction]) -> pl.DataFrame:
    """`days` that have `_table`, status and minutes, with late_code, early_code, deduction_share, deduction_base_code,
    deduction_rule and deduction_cap_share; all null where no table is in force.

    The rule names each cost and the table: `TL2 31-60 min 1.00 % + PSW1 1-30 min 0.50 %, rules of 2026-01`.
    *Null when*: the rule where a day cost nothing, unless tolerance, making up or an outage is the reason.
    *Edge*: an outage of a device of the person waives the missing tap alone (DOMAIN section 5).
    """
    status = pl.col("status_code")
    cost = (
        pl.when(~_is_tolerated(tables)).then(_cost(tables, "late")).fill_null(0)
        + _cost(tables, "early").fill_null(0)
        + pl.when(status.is_in(list(MISSING)) & ~pl.col("_is_down"))
        .then(setting(tables, lambda t: t.missing_tap_share, pl.Float64()))
        .otherwise(0.0)
        + pl.when(status == "absent").then(setting(tables, lambda t: t.absent_day_share, pl.Float64())).otherwise(0.0)
    )
    is_judged = pl.col("_table").is_not_null() & (status != "not_recorded")
    priced = days.with_columns(
        pl.when(~_is_tolerated(tables))
        .then(_reached(tables, "late", lambda b, _: b.code, pl.String()))
        .alias("late_code"),
        _reached(tables, "early", lambda b, _: b.code, pl.String()).alias("early_code"),
        pl.when(is_judged).then(cost).alias("deduction_share"),
        setting(tables, lambda t: t.base, pl.String()).alias("deduction_base_code"),
        setting(tables, lambda t: t.month_cap_share, pl.Float64()).alias("deduction_cap_share"),
    )
    # Most days cost nothing: text is made for the others only.
    is_told = (pl.col("deduction_share") > 0) | pl.col("_is_down") | (pl.col("late_minutes") + pl.col("_made_up") > 0)
    lines = priced.filter(is_judged & is_told).select("_row", _line(tables).alias("deduction_rule"))
    return priced.join(lines, on="_row", how="left", maintain_order="left").with_columns(
        pl.col("deduction_share").clip(0, 1)
    )


def percent(share: float) -> str:
    """A share as people print it: two decimals, more only where the policy has them (0.00275 -> 0.275 %)."""
    whole, decimals = f"{share * 100:.6f}".split(".")
    return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')} %"


def _keys() -> list[tuple[str, str]]:
    return [(status, kind) for status in get_args(EmploymentStatus) for kind in get_args(WorkedDayType)]


def _line(tables: Sequence[Deduction]) -> pl.Expr:
    status, made_up, is_late = pl.col("status_code"), pl.col("_made_up"), pl.col("late_minutes") > 0
    missed = status.replace_strict(MISSING, default=None, return_dtype=pl.String)
    missing = setting(tables, lambda t: percent(t.missing_tap_share), pl.String())
    absent = setting(tables, lambda t: percent(t.absent_day_share), pl.String())
    parts = [
        pl.when(is_late & _is_tolerated(tables))
        .then(pl.format("late {} min within tolerance", pl.col("late_minutes")))
        .otherwise(_part_line(tables, "late")),
        pl.when(made_up > 0).then(pl.format("{} min made up", made_up)),
        _part_line(tables, "early"),
        pl.when(pl.col("_is_down"))
        .then(missed + " waived, device outage")
        .otherwise(pl.format("{} {}", missed, missing)),
        pl.when(status == "absent").then(pl.format("absent {}", absent)),
    ]
    line = pl.concat_str(parts, separator=" + ", ignore_nulls=True)
    capped = pl.when(pl.col("deduction_share") > 1).then(pl.lit(", at most 100 %")).otherwise(pl.lit(""))
    source = setting(tables, lambda t: f", rules of {t.valid_from}", pl.String())
    return pl.when(line != "").then(pl.concat_str(line, capped, source))


def _is_tolerated(tables: Sequence[Deduction]) -> pl.Expr:
    return pl.col("late_minutes") <= setting(tables, lambda t: t.late_tolerance_minutes, pl.Int64())


def _cost(tables: Sequence[Deduction], part: Part) -> pl.Expr:
    by_minute = pl.col(f"{part}_minutes") * setting(tables, lambda t: _rate(t, part), pl.Float64())
    return pl.coalesce(by_minute, _reached(tables, part, lambda band, _: band.share, pl.Float64()))


def _part_line(tables: Sequence[Deduction], part: Part) -> pl.Expr:
    def text(band: Band, following: Band | None) -> str:
        span = f"{band.from_minutes}-{following.from_minutes - 1}" if following else f"from {band.from_minutes}"
        return f"{band.code} {span} min {percent(band.share)}"

    minutes = pl.col(f"{part}_minutes")
    rates = setting(tables, lambda t: percent(rate) if (rate := _rate(t, part)) else None, pl.String())
    by_minute = pl.when(minutes > 0).then(pl.format(f"{part} {{}} min x {{}}", minutes, rates))
    return pl.coalesce(by_minute, _reached(tables, part, text, pl.String()))


def _reached(
    tables: Sequence[Deduction], part: Part, of: Callable[[Band, Band | None], str | float], kind: pl.DataType
) -> pl.Expr:
    """What `of` says of the highest band reached in the day's table (and the band after it); null below the first."""
    minutes, found = pl.col(f"{part}_minutes"), pl.lit(None, dtype=kind)
    for number, table in enumerate(tables):
        bands = table.late if part == "late" else table.early
        reached = pl.lit(None, dtype=kind)
        for band, following in zip(bands, [*bands[1:], None], strict=False):
            value = pl.lit(of(band, following), dtype=kind)
            reached = pl.when(minutes >= band.from_minutes).then(value).otherwise(reached)
        found = pl.when(pl.col("_table") == number).then(reached).otherwise(found)
    return found


def _rate(table: Deduction, part: Part) -> float | None:
    return table.late_minute_share if part == "late" else table.early_minute_share
