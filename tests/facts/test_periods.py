"""Months, periods and validity."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from facts_world import pin_frame

from kinerja_pipeline.facts import periods


def test_a_month_knows_its_first_and_last_day() -> None:
    assert periods.month_bounds("2024-02") == (dt.date(2024, 2, 1), dt.date(2024, 2, 29))
    assert periods.month_bounds("2026-12") == (dt.date(2026, 12, 1), dt.date(2026, 12, 31))


def test_adding_months_crosses_years_both_ways() -> None:
    assert periods.add_months("2026-11", 3) == "2027-02"
    assert periods.add_months("2026-01", -1) == "2025-12"
    assert periods.add_months("2026-06", 0) == "2026-06"


def test_months_between_includes_both_ends() -> None:
    assert periods.months_between("2025-11", "2026-02") == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert periods.months_between("2026-02", "2026-02") == ["2026-02"]
    assert periods.months_between("2026-02", "2026-01") == []


@pytest.mark.parametrize(
    ("month", "quarter", "semester"),
    [("2026-01", "2026-Q1", "2026-S1"), ("2026-06", "2026-Q2", "2026-S1"), ("2026-12", "2026-Q4", "2026-S2")],
)
def test_a_month_lies_in_one_period_of_each_kind(month: str, quarter: str, semester: str) -> None:
    assert periods.periods_of(month) == {"month": month, "quarter": quarter, "semester": semester, "year": "2026"}


@pytest.mark.parametrize(
    ("period", "kind", "months"),
    [
        ("2026-03", "month", ["2026-03"]),
        ("2026-Q3", "quarter", ["2026-07", "2026-08", "2026-09"]),
        ("2026-S2", "semester", ["2026-07", "2026-08", "2026-09", "2026-10", "2026-11", "2026-12"]),
        ("2026", "year", [f"2026-{n:02d}" for n in range(1, 13)]),
    ],
)
def test_a_period_names_its_kind_and_months(period: str, kind: str, months: list[str]) -> None:
    assert periods.period_kind(period) == kind
    assert periods.months_of(period) == months
    assert periods.period_end_month(period) == months[-1]


@pytest.mark.parametrize("text", ["2026-13", "2026-Q5", "2026-S3", "26-01", "2026-1", "März"])
def test_what_is_no_period_is_said_to_be_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a period"):
        periods.period_kind(text)


def test_today_does_not_exist_yet() -> None:
    assert periods.as_of("2026-04", dt.date(2026, 4, 10)) == dt.date(2026, 4, 9)
    assert periods.as_of("2026-04", dt.date(2026, 6, 1)) == dt.date(2026, 4, 30)


def test_a_later_row_ends_an_open_one() -> None:
    pins = pin_frame([("D1", "7", "old", "2026-01-01", None), ("D1", "7", "new", "2026-04-10", None)])
    held = periods.in_force(pins, ["device_id", "pin"]).sort("valid_from")
    assert held["valid_to"].to_list() == [dt.date(2026, 4, 9), periods.LAST_DATE]


def test_zones_with_and_without_summer_time_give_the_same_utc() -> None:
    noon = pl.DataFrame({"at": [dt.datetime(2026, 7, 1, 12)]})  # noqa: DTZ001
    jayapura = noon.select(periods.utc(pl.col("at"), ZoneInfo("Asia/Jayapura"), "2026-07")).item()
    berlin = noon.select(periods.utc(pl.col("at"), ZoneInfo("Europe/Berlin"), "2026-07")).item()
    assert jayapura == dt.datetime(2026, 7, 1, 3, tzinfo=dt.UTC)
    assert berlin == dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC)
