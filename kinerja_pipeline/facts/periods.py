"""Months, the longer periods that contain them, local time as UTC, and the spans in which a dated row is in force.

A month is text (`2026-03`), so is a period (`2026-03`, `2026-Q1`, `2026-S1`, `2026`).
Here: arithmetic on time. Not here: holidays and working days (facts/calendar).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

PeriodKind = Literal["month", "quarter", "semester", "year"]

LAST_DATE = dt.date(9999, 12, 30)
"""Stands for "while it lasts" where an empty valid_to has to be compared."""

_SHAPES: dict[PeriodKind, re.Pattern[str]] = {
    "month": re.compile(r"\d{4}-(0[1-9]|1[0-2])"),
    "quarter": re.compile(r"\d{4}-Q[1-4]"),
    "semester": re.compile(r"\d{4}-S[12]"),
    "year": re.compile(r"\d{4}"),
}
_MONTHS_IN: dict[PeriodKind, int] = {"month": 1, "quarter": 3, "semester": 6, "year": 12}


def month_of(day: dt.date) -> str:
    """The month that contains `day`."""
    return f"{day.year:04d}-{day.month:02d}"


def month_start(month: str) -> dt.date:
    """First day of the month."""
    if _SHAPES["month"].fullmatch(month) is None:
        raise ValueError(f"'{month}' is not a month; write it as 2026-03")
    return dt.date(int(month[:4]), int(month[5:]), 1)


def month_end(month: str) -> dt.date:
    """Last day of the month."""
    return month_start(add_months(month, 1)) - dt.timedelta(days=1)


def month_bounds(month: str) -> tuple[dt.date, dt.date]:
    """First and last day of the month."""
    return month_start(month), month_end(month)


def add_months(month: str, count: int) -> str:
    """The month `count` months later (earlier when negative)."""
    start = month_start(month)
    year, index = divmod(start.year * 12 + start.month - 1 + count, 12)
    return f"{year:04d}-{index + 1:02d}"


def months_between(first: str, last: str) -> list[str]:
    """Every month from `first` to `last`, both included; empty when `last` is earlier."""
    start, end = month_start(first), month_start(last)
    count = (end.year - start.year) * 12 + end.month - start.month + 1
    return [add_months(first, n) for n in range(max(count, 0))]


def spans(months: Sequence[str]) -> list[str]:
    """Consecutive months as spans: ['2026-01..2026-06', '2026-08']."""
    found: list[list[str]] = []
    for month in months:
        if found and add_months(found[-1][-1], 1) == month:
            found[-1].append(month)
        else:
            found.append([month])
    return [s[0] if len(s) == 1 else f"{s[0]}..{s[-1]}" for s in found]


def periods_of(month: str) -> dict[PeriodKind, str]:
    """The month itself and the quarter, semester and year that contain it."""
    start = month_start(month)
    return {
        "month": month,
        "quarter": f"{month[:4]}-Q{(start.month - 1) // 3 + 1}",
        "semester": f"{month[:4]}-S{(start.month - 1) // 6 + 1}",
        "year": month[:4],
    }


def period_kind(period: str) -> PeriodKind:
    """Whether the text names a month, quarter, semester or year."""
    for kind, shape in _SHAPES.items():
        if shape.fullmatch(period):
            return kind
    raise ValueError(f"'{period}' is not a period; write 2026-03, 2026-Q1, 2026-S1 or 2026")


def months_of(period: str) -> list[str]:
    """The months of the period, in order."""
    kind = period_kind(period)
    if kind == "month":
        return [period]
    length = _MONTHS_IN[kind]
    position = 0 if kind == "year" else int(period[-1]) - 1
    first = f"{period[:4]}-{position * length + 1:02d}"
    return [add_months(first, n) for n in range(length)]


def period_end_month(period: str) -> str:
    """The last month of the period: its policy rules the period."""
    return months_of(period)[-1]


def as_of(month: str, today: dt.date) -> dt.date:
    """The last day of the month that exists: days from today on do not exist yet, for today is not over."""
    return min(month_end(month), today - dt.timedelta(days=1))


def in_force(dated: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """The dated rows with `valid_to` always filled, so that at most one row per key is in force on a day.

    *Edge*: where validities overlap, the later row ends the earlier one on the day before it starts (a PIN handed to a
    new person is no longer the old one's, even if nobody closed the old row).
    """
    # Sorted once and compared with the next row: a window per key takes five times as long.
    ordered = dated.with_row_index("_place").sort(*key, "valid_from", maintain_order=True)
    is_same = pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).shift(-1)) for name in key)
    following = pl.when(is_same).then(pl.col("valid_from").shift(-1))
    return (
        ordered.with_columns(
            valid_to=pl.min_horizontal(pl.col("valid_to").fill_null(LAST_DATE), following - pl.duration(days=1))
        )
        .filter(pl.col("valid_to") >= pl.col("valid_from"))
        .sort("_place")
        .drop("_place")
    )


def utc(local: pl.Expr, zone: ZoneInfo, month: str) -> pl.Expr:
    """The UTC instant of wall-clock times around `month`.

    Where the zone keeps one offset from a year before to two years after (all of Indonesia does), subtracting it is
    five times faster than looking every instant up.
    """
    years = (month_start(add_months(month, n)) for n in range(-12, 25))
    offsets = {dt.datetime(day.year, day.month, day.day, tzinfo=zone).utcoffset() for day in years}
    if len(offsets) == 1:
        return (local - pl.lit(offsets.pop(), dtype=pl.Duration("us"))).dt.replace_time_zone("UTC")
    return local.dt.replace_time_zone(zone.key, ambiguous="earliest").dt.convert_time_zone("UTC")


def day_instants(first: dt.date, last: dt.date, zone: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """The UTC instants at which the local day `first` begins and the local day `last` is over."""
    after = last + dt.timedelta(days=1)
    begin, over = (dt.datetime(day.year, day.month, day.day, tzinfo=zone) for day in (first, after))
    return begin.astimezone(dt.UTC), over.astimezone(dt.UTC)
