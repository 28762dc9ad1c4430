"""Text is read in one explicit way or not at all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from kinerja_pipeline.contracts.model import Column, Kind, load_contracts
from kinerja_pipeline.validated.parsing import cleaned, is_month_first, landing_month, parsed, period_month

local = dt.datetime.fromisoformat
JAKARTA, JAYAPURA = "Asia/Jakarta", "Asia/Jayapura"


def read(text: str | None, kind: Kind, zone: str = JAKARTA, **column: Any) -> Any:
    frame = pl.DataFrame({"x": [text]}, schema={"x": pl.String})
    return frame.select(parsed(Column("x", kind, "", **column), zone).alias("x"))["x"][0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-03-01 07:31:00", local("2026-03-01 07:31")),
        ("2026-03-01T07:31:00", local("2026-03-01 07:31")),
        ("2026-03-01 07:31", local("2026-03-01 07:31")),
        ("2026-03-01T07:31", local("2026-03-01 07:31")),
        ("2026-03-01", local("2026-03-01")),
        ("  2026-03-01 07:31:00 ", local("2026-03-01 07:31")),
        ("2026-03-01 07:31:00.25", local("2026-03-01 07:31:00.250000")),
        ("31/03/2026", local("2026-03-31")),
        ("31-03-2026", local("2026-03-31")),
        ("3/4/2026", local("2026-04-03")),
        ("31/03/2026 7:05", local("2026-03-31 07:05")),
        ("31-03-2026 16:05:09", local("2026-03-31 16:05:09")),
        ("29/02/2024", local("2024-02-29")),
    ],
)
def test_iso_and_day_first_times_are_read(text: str, value: dt.datetime) -> None:
    assert read(text, "timestamp") == value


@pytest.mark.parametrize(
    "text",
    [
        "kemarin",
        "2026-02-30",
        "29/02/2026",
        "03/31/2026",
        "2026-03-01 24:00:00",
        "2026-03-01 07:61",
        "31/03/26",
        "1-2-26",
        "26-03-01",
        "20260301",
        "46082",
        "2026-03",
        "2026-03-01 07:31:00 pagi",
        "٢٠٢٦-٠٣-٠١",
        "٠١/٠٢/٢٠٢٦",
        "0000-00-00 00:00:00",
    ],
)
def test_what_is_no_time_is_null_and_breaks_nothing(text: str) -> None:
    assert read(text, "timestamp") is None
    assert read(text, "date") is None


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("2026-03-01T22:31:00Z", local("2026-03-02 07:31")),
        ("2026-03-02T07:31:00+09:00", local("2026-03-02 07:31")),
        ("2026-03-02 05:31:00+0700", local("2026-03-02 07:31")),
        ("2026-03-01T22:31Z", local("2026-03-02 07:31")),
        ("2026-03-01T22:31:00.5Z", local("2026-03-02 07:31:00.500000")),
        ("2026-03-01T20:31:00-02:00", local("2026-03-02 07:31")),
    ],
)
def test_an_offset_becomes_the_regions_wall_clock(text: str, here: dt.datetime) -> None:
    # Jayapura is 9 hours ahead of UTC: late evening there is tomorrow morning here.
    assert read(text, "timestamp", JAYAPURA) == here


def test_a_date_with_an_offset_is_the_regions_day() -> None:
    assert read("2026-03-31T16:00:00Z", "date", JAYAPURA) == dt.date(2026, 4, 1)
    assert read("2026-03-31T16:00:00Z", "date", JAKARTA) == dt.date(2026, 3, 31)


def test_a_due_date_without_a_time_means_the_end_of_that_day() -> None:
    assert read("2026-03-04", "timestamp", is_end_of_day=True) == local("2026-03-04 23:59:59")
    assert read("4/3/2026", "timestamp", is_end_of_day=True) == local("2026-03-04 23:59:59")
    assert read("2026-03-04 00:00", "timestamp", is_end_of_day=True) == local("2026-03-04")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("87", 87.0),
        ("87.5", 87.5),
        ("87,5", 87.5),
        ("87,55", 87.55),
        ("-3", -3.0),
        ("+3", 3.0),
        (".5", 0.5),
        ("0", 0.0),
    ],
)
def test_numbers_have_a_point_or_a_comma_before_one_or_two_decimals(text: str, value: float) -> None:
    assert read(text, "number") == value


@pytest.mark.parametrize(
    "text", ["1,234", "1.234.567", "1.234,50", "1e5", "NaN", "inf", "Rp 5", "1 000", "٣", "12x", "-"]
)
def test_a_number_that_could_mean_two_things_is_not_read(text: str) -> None:
    assert read(text, "number") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9007199254740993", 9007199254740993),
        ("007", 7),
        ("+5", 5),
        ("12", 12),
        ("12.0", 12),
        ("-1", -1),
        ("1.5", None),
        ("99999999999999999999", None),
        ("1e3", None),
    ],
)
def test_a_whole_number_has_no_fraction(text: str, value: int | None) -> None:
    assert read(text, "integer") == value


def test_a_number_is_read_alike_among_digits_and_among_other_forms() -> None:
    # Digits alone take a short way, and only what it cannot read takes the long one.
    texts = ["12", "1,5", None, "x", "0", "12.0", "-3"]
    frame = pl.DataFrame({"x": texts})
    numbers, whole = (
        frame.select(parsed(Column("x", kind, ""), JAKARTA))["x"].to_list() for kind in ("number", "integer")
    )
    assert numbers == [12.0, 1.5, None, None, 0.0, 12.0, -3.0]
    assert whole == [12, None, None, None, 0, 12, -3]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *((t, True) for t in ("true", "True", "1", "ya", "YA", "y")),
        *((t, False) for t in ("false", "0", "tidak", "Tidak", "t")),
        *((t, None) for t in ("yes", "mungkin", "2")),
    ],
)
def test_yes_and_no_in_both_languages(text: str, value: bool | None) -> None:
    assert read(text, "boolean") is value


def test_blank_text_is_missing_and_stripped_characters_are_gone() -> None:
    column = Column("x", "string", "", strip="' ")
    frame = pl.DataFrame({"x": ["'199001012020011001", "19900101 202001 1 001", " ' ", "", None]})
    assert frame.select(cleaned(column))["x"].to_list() == [
        "199001012020011001",
        "199001012020011001",
        None,
        None,
        None,
    ]


def test_a_number_with_too_few_digits_is_not_repaired() -> None:
    assert read("1.99001E+17", "string") == "1.99001E+17"


def month_first(*texts: str | None) -> list[bool | None]:
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    return frame.select(is_month_first(pl.col("x")).alias("x"))["x"].to_list()


def test_dates_are_month_first_when_only_the_second_part_ever_exceeds_twelve() -> None:
    assert month_first("01/02/2026", "01/31/2026", "2026-03-01", None) == [True, True, False, False]


def test_one_first_part_above_twelve_is_enough_to_trust_the_day_first_reading() -> None:
    assert month_first("31/01/2026", "01/31/2026") == [False, False]


def test_dates_that_fit_both_ways_are_read_day_first() -> None:
    assert month_first("01/02/2026", "03/04/2026") == [False, False]


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("2026-03", "2026-03"),
        ("2026-Q1", "2026-03"),
        ("2026-Q4", "2026-12"),
        ("2026-S1", "2026-06"),
        ("2026-S2", "2026-12"),
        ("2026", "2026-12"),
        ("2026-03-05", "2026-03"),
        ("2028-02-29", "2028-02"),
        ("2026-02-29", None),
        ("2026-3-5", None),
        ("2026-13", None),
        ("2026-Q5", None),
        ("Maret 2026", None),
        ("٢٠٢٦", None),
        (None, None),
    ],
)
def test_a_period_belongs_to_its_last_month(text: str | None, month: str | None) -> None:
    frame = pl.DataFrame({"x": [text]}, schema={"x": pl.String})
    assert frame.select(period_month(pl.col("x")).alias("x"))["x"][0] == month


def test_the_month_of_a_tap_is_that_of_the_regions_clock() -> None:
    contract = load_contracts().incoming["attendance_log"]
    taps = pl.DataFrame({"tapped_at": ["2026-03-31T16:00:00Z", "31/03/2026 23:59", "2000-01-01 00:00:00", "rusak"]})
    months = taps.select(landing_month(contract, JAYAPURA).alias("m"))["m"].to_list()
    assert months == ["2026-04", "2026-03", "2000-01", None]
