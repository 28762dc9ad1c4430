"""Text -> typed values, one explicit reading for each kind; used by landing (month only) and by the split (everything).

Here: expressions that give null for what cannot be read. Not here: what to do about it (validated/split).
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from kinerja_pipeline.contracts.model import Column, Contract

# (?-u): \d is 0-9; other scripts' digits are not read.
ISO_OFFSET = r"(?-u)^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s?(Z|[+-]\d{2}:?\d{2})$"
DAY_FIRST = r"(?-u)^(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?$"
TRUE, FALSE = ["true", "1", "ya", "y"], ["false", "0", "tidak", "t"]


def cleaned(column: Column) -> pl.Expr:
    """The column's text without surrounding blanks and the characters its page strips; null when nothing is left."""
    text = pl.col(column.name).str.strip_chars()
    for character in column.strip:
        text = text.str.replace_all(character, "", literal=True)
    return pl.when(text != "").then(text)


def parsed(column: Column, zone: str) -> pl.Expr:
    """The typed value of a text column; null where the text is missing or cannot be read as the column's kind.

    Timestamps are local wall-clock times of `zone`; an offset in the text is converted to it.
    """
    return typed(column, cleaned(column), zone)


def typed(column: Column, text: pl.Expr, zone: str) -> pl.Expr:
    """What `parsed` gives, of a text that is cleaned already."""
    match column.kind:
        case "string":
            return text
        case "integer":
            return text.map_batches(_integers, return_dtype=pl.Int64, is_elementwise=True)
        case "number":
            return text.map_batches(_numbers, return_dtype=pl.Float64, is_elementwise=True)
        case "boolean":
            lower = text.str.to_lowercase()
            return pl.when(lower.is_in(TRUE)).then(True).when(lower.is_in(FALSE)).then(False)
        case "date":
            return timestamp(text, zone).dt.date()
        case "timestamp":
            value = timestamp(text, zone)
            if column.is_end_of_day:
                end = value.dt.offset_by("1d").dt.offset_by("-1s")
                return pl.when(text.str.len_chars() <= 10).then(end).otherwise(value)
            return value


# Of every kind one form is by far the commonest: a device's "2026-03-01 07:31:00", digits alone. Only what it does not
# fit is looked at again. As one expression every form would be tried on every row, which takes twenty times as long.


def _rest_read(texts: pl.Series, usual: pl.Series, rest: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
    """`usual`, with what it could not read read as `rest` does."""
    others = usual.is_null() & texts.is_not_null()
    if not others.any():
        return usual
    read = texts.filter(others).alias("text").to_frame().select(rest(pl.col("text"))).to_series()
    return usual.scatter(others.arg_true(), read)


def _integers(texts: pl.Series) -> pl.Series:
    usual = texts.cast(pl.Int64, strict=False)
    return _rest_read(texts, usual, lambda text: _whole(_any_number(text)))


def _whole(number: pl.Expr) -> pl.Expr:
    return pl.when(number == number.floor()).then(number).cast(pl.Int64, strict=False)


def _numbers(texts: pl.Series) -> pl.Series:
    usual = texts.cast(pl.Int64, strict=False).cast(pl.Float64)
    return _rest_read(texts, usual, _any_number)


def _any_number(text: pl.Expr) -> pl.Expr:
    # "87,5" is the Indonesian 87.5; "1,234" could be either, so a comma counts only before one or two decimals.
    point = text.str.replace(r"^([+-]?\d+),(\d{1,2})$", "$1.$2")
    number = point.cast(pl.Float64, strict=False)
    return pl.when(point.str.contains(r"^[+-]?(\d+\.?\d*|\.\d+)$") & number.is_finite()).then(number)


def timestamp(text: pl.Expr, zone: str) -> pl.Expr:
    """Local Datetime("us") from ISO text, Indonesian day-first text, or ISO text with an offset; null otherwise."""

    def read(texts: pl.Series) -> pl.Series:
        usual = texts.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False).alias("at")
        usual = usual.to_frame().select(_with_century(pl.col("at"))).to_series()
        return _rest_read(texts, usual, lambda rest: _any_form(rest, zone))

    return text.map_batches(read, return_dtype=pl.Datetime("us"), is_elementwise=True)


