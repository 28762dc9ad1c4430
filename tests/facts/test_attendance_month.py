"""A person's month: counts, shares, and the counters of unexcused days that continue over months and years."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from facts_world import ANI, BUDI, CITRA, frame, make_policy

from kinerja_pipeline.facts.attendance import COUNTED_COLUMNS, attendance_month
from kinerja_pipeline.facts.by_people import stretches
from kinerja_pipeline.facts.discipline import covered_from
from kinerja_pipeline.policies.model import Policy

PRESENT = ("present", 2, 0, 0, 0.0)
ABSENT = ("absent", 0, None, None, 0.05)
OFF = ("off", 0, None, None, 0.0)
SILENT = ("not_recorded", 0, None, None, None)

Day = tuple[str, int, int | None, int | None, float | None]


def written(start: str, *days: Day, nip: str = ANI, unit: str = "U1") -> pl.DataFrame:
    """Consecutive days from `start`: (status, taps, late minutes, early minutes, deduction)."""
    first = dt.date.fromisoformat(start)
    dates = [first + dt.timedelta(days=n) for n in range(len(days))]
    return frame(
        [
            (nip, on, on.isoformat()[:7], unit, *day, 0.4, "attendance_part")
            for on, day in zip(dates, days, strict=True)
        ],
        nip=pl.String,
        work_date=pl.Date,
        period=pl.String,
        unit_id=pl.String,
        status_code=pl.String,
        tap_count=pl.Int64,
        late_minutes=pl.Int64,
        early_minutes=pl.Int64,
        deduction_share=pl.Float64,
        deduction_cap_share=pl.Float64,
        deduction_base_code=pl.String,
    )


def of(days: pl.DataFrame, *columns: str, month: str = "2026-01", policy: Policy | None = None) -> tuple[Any, ...]:
    months = attendance_month(days, policy or make_policy(), month)
    return months.filter(pl.col("nip") == ANI).select(columns).row(0)


def test_a_month_in_full() -> None:
    days = written(
        "2026-01-05",
        PRESENT,
        ("late", 2, 40, 0, 0.01),
        ("left_early", 2, 0, 10, 0.005),
        ("late_and_left_early", 2, 1, 1, 0.01),
        ("missing_in", 1, None, 0, 0.015),
        OFF,
        ("holiday", 0, None, None, 0.0),
        ABSENT,
        ("leave", 0, None, None, 0.0),
        ("sick", 1, None, None, 0.0),
        SILENT,
        ("missing_out", 0, 0, None, 0.015),  # half a permit and no tap: a working day without presence
    )
    months = attendance_month(days, make_policy(), "2026-01")
    assert months.row(0, named=True) == {
        "nip": ANI,
        "period": "2026-01",
        "unit_id": "U1",
        "workday_count": 7,
        "not_recorded_count": 1,
        "present_count": 5,
        "late_count": 2,
        "early_count": 2,
        "absent_count": 1,
        "leave_count": 2,
        "late_minutes": 41,
        "attendance_share": 5 / 7,
        "punctuality_share": 2 / 5,
        "deduction_share": 0.105,
        "deduction_base_code": "attendance_part",
        "unexcused_year_count": 1,
        "unexcused_run_count": 1,
        "unexcused_year_reason": "days_not_recorded",
        "unexcused_run_reason": "days_not_recorded",
        "counted_from_date": dt.date(2026, 1, 1),
        "discipline_threshold_code": None,
    }


def test_people_whose_months_are_summed_in_parts_have_the_same_months() -> None:
    # Budi comes before Ani and Citra has no days in the month, but an earlier one that was not recorded.
    others = written("2026-01-05", PRESENT, ABSENT, nip=BUDI), written("2025-12-30", SILENT, nip=CITRA)
    days = pl.concat([*others, written("2025-12-31", ABSENT, ABSENT, PRESENT)])
    together = attendance_month(days, make_policy(), "2026-01")
    # Budi's own days begin in January: that December is covered, only all people's days say.
    covered = covered_from(days["period"], "2026-01")
    parts = [days.filter(some.holds("nip")) for some in stretches(days["nip"], 1)]
    assert pl.concat(attendance_month(own, make_policy(), "2026-01", covered) for own in parts).equals(together)
    assert together.select("nip", "absent_count").rows() == [(BUDI, 1), (ANI, 1)]


def test_shares_without_a_denominator_are_null_not_zero() -> None:
    columns = ("attendance_share", "punctuality_share", "deduction_share", "workday_count")
    assert of(written("2026-01-05", OFF, SILENT), *columns) == (None, None, 0.0, 0)
    assert of(written("2026-01-05", SILENT), *columns) == (None, None, None, 0)
    assert of(written("2026-01-05", ABSENT), *columns) == (0.0, None, 0.05, 1)


def test_the_months_deduction_is_exact_and_capped() -> None:
    assert of(written("2026-01-05", *[("late", 2, 1, 0, 0.1)] * 3), "deduction_share") == (0.3,)
    assert of(written("2026-01-05", *[ABSENT] * 9), "deduction_share") == (0.4,)


def test_the_unit_is_that_of_the_last_active_day() -> None:
    days = pl.concat([written("2026-01-15", PRESENT, unit="U2"), written("2026-01-05", PRESENT, unit="U1")])
    assert of(days, "unit_id") == ("U2",)


def test_unexcused_days_add_up_over_the_calendar_year_only() -> None:
    days = pl.concat(
        [
            written("2025-12-01", *[ABSENT, PRESENT] * 3),
            written("2026-01-05", *[ABSENT, PRESENT] * 2),
            written("2026-02-02", *[ABSENT, PRESENT] * 2),
        ]
    )
    policy = make_policy(first_month="2025-12")
    columns = ("absent_count", "unexcused_year_count", "unexcused_run_count", "discipline_threshold_code")
    assert of(days, *columns, month="2026-02", policy=policy) == (2, 4, 1, "year_4")
    assert of(days, *columns, month="2026-01", policy=policy) == (2, 2, 1, None)
    assert of(days, "counted_from_date", month="2026-02", policy=policy) == (dt.date(2026, 1, 1),)


def test_a_lacking_month_leaves_the_year_counter_null_and_says_from_when_it_counts() -> None:
    days = pl.concat([written("2026-01-05", ABSENT), written("2026-03-02", *[ABSENT] * 5)])
    assert of(days, "unexcused_year_reason", month="2026-03") == ("earlier_months_missing",)
    columns = ("absent_count", "unexcused_year_count", "counted_from_date", "discipline_threshold_code")
    assert of(days, *columns, month="2026-03") == (5, None, dt.date(2026, 3, 1), None)


def test_months_before_the_regions_first_are_not_lacking() -> None:
    days = written("2026-03-02", *[ABSENT] * 3)
    columns = ("unexcused_year_count", "unexcused_run_count", "counted_from_date", "discipline_threshold_code")
    expected = (3, 3, dt.date(2026, 3, 1), "year_3")
    assert of(days, *columns, month="2026-03", policy=make_policy(first_month="2026-03")) == expected


def test_a_run_continues_over_weekends_months_and_years() -> None:
    december = written("2025-12-22", PRESENT, *[ABSENT] * 4, OFF, OFF, *[ABSENT] * 3)
    january = written("2026-01-01", ("holiday", 0, None, None, 0.0), ABSENT, OFF, OFF, *[ABSENT] * 2, PRESENT, ABSENT)
    days = pl.concat([december, january])
    policy = make_policy(first_month="2025-12")
    columns = ("unexcused_year_count", "unexcused_run_count", "discipline_threshold_code")
    assert of(days, *columns, policy=policy) == (4, 10, "run_10")


@pytest.mark.parametrize("between", [PRESENT, SILENT, ("leave", 0, None, None, 0.0), ("late", 1, 5, 0, 0.0)])
def test_any_other_working_day_breaks_a_run(between: Day) -> None:
    days = written("2026-01-05", ABSENT, ABSENT, between, ABSENT, ABSENT, ABSENT)
    assert of(days, "unexcused_run_count") == (3,)


def test_a_run_that_ended_before_the_month_is_not_the_months() -> None:
    days = pl.concat([written("2026-01-05", *[ABSENT] * 9, PRESENT), written("2026-02-02", PRESENT)])
    assert of(days, "unexcused_year_count", "unexcused_run_count", month="2026-02") == (9, 0)


def test_a_run_that_reaches_back_to_lacking_months_is_null() -> None:
    columns = ("unexcused_run_count", "unexcused_run_reason")
    days = written("2026-03-01", OFF, ABSENT, ABSENT, PRESENT)
    assert of(days, *columns, month="2026-03") == (None, "earlier_months_missing")
    days = written("2026-03-01", OFF, PRESENT, ABSENT, ABSENT)
    assert of(days, *columns, month="2026-03") == (2, None)


def test_of_who_joins_in_mid_history_nothing_is_lacking_before_the_first_day() -> None:
    # The months before March are lacking for everybody; Budi's first day is the 9th.
    days = pl.concat([written("2026-03-01", OFF, *[ABSENT] * 9), written("2026-03-09", ABSENT, ABSENT, nip=BUDI)])
    columns = ("unexcused_year_count", "unexcused_run_count", "unexcused_year_reason", "unexcused_run_reason")
    months = attendance_month(days, make_policy(first_month="2025-01"), "2026-03").select("nip", *columns)
    missing = "earlier_months_missing"
    assert months.rows() == [(BUDI, 2, 2, None, None), (ANI, None, None, missing, missing)]
    # Who had days before the lacking months has not just joined.
    before = written("2026-01-05", PRESENT, nip=BUDI)
    again = attendance_month(pl.concat([before, days]), make_policy(first_month="2025-01"), "2026-03")
    assert again.filter(nip=BUDI).select(columns).row(0) == (None, None, missing, missing)


def test_a_year_with_days_that_nobody_recorded_says_that_it_counts_at_least() -> None:
    days = pl.concat([written("2026-01-05", ABSENT, SILENT, PRESENT), written("2026-02-02", ABSENT, ABSENT)])
    columns = ("unexcused_year_count", "unexcused_year_reason", "unexcused_run_count", "unexcused_run_reason")
    assert of(days, *columns, month="2026-01") == (1, "days_not_recorded", 1, "days_not_recorded")
    assert of(days, *columns, month="2026-02") == (3, "days_not_recorded", 2, None)
    assert of(written("2026-01-05", SILENT, OFF), *columns) == (None, "nothing_recorded", None, "nothing_recorded")
    assert of(written("2026-01-05", ABSENT, OFF), *columns) == (1, None, 1, None)


def test_counters_of_a_person_of_whom_nothing_was_recorded_are_null_not_zero() -> None:
    columns = ("unexcused_year_count", "unexcused_run_count", "discipline_threshold_code")
    assert of(written("2026-01-05", SILENT, OFF, SILENT), *columns) == (None, None, None)
    # Days that nobody had to work, and days on leave, are known; so is a year in which another month was recorded.
    assert of(written("2026-01-03", OFF, OFF), *columns) == (0, 0, None)
    assert of(written("2026-01-05", SILENT, ("leave", 0, None, None, 0.0)), *columns) == (0, 0, None)
    later = pl.concat([written("2026-01-05", *[ABSENT] * 3), written("2026-02-02", SILENT)])
    assert of(later, *columns, month="2026-02") == (3, None, "year_3")


def test_a_run_over_the_turn_of_the_year_stays_whole_while_the_years_counter_begins_anew() -> None:
    december = written("2025-12-22", *[ABSENT] * 10)
    days = pl.concat([december, written("2026-01-01", *[ABSENT] * 2, PRESENT)])
    columns = ("unexcused_year_count", "unexcused_run_count", "discipline_threshold_code")
    assert of(days, *columns, policy=make_policy(first_month="2025-12")) == (2, 12, "run_10")
    # December is lacking: the year is whole, the run is not.
    assert of(days.filter(pl.col("period") == "2026-01"), *columns, policy=make_policy(first_month="2025-12")) == (
        2,
        None,
        None,
    )


def test_people_do_not_share_runs() -> None:
    days = pl.concat([written("2026-01-05", ABSENT, ABSENT), written("2026-01-05", ABSENT, ABSENT, nip=BUDI)])
    months = attendance_month(days, make_policy(), "2026-01")
    assert months["unexcused_run_count"].to_list() == [2, 2]


def test_people_without_days_in_the_month_have_no_row() -> None:
    days = pl.concat([written("2026-01-05", PRESENT), written("2026-02-02", PRESENT, nip=BUDI)])
    assert attendance_month(days, make_policy(), "2026-02")["nip"].to_list() == [BUDI]


def test_an_empty_month_is_an_empty_table() -> None:
    assert attendance_month(written("2026-01-05"), make_policy(), "2026-01").height == 0


# ---- what the policy adds --------------------------------------------------------------------------------------------


def test_450_late_minutes_are_one_unexcused_day_where_the_policy_says_so() -> None:
    late = ("late", 2, 150, 0, 0.01)
    days = pl.concat([written("2026-01-05", late, late, ABSENT), written("2026-02-02", late, ABSENT, ABSENT)])
    columns = ("absent_count", "unexcused_year_count", "unexcused_run_count", "discipline_threshold_code")
    assert of(days, *columns, month="2026-02") == (2, 3, 2, "year_3")
    strict = make_policy(attendance={"late_minutes_per_unexcused_day": 450})
    assert of(days, *columns, month="2026-02", policy=strict) == (2, 4, 2, "year_4")
    assert of(days, *columns, month="2026-01", policy=strict) == (1, 1, 1, None)  # 300 minutes are not yet a day


def test_earlier_months_need_only_the_counted_columns() -> None:
    january, february = written("2026-01-05", ABSENT, ABSENT), written("2026-02-02", ABSENT, PRESENT)
    slim = pl.concat([january.select(COUNTED_COLUMNS), february], how="diagonal")
    whole = pl.concat([january, february])
    assert attendance_month(slim, make_policy(), "2026-02").equals(attendance_month(whole, make_policy(), "2026-02"))


def test_days_of_two_bases_do_not_add_up() -> None:
    days = written("2026-01-05", ABSENT, ABSENT)
    columns = ("deduction_share", "deduction_base_code")
    assert of(days, *columns) == (0.1, "attendance_part")
    mixed = days.with_columns(deduction_base_code=pl.Series(["allowance", "attendance_part"]))
    assert of(mixed, *columns) == (None, None)


def test_a_threshold_holds_only_while_it_is_in_force() -> None:
    thresholds = [
        {"code": "old_2", "counter": "year", "days": 2, "valid_to": "2026-01"},
        {"code": "new_3", "counter": "year", "days": 3, "valid_from": "2026-02"},
    ]
    policy = make_policy(discipline=thresholds)
    days = pl.concat([written("2026-01-05", ABSENT, ABSENT), written("2026-02-02", PRESENT, ABSENT)])
    assert of(days, "discipline_threshold_code", policy=policy) == ("old_2",)
    assert of(days, "discipline_threshold_code", month="2026-02", policy=policy) == ("new_3",)
    # Months are read together: a column without a value has its type all the same.
    none = attendance_month(days, make_policy(discipline=[]), "2026-01")
    assert none.schema == attendance_month(days, policy, "2026-01").schema
