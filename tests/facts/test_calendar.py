"""Holidays, Ramadan, and the hours of schedules. The first tests pin what the calendar leans on in `holidays`."""

from __future__ import annotations

import datetime as dt
from typing import Any

import holidays
import polars as pl
from facts_world import local, make_policy

from kinerja_pipeline.facts.calendar import calendar_days, schedule_days
from kinerja_pipeline.policies.model import Policy


def national(category: str) -> dict[dt.date, str]:
    return dict(holidays.country_holidays("ID", years=2026, language="id", categories=(category,)).items())


def test_holidays_names_are_indonesian_only_when_asked() -> None:
    assert national("public")[dt.date(2026, 3, 21)] == "Hari Raya Idul Fitri"
    english = holidays.country_holidays("ID", years=2026, language="en_US", categories=("public",))
    assert english[dt.date(2026, 3, 21)] != "Hari Raya Idul Fitri"


def test_cuti_bersama_is_in_category_government_and_holidays_in_public() -> None:
    shared = {dt.date(2026, 3, day) for day in (18, 20, 23, 24)}
    assert shared <= national("government").keys()
    assert not shared & national("public").keys()
    assert dt.date(2026, 8, 17) in national("public")


def row(frame: pl.DataFrame, **key: Any) -> dict[str, Any]:
    found = frame.filter(*(pl.col(name) == value for name, value in key.items()))
    return found.row(0, named=True)


def test_a_day_knows_holiday_ramadan_and_weekday(policy: Policy) -> None:
    days = calendar_days(policy, dt.date(2026, 3, 19), dt.date(2026, 3, 26))
    assert days.height == 8
    assert row(days, work_date=dt.date(2026, 3, 19)) == {
        "work_date": dt.date(2026, 3, 19),
        "is_holiday": True,
        "holiday_name": "Hari Suci Nyepi",
        "is_ramadan": True,
        "weekday": "thu",
    }
    assert row(days, work_date=dt.date(2026, 3, 25))["is_holiday"] is False
    assert row(days, work_date=dt.date(2026, 3, 21))["is_ramadan"] is False
    assert row(days, work_date=dt.date(2026, 3, 26))["holiday_name"] == "Hari Jadi Tanjung"


def test_a_policy_may_leave_cuti_bersama_out() -> None:
    policy = make_policy(calendar={"holiday_categories": ["public"]})
    days = calendar_days(policy, dt.date(2026, 3, 20), dt.date(2026, 3, 21))
    assert days["is_holiday"].to_list() == [False, True]


def test_two_names_on_one_day_are_both_kept() -> None:
    policy = make_policy(calendar={"days_off": [{"date": "2026-08-17", "label": "Hari Jadi"}]})
    days = calendar_days(policy, dt.date(2026, 8, 17), dt.date(2026, 8, 17))
    assert days["holiday_name"].item() == "Hari Kemerdekaan Republik Indonesia; Hari Jadi"


def test_office_hours_differ_on_friday_and_in_ramadan(policy: Policy) -> None:
    days = schedule_days(policy, dt.date(2026, 3, 1), dt.date(2026, 4, 30))

    def office(on: str) -> tuple[Any, ...]:
        found = row(days, schedule_id="office_5_day", work_date=dt.date.fromisoformat(on))
        return tuple(found[c] for c in ("day_type", "scheduled_in", "scheduled_out", "break_from", "break_to"))

    def hours(on: str, *times: str) -> tuple[dt.datetime, ...]:
        return tuple(local(f"{on} {time}") for time in times)

    assert office("2026-04-06") == ("normal", *hours("2026-04-06", "07:30", "16:00", "12:00", "13:00"))
    assert office("2026-04-10") == ("friday", *hours("2026-04-10", "07:30", "16:30", "11:30", "13:00"))
    assert office("2026-03-02") == ("ramadan", *hours("2026-03-02", "08:00", "15:00", "12:00", "12:30"))
    assert office("2026-03-06") == ("ramadan", *hours("2026-03-06", "08:00", "15:30", "11:30", "12:30"))
    assert office("2026-04-11") == ("off", None, None, None, None)
    assert office("2026-04-03") == ("holiday", None, None, None, None)
    assert office("2026-04-05")[0] == "holiday"  # Easter Sunday


def test_a_rostered_schedule_knows_no_holidays_and_may_end_tomorrow(policy: Policy) -> None:
    days = schedule_days(policy, dt.date(2026, 4, 3), dt.date(2026, 4, 3))
    night = row(days, schedule_id="shift_night")
    assert (night["day_type"], night["scheduled_out"]) == ("shift", local("2026-04-04 07:00"))
    assert (night["break_from"], night["break_to"]) == (local("2026-04-04 01:00"), local("2026-04-04 01:30"))