def _any_form(text: pl.Expr, zone: str) -> pl.Expr:
    iso = text.str.replace("T", " ", literal=True)
    read = pl.coalesce(
        iso.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False),
        iso.str.to_datetime("%Y-%m-%d %H:%M", time_unit="us", strict=False),
        iso.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False),
        iso.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")),
        _day_first(text),
        _with_offset(text, zone),
    )
    return _with_century(read)


def _with_century(at: pl.Expr) -> pl.Expr:
    # "1-2-26" is no date of the year 1: whoever wrote two digits did not say which century.
    return pl.when(at.dt.year().is_between(1000, 9999)).then(at)


def is_month_first(text: pl.Expr) -> pl.Expr:
    """True for the separated dates of a frame in which some have a second part above 12 and none a first part above 12:
    they were written month first (an English spreadsheet), so none of them can be trusted. `text` is cleaned."""
    return text.map_batches(_month_first, return_dtype=pl.Boolean)


def _month_first(texts: pl.Series) -> pl.Series:
    is_separated = texts.str.contains(DAY_FIRST).fill_null(False)
    if not is_separated.any():
        return is_separated
    parts = texts.filter(is_separated).str.extract_groups(DAY_FIRST).struct.unnest()[:, :2].cast(pl.Int64)
    first, second = (parts.to_series(place) for place in (0, 1))
    is_swapped = bool((second > 12).any()) and not (first > 12).any()
    return is_separated & is_swapped


def _day_first(text: pl.Expr) -> pl.Expr:
    slashed = text.str.replace_all("-", "/", literal=True).str.replace("T", " ", literal=True)
    readable = pl.when(text.str.contains(DAY_FIRST)).then(slashed)
    return pl.coalesce(
        readable.str.to_datetime("%d/%m/%Y %H:%M:%S", time_unit="us", strict=False),
        readable.str.to_datetime("%d/%m/%Y %H:%M", time_unit="us", strict=False),
        readable.str.to_date("%d/%m/%Y", strict=False).cast(pl.Datetime("us")),
    )


def _with_offset(text: pl.Expr, zone: str) -> pl.Expr:
    offset = pl.when(text.str.contains(ISO_OFFSET)).then(
        text.str.replace("T", " ", literal=True).str.replace(r"\s?Z$", "+00:00")
    )
    read = [
        offset.str.to_datetime(f"%Y-%m-%d %H:%M{seconds}%#z", time_unit="us", time_zone="UTC", strict=False)
        for seconds in (":%S%.f", ":%S", "")
    ]
    return pl.coalesce(*read).dt.convert_time_zone(zone).dt.replace_time_zone(None)


def period_month(text: pl.Expr) -> pl.Expr:
    """The month text that carries a period: itself for 2026-03, that of a day, the last one for 2026-Q1, 2026-S1 and
    2026."""
    year = text.str.slice(0, 4)
    quarter = text.str.extract(r"^[0-9]{4}-Q([1-4])$", 1).cast(pl.Int64) * 3
    half = text.str.extract(r"^[0-9]{4}-S([12])$", 1).cast(pl.Int64) * 6
    last = pl.coalesce(quarter, half).cast(pl.String).str.zfill(2)
    return (
        pl.when(text.str.contains(r"^[0-9]{4}-(0[1-9]|1[0-2])$"))
        .then(text)
        .when(
            text.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
            & text.str.to_date("%Y-%m-%d", strict=False).is_not_null()
        )
        .then(text.str.slice(0, 7))
        .when(text.str.contains(r"^[0-9]{4}-(Q[1-4]|S[12])$"))
        .then(pl.concat_str(year, pl.lit("-"), last))
        .when(text.str.contains(r"^[0-9]{4}$"))
        .then(pl.concat_str(text, pl.lit("-12")))
    )


def landing_month(contract: Contract, zone: str) -> pl.Expr:
    """The month ('2026-03') of the contract's monthFrom column, read as the split reads it; null if it cannot be."""
    assert contract.month_from is not None, f"{contract.name} is a dated feed: it has no months"
    column = contract.column(contract.month_from)
    if column.kind == "string":
        return period_month(cleaned(column))
    value = parsed(column, zone)
    return value.dt.strftime("%Y-%m")
