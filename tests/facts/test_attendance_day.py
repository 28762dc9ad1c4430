"""A person's day: which tap is in and out, minutes, status, deduction. Expected values are worked out by hand.

Office hours 07:30-16:00 (midpoint 11:45), Friday 07:30-16:30; the region is on WIT, nine hours ahead of UTC.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from facts_world import (
    ANI,
    BUDI,
    CITRA,
    employee_frame,
    make_policy,
    outage_frame,
    permit_frame,
    pin_frame,
    roster_frame,
    tap_frame,
    utc,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from kinerja_pipeline.facts.attendance import attendance_day, attendance_month
from kinerja_pipeline.policies.model import Deduction, Policy

POLICY = make_policy()
APRIL_END = dt.date(2026, 4, 30)
ALWAYS = "2020-01-01"


def people(*schedules: tuple[str, str | None]) -> pl.DataFrame:
    return employee_frame([(nip, "U1", schedule, ALWAYS, None) for nip, schedule in schedules])


def heard(device: str, *dates: str) -> list[tuple[str, str, str]]:
    """Taps of a stranger, so that the device is known to have worked on those dates."""
    return [(device, "999", f"{date} 10:00") for date in dates]


def build(
    taps: list[tuple[str, str, str]],
    *,
    employees: pl.DataFrame | None = None,
    pins: pl.DataFrame | None = None,
    permits: pl.DataFrame | None = None,
    rosters: pl.DataFrame | None = None,
    outages: pl.DataFrame | None = None,
    policy: Policy = POLICY,
    month: str = "2026-04",
    as_of: dt.date = APRIL_END,
) -> pl.DataFrame:
    """Ani in the office at U1 with PIN 1 on device D1, unless the test says otherwise."""
    return attendance_day(
        tap_frame(taps),
        people((ANI, None)) if employees is None else employees,
        pin_frame([("D1", "1", ANI, ALWAYS, None)]) if pins is None else pins,
        permit_frame([]) if permits is None else permits,
        roster_frame([]) if rosters is None else rosters,
        outage_frame([]) if outages is None else outages,
        policy,
        month,
        as_of,
    )


def test_people_whose_days_are_laid_out_in_parts_have_the_same_days(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = people((ANI, None), (BUDI, "shift_morning"), (CITRA, None))
    pins = pin_frame([("D1", str(n), nip, ALWAYS, None) for n, nip in enumerate((CITRA, ANI, BUDI))])
    rosters = roster_frame([(BUDI, "2026-04-01", "shift_morning"), (BUDI, "2026-04-02", "shift_morning")])
    taps = [("D1", str(n), f"2026-04-0{day} 0{6 + n}:5{day}") for n in range(3) for day in (1, 2)]
    together = build(taps, employees=staff, pins=pins, rosters=rosters)
    monkeypatch.setattr("kinerja_pipeline.facts.attendance.PEOPLE_AT_ONCE", 2)
    assert build(taps, employees=staff, pins=pins, rosters=rosters).equals(together)
    assert together["nip"].n_unique() == 3


def with_tables(*tables: Deduction) -> Policy:
    return POLICY.model_copy(update={"deductions": list(tables)})


def on(days: pl.DataFrame, date: str, *columns: str, nip: str = ANI) -> tuple[Any, ...]:
    found = days.filter(pl.col("nip") == nip, pl.col("work_date") == dt.date.fromisoformat(date))
    assert found.height == 1
    return found.select(columns).row(0)


def at_work(date: str, first: str, last: str, pin: str = "1") -> list[tuple[str, str, str]]:
    return [("D1", pin, f"{date} {first}"), ("D1", pin, f"{date} {last}")]


# ---- an ordinary day -----------------------------------------------------------------------------------------------


def test_a_punctual_day_in_full() -> None:
    days = build(at_work("2026-04-06", "07:25:30", "16:05:10"))
    assert days.filter(pl.col("work_date") == dt.date(2026, 4, 6)).row(0, named=True) == {
        "nip": ANI,
        "work_date": dt.date(2026, 4, 6),
        "period": "2026-04",
        "unit_id": "U1",
        "schedule_id": "office_5_day",
        "day_type": "normal",
        "scheduled_in_at": utc("2026-04-05 22:30"),
        "scheduled_out_at": utc("2026-04-06 07:00"),
        "first_in_at": utc("2026-04-05 22:25:30"),
        "last_out_at": utc("2026-04-06 07:05:10"),
        "first_in_local": "07:25",
        "last_out_local": "16:05",
        "worked_minutes": 459,  # 8 h 39 min 40 s without the hour's break
        "late_minutes": 0,
        "early_minutes": 0,
        "status_code": "present",
        "late_code": None,
        "early_code": None,
        "deduction_share": 0.0,
        "deduction_base_code": "attendance_part",
        "deduction_rule": None,
        "tap_count": 2,
        "rule_version": "2026.1",
        "is_workday": True,
        "is_present": True,
        "deduction_cap_share": 0.4,
    }


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("07:30:59", "16:00", ("present", 0, 0, None, None, 0.0)),
        ("07:31", "16:00", ("late", 1, 0, "TL1", None, 0.005)),
        ("08:00", "16:00", ("late", 30, 0, "TL1", None, 0.005)),
        ("08:01", "16:00", ("late", 31, 0, "TL2", None, 0.01)),
        ("09:01", "16:00", ("late", 91, 0, "TL4", None, 0.025)),
        ("07:00", "15:30", ("left_early", 0, 30, None, "PSW1", 0.005)),
        ("07:00", "15:59:01", ("present", 0, 0, None, None, 0.0)),
        ("08:01", "15:29", ("late_and_left_early", 31, 31, "TL2", "PSW2", 0.02)),
    ],
)
def test_minutes_reach_the_band_they_should(first: str, last: str, expected: tuple[Any, ...]) -> None:
    days = build(at_work("2026-04-06", first, last))
    columns = ("status_code", "late_minutes", "early_minutes", "late_code", "early_code", "deduction_share")
    assert on(days, "2026-04-06", *columns) == pytest.approx(expected)


def test_a_policy_may_count_started_minutes() -> None:
    strict = with_tables(POLICY.deductions[0].model_copy(update={"counts_seconds": True}))
    days = build(at_work("2026-04-06", "07:30:01", "16:00:00"), policy=strict)
    assert on(days, "2026-04-06", "late_minutes", "early_minutes") == (1, 0)


def test_leaving_during_the_break_subtracts_only_the_break_that_was_taken() -> None:
    days = build(at_work("2026-04-06", "07:30", "12:30"))
    assert on(days, "2026-04-06", "worked_minutes", "early_minutes") == (270, 210)


def test_friday_has_its_own_end_and_break() -> None:
    days = build(at_work("2026-04-10", "07:30", "16:00"))
    columns = ("day_type", "status_code", "early_minutes", "worked_minutes")
    assert on(days, "2026-04-10", *columns) == ("friday", "left_early", 30, 420)


def test_ramadan_has_its_own_hours() -> None:
    taps = at_work("2026-03-02", "08:10", "15:00") + at_work("2026-03-06", "08:00", "15:30")
    days = build(taps, month="2026-03", as_of=dt.date(2026, 3, 31))
    columns = ("day_type", "status_code", "late_minutes", "worked_minutes")
    assert on(days, "2026-03-02", *columns) == ("ramadan", "late", 10, 380)
    assert on(days, "2026-03-06", *columns) == ("ramadan", "present", 0, 390)


@pytest.mark.parametrize(
    ("tap", "expected"),
    [
        ("09:00", ("missing_out", 90, None, "09:00", None, 0.025)),  # TL2 0.01 + missing tap 0.015
        ("11:44:59", ("missing_out", 254, None, "11:44", None, 0.04)),
        ("11:45", ("missing_in", None, 255, None, "11:45", 0.025)),
        ("16:10", ("missing_in", None, 0, None, "16:10", 0.015)),
    ],
)
def test_a_single_tap_is_in_or_out_by_where_it_falls(tap: str, expected: tuple[Any, ...]) -> None:
    days = build([("D1", "1", f"2026-04-06 {tap}")])
    columns = ("status_code", "late_minutes", "early_minutes", "first_in_local", "last_out_local", "deduction_share")
    assert on(days, "2026-04-06", *columns) == pytest.approx(expected)
    assert on(days, "2026-04-06", "is_present", "worked_minutes") == (True, None)


def test_no_tap_where_others_tapped_is_absent() -> None:
    days = build(heard("D1", "2026-04-06"))
    columns = ("status_code", "deduction_share", "late_minutes", "tap_count", "is_workday", "is_present")
    assert on(days, "2026-04-06", *columns) == ("absent", 0.05, None, 0, True, False)


def test_taps_in_between_change_nothing_but_the_count() -> None:
    taps = [*at_work("2026-04-06", "07:25", "16:05"), ("D1", "1", "2026-04-06 11:50"), ("D1", "1", "2026-04-06 09:00")]
    assert on(build(taps), "2026-04-06", "first_in_local", "last_out_local", "tap_count") == ("07:25", "16:05", 4)


def test_repeats_within_a_minute_are_one_tap() -> None:
    around_midpoint = [("D1", "1", "2026-04-06 11:44:40"), ("D1", "1", "2026-04-06 11:45:40")]
    assert on(build(around_midpoint), "2026-04-06", "status_code", "tap_count") == ("missing_out", 1)
    a_second_more = [("D1", "1", "2026-04-06 11:44:40"), ("D1", "1", "2026-04-06 11:45:41")]
    assert on(build(a_second_more), "2026-04-06", "tap_count", "last_out_local") == (2, "11:45")


def test_the_pressed_state_is_never_used() -> None:
    pressed = tap_frame(at_work("2026-04-06", "07:25", "16:05")).with_columns(state_code=pl.Series([1, 0]))
    pins, nothing = pin_frame([("D1", "1", ANI, ALWAYS, None)]), (permit_frame([]), roster_frame([]), outage_frame([]))
    days = attendance_day(pressed, people((ANI, None)), pins, *nothing, POLICY, "2026-04", APRIL_END)
    assert on(days, "2026-04-06", "status_code", "first_in_local") == ("present", "07:25")


def test_days_total_no_more_than_the_whole() -> None:
    greedy = POLICY.deductions[0].model_copy(update={"missing_tap_share": 0.99})
    days = build([("D1", "1", "2026-04-06 09:01")], policy=POLICY.model_copy(update={"deductions": [greedy]}))
    assert on(days, "2026-04-06", "deduction_share") == (1.0,)


def test_without_a_rule_table_in_force_nothing_is_deducted_or_coded() -> None:
    later = [POLICY.deductions[0].model_copy(update={"valid_from": "2026-05"})]
    days = build(at_work("2026-04-06", "09:00", "16:00"), policy=POLICY.model_copy(update={"deductions": later}))
    columns = ("late_minutes", "late_code", "deduction_share", "deduction_base_code")
    assert on(days, "2026-04-06", *columns) == (90, None, None, None)


# ---- who, and where ------------------------------------------------------------------------------------------------


def test_every_active_employee_has_every_day_once() -> None:
    days = build([], employees=people((ANI, None), (BUDI, "guard"), (CITRA, "shift_morning")))
    assert days.height == 3 * 30
    assert days.select("nip", "work_date").is_duplicated().sum() == 0
    assert days["status_code"].null_count() == 0


def test_days_outside_employment_and_after_as_of_do_not_appear() -> None:
    employees = employee_frame([(ANI, "U1", None, "2026-04-06", "2026-04-09")])
    assert build([], employees=employees)["work_date"].to_list() == [dt.date(2026, 4, day) for day in (6, 7, 8, 9)]
    assert build([], as_of=dt.date(2026, 4, 2)).height == 2
    assert build([], as_of=dt.date(2026, 3, 31)).height == 0


def test_acting_assignments_are_not_judged() -> None:
    acting = employee_frame([(ANI, "U9", None, ALWAYS, None)], assignment="plt")
    assert build([], employees=acting).height == 0
    days = build([], employees=pl.concat([people((ANI, None)), acting]))
    assert days["unit_id"].unique().to_list() == ["U1"]


def test_a_transfer_in_the_middle_of_the_month_changes_unit_and_schedule_that_day() -> None:
    employees = employee_frame([(ANI, "U1", None, ALWAYS, "2026-04-14"), (ANI, "U2", "guard", "2026-04-15", None)])
    days = build([], employees=employees)
    assert on(days, "2026-04-14", "unit_id", "schedule_id") == ("U1", "office_5_day")
    assert on(days, "2026-04-15", "unit_id", "schedule_id") == ("U2", "guard")


def test_who_leaves_the_night_shift_with_the_old_month_ends_its_last_night_before_the_new_one_is_judged() -> None:
    employees = employee_frame(
        [(ANI, "U1", "guard", ALWAYS, "2026-03-31"), (ANI, "U1", "office_5_day", "2026-04-01", None)]
    )
    taps = [("D1", "1", f"2026-{at}") for at in ("03-31 20:25", "04-01 07:20", "04-01 16:05")]
    # 07:20 is before the end of the guard's last night, 07:30: it is out there, not in here.
    days = build(taps, employees=employees)
    assert on(days, "2026-04-01", "status_code", "tap_count") == ("missing_in", 1)


def test_an_assignment_nobody_closed_ends_where_the_next_begins() -> None:
    employees = employee_frame([(ANI, "U1", None, ALWAYS, None), (ANI, "U2", None, "2026-04-15", None)])
    days = build([], employees=employees)
    assert days.height == 30
    assert on(days, "2026-04-15", "unit_id") == ("U2",)


def test_one_pin_on_two_devices_can_be_two_people() -> None:
    pins = pin_frame([("D1", "1", ANI, ALWAYS, None), ("D2", "1", BUDI, ALWAYS, None)])
    taps = [("D1", "1", "2026-04-06 07:20"), ("D2", "1", "2026-04-06 07:40")]
    days = build(taps, employees=people((ANI, None), (BUDI, None)), pins=pins)
    assert on(days, "2026-04-06", "first_in_local") == ("07:20",)
    assert on(days, "2026-04-06", "first_in_local", nip=BUDI) == ("07:40",)


def test_two_devices_are_one_person_in_and_out() -> None:
    pins = pin_frame([("D1", "1", ANI, ALWAYS, None), ("D2", "44", ANI, ALWAYS, None)])
    days = build([("D1", "1", "2026-04-06 07:20"), ("D2", "44", "2026-04-06 16:20")], pins=pins)
    assert on(days, "2026-04-06", "status_code") == ("present",)


def test_a_pin_given_to_someone_else_is_theirs_from_that_day() -> None:
    pins = pin_frame([("D1", "1", ANI, ALWAYS, None), ("D1", "1", BUDI, "2026-04-07", None)])
    taps = at_work("2026-04-06", "07:20", "16:20") + at_work("2026-04-07", "07:20", "16:20")
    days = build(taps, employees=people((ANI, None), (BUDI, None)), pins=pins)
    assert on(days, "2026-04-06", "status_code") == ("present",)
    assert on(days, "2026-04-07", "status_code") == ("not_recorded",)  # Ani has no PIN any more
    assert on(days, "2026-04-06", "status_code", nip=BUDI) == ("not_recorded",)
    assert on(days, "2026-04-07", "status_code", nip=BUDI) == ("present",)


# ---- shifts --------------------------------------------------------------------------------------------------------


def guard(taps: list[tuple[str, str, str]], **more: Any) -> pl.DataFrame:
    return build(taps, employees=people((ANI, "guard")), **more)


def test_a_guard_who_taps_after_midnight_is_late_not_early() -> None:
    days = guard([("D1", "1", "2026-04-08 00:10"), ("D1", "1", "2026-04-08 07:35")])
    columns = ("status_code", "late_minutes", "early_minutes", "first_in_local", "last_out_local")
    assert on(days, "2026-04-07", *columns) == ("late", 220, 0, "00:10", "07:35")
    assert on(days, "2026-04-08", "tap_count") == (0,)


def test_a_shift_crosses_both_ends_of_the_month() -> None:
    taps = [("D1", "1", f"2026-{at}") for at in ("03-31 20:25", "04-01 07:31", "04-30 20:20", "05-01 07:40")]
    days = guard(taps)
    assert on(days, "2026-04-01", "status_code", "tap_count") == ("not_recorded", 0)  # 07:31 ended the shift of March
    assert on(days, "2026-04-30", "status_code", "last_out_local") == ("present", "07:40")
    march = guard(taps, month="2026-03", as_of=dt.date(2026, 3, 31))
    assert on(march, "2026-03-31", "status_code", "last_out_local") == ("present", "07:31")


def roster(*shifts: tuple[str, str]) -> pl.DataFrame:
    return roster_frame([(ANI, date, shift) for date, shift in shifts])


def test_windows_of_neighbouring_shifts_meet_halfway() -> None:
    # Night 21:00-07:00, then evening 14:00-21:00: seven hours between, they meet at 10:30.
    shifts = roster(("2026-04-06", "shift_night"), ("2026-04-07", "shift_evening"))
    days = build(
        [("D1", "1", "2026-04-07 10:29"), ("D1", "1", "2026-04-07 10:31")],
        employees=people((ANI, "shift_morning")),
        rosters=shifts,
    )
    assert on(days, "2026-04-06", "status_code", "last_out_local") == ("missing_in", "10:29")
    assert on(days, "2026-04-07", "status_code", "first_in_local") == ("missing_out", "10:31")


def test_back_to_back_shifts_meet_at_the_change() -> None:
    shifts = roster(("2026-04-06", "shift_night"), ("2026-04-07", "shift_morning"))
    taps = [("D1", "1", f"2026-04-{at}") for at in ("06 20:55", "07 06:59", "07 07:03", "07 14:01")]
    days = build(taps, employees=people((ANI, "shift_morning")), rosters=shifts)
    columns = ("status_code", "late_minutes", "early_minutes", "worked_minutes", "day_type")
    assert on(days, "2026-04-06", *columns) == ("left_early", 0, 1, 574, "shift")  # 604 minutes, 30 of break
    assert on(days, "2026-04-07", *columns) == ("late", 3, 0, 418, "shift")


def test_windows_reach_four_hours_before_and_six_after() -> None:
    edges = [("D1", "1", f"2026-04-06 {at}") for at in ("03:28:59", "03:30", "21:59:59", "22:01")]
    assert on(build(edges), "2026-04-06", "first_in_local", "last_out_local", "tap_count") == ("03:30", "21:59", 2)


def test_the_roster_alone_says_when_a_rostered_person_works() -> None:
    shifts = roster(("2026-04-03", "shift_morning"), ("2026-04-04", "off"))
    days = build(at_work("2026-04-03", "06:55", "14:05"), employees=people((ANI, "shift_evening")), rosters=shifts)
    # 3 April is a national holiday: the roster names it, so it is worked.
    columns = ("schedule_id", "day_type", "status_code", "scheduled_in_at")
    assert on(days, "2026-04-03", *columns) == ("shift_morning", "shift", "present", utc("2026-04-02 22:00"))
    assert on(days, "2026-04-04", *columns) == ("shift_evening", "off", "off", None)
    assert on(days, "2026-04-06", *columns) == ("shift_evening", "off", "off", None)


def test_holidays_and_free_days_are_never_judged() -> None:
    days = build([*heard("D1", "2026-04-03", "2026-04-11"), ("D1", "1", "2026-04-11 09:00")])
    columns = ("status_code", "day_type", "late_minutes", "deduction_share", "tap_count", "first_in_at", "is_workday")
    assert on(days, "2026-04-03", *columns) == ("holiday", "holiday", None, 0.0, 0, None, False)
    assert on(days, "2026-04-11", *columns) == ("off", "off", None, 0.0, 1, None, False)


def test_a_schedule_the_policy_does_not_name_is_not_judged() -> None:
    days = build(heard("D1", "2026-04-06"), employees=people((ANI, "piket")))
    assert on(days, "2026-04-06", "status_code", "schedule_id", "deduction_share") == ("not_recorded", "piket", None)


# ---- permits -------------------------------------------------------------------------------------------------------


def permit(kind: str, part: str, number: str = "p1") -> tuple[str, str, str, str, str, str]:
    return (number, ANI, kind, part, "2026-04-06", "2026-04-06")


def test_a_permit_for_the_whole_day_beats_the_absence_of_taps_and_taps() -> None:
    leave = permit_frame([("p1", ANI, "cuti", "whole", "2026-03-30", "2026-04-07")])
    days = build([*heard("D1", "2026-04-06"), ("D1", "1", "2026-04-07 09:00")], permits=leave)
    columns = ("status_code", "late_minutes", "deduction_share", "is_workday", "is_present")
    assert on(days, "2026-04-06", *columns) == ("leave", None, 0.0, False, False)
    assert on(days, "2026-04-07", *columns) == ("leave", None, 0.0, False, False)
    assert on(days, "2026-04-01", "status_code") == ("leave",)  # nothing was recorded that day
    assert on(days, "2026-04-03", "status_code") == ("holiday",)
    assert on(days, "2026-04-04", "status_code") == ("off",)
    assert on(days, "2026-04-08", "status_code") == ("not_recorded",)


def test_half_a_permit_removes_only_that_half() -> None:
    columns = ("status_code", "late_minutes", "early_minutes", "deduction_share")
    first_half = permit_frame([permit("dinas", "first_half")])
    late_and_early = at_work("2026-04-06", "10:00", "15:50")
    assert on(build(late_and_early, permits=first_half), "2026-04-06", *columns) == ("left_early", 0, 10, 0.005)
    only_out = [("D1", "1", "2026-04-06 16:01")]
    assert on(build(only_out, permits=first_half), "2026-04-06", *columns) == ("present", 0, 0, 0.0)
    second_half = permit_frame([permit("dinas", "second_half")])
    only_in = [("D1", "1", "2026-04-06 07:40")]
    assert on(build(only_in, permits=second_half), "2026-04-06", *columns) == ("late", 10, 0, 0.005)


def test_half_a_permit_without_any_tap_misses_the_other_tap_and_is_no_presence() -> None:
    days = build(heard("D1", "2026-04-06"), permits=permit_frame([permit("dinas", "first_half")]))
    assert on(days, "2026-04-06", "status_code", "deduction_share", "is_present") == ("missing_out", 0.015, False)


def test_two_half_permits_are_a_whole_one() -> None:
    halves = permit_frame([permit("sakit", "first_half"), permit("dinas", "second_half", "p2")])
    assert on(build(heard("D1", "2026-04-06"), permits=halves), "2026-04-06", "status_code") == ("sick",)


def test_a_permit_of_an_unknown_kind_neither_excuses_nor_accuses() -> None:
    unknown = permit_frame([permit("cuti_baru", "whole")])
    assert on(build(heard("D1", "2026-04-06"), permits=unknown), "2026-04-06", "status_code") == ("not_recorded",)


# ---- what could not be recorded ------------------------------------------------------------------------------------


def test_a_day_without_any_tap_on_the_device_is_not_recorded() -> None:
    days = build(heard("D1", "2026-04-06"))
    columns = ("status_code", "deduction_share", "is_workday")
    assert on(days, "2026-04-07", *columns) == ("not_recorded", None, False)


def test_a_person_without_a_pin_that_day_is_not_recorded() -> None:
    pins = pin_frame([("D1", "1", ANI, "2026-04-07", None)])
    days = build(heard("D1", "2026-04-06", "2026-04-07"), pins=pins)
    assert on(days, "2026-04-06", "status_code") == ("not_recorded",)
    assert on(days, "2026-04-07", "status_code") == ("absent",)


def test_absence_needs_every_device_of_the_person_to_have_worked() -> None:
    pins = pin_frame([("D1", "1", ANI, ALWAYS, None), ("D2", "1", ANI, ALWAYS, None)])
    days = build([*heard("D1", "2026-04-06", "2026-04-07"), *heard("D2", "2026-04-07")], pins=pins)
    assert on(days, "2026-04-06", "status_code") == ("not_recorded",)  # Ani may have tapped on D2
    assert on(days, "2026-04-07", "status_code") == ("absent",)


def test_a_night_shift_is_absent_only_when_both_dates_were_recorded() -> None:
    assert on(guard(heard("D1", "2026-04-06")), "2026-04-06", "status_code") == ("not_recorded",)
    assert on(guard(heard("D1", "2026-04-06", "2026-04-07")), "2026-04-06", "status_code") == ("absent",)


# ---- outages -------------------------------------------------------------------------------------------------------

OUTAGE = outage_frame([("D1", "2026-04-06 06:00", "2026-04-06 09:00")])


def test_an_outage_waives_the_missing_tap_but_not_lateness() -> None:
    columns = ("status_code", "deduction_share", "deduction_rule", "is_present")
    only_out = build([("D1", "1", "2026-04-06 15:50")], outages=OUTAGE)
    waived = "PSW1 1-30 min 0.50 % + missing in-tap waived, device outage, rules of 2026-01"
    assert on(only_out, "2026-04-06", *columns) == ("missing_in", 0.005, waived, True)
    late = build(at_work("2026-04-06", "09:30", "16:00"), outages=OUTAGE)
    assert on(late, "2026-04-06", *columns) == ("late", 0.025, "TL4 from 91 min 2.50 %, rules of 2026-01", True)


def test_an_outage_of_another_device_or_day_waives_nothing() -> None:
    tap = [("D1", "1", "2026-04-06 16:00")]
    for device, start, end in (("D2", "06", "06"), ("D1", "05", "05"), ("D1", "07", "07")):
        other = outage_frame([(device, f"2026-04-{start} 00:00", f"2026-04-{end} 23:59")])
        assert on(build(tap, outages=other), "2026-04-06", "deduction_share") == (0.015,)
    until_midnight = outage_frame([("D1", "2026-04-05 08:00", "2026-04-06 00:00")])
    assert on(build(tap, outages=until_midnight), "2026-04-06", "deduction_share") == (0.015,)


def test_an_outage_nobody_ended_lasts() -> None:
    still_down = outage_frame([("D1", "2026-03-30 08:00", None)])
    days = build([("D1", "1", "2026-04-06 16:00"), ("D1", "1", "2026-04-30 16:00")], outages=still_down)
    assert on(days, "2026-04-06", "deduction_share") == (0.0,)
    assert on(days, "2026-04-30", "deduction_share") == (0.0,)


def test_a_device_that_was_down_and_gave_no_tap_judges_nobody_and_one_that_gave_some_excuses_no_absence() -> None:
    assert on(build([], outages=OUTAGE), "2026-04-06", "status_code") == ("not_recorded",)
    days = build(heard("D1", "2026-04-06"), outages=OUTAGE)
    assert on(days, "2026-04-06", "status_code", "deduction_share") == ("absent", 0.05)


def test_a_night_shift_is_touched_by_an_outage_on_either_date() -> None:
    morning = outage_frame([("D1", "2026-04-07 05:00", "2026-04-07 12:00")])
    days = guard([("D1", "1", "2026-04-06 20:25"), ("D1", "1", "2026-04-07 20:25")], outages=morning)
    assert on(days, "2026-04-06", "status_code", "deduction_share") == ("missing_out", 0.0)
    assert on(days, "2026-04-07", "status_code", "deduction_share") == ("missing_out", 0.0)
    assert on(guard([("D1", "1", "2026-04-08 20:25")], outages=morning), "2026-04-08", "deduction_share") == (0.015,)


# ---- rule tables ---------------------------------------------------------------------------------------------------


def ruled(**changes: Any) -> Policy:
    return with_tables(POLICY.deductions[0].model_copy(update=changes))


@pytest.mark.parametrize(
    ("first", "last", "rule"),
    [
        ("07:30", "16:00", None),
        ("07:31", "16:00", "TL1 1-30 min 0.50 %, rules of 2026-01"),
        ("08:01", "15:29", "TL2 31-90 min 1.00 % + PSW2 from 31 min 1.00 %, rules of 2026-01"),
    ],
)
def test_a_days_deduction_names_its_rules(first: str, last: str, rule: str | None) -> None:
    assert on(build(at_work("2026-04-06", first, last)), "2026-04-06", "deduction_rule") == (rule,)


def test_missing_taps_and_absences_name_their_rule_and_unjudged_days_name_none() -> None:
    days = build([*heard("D1", "2026-04-06"), ("D1", "1", "2026-04-07 09:01")])
    columns = ("deduction_rule", "deduction_share")
    assert on(days, "2026-04-06", *columns) == ("absent 5.00 %, rules of 2026-01", 0.05)
    both = "TL4 from 91 min 2.50 % + missing out-tap 1.50 %, rules of 2026-01"
    assert on(days, "2026-04-07", *columns) == (both, 0.04)
    assert on(days, "2026-04-08", *columns) == (None, None)  # not recorded
    assert on(days, "2026-04-03", *columns) == (None, 0.0)  # a holiday
    greedy = build([("D1", "1", "2026-04-06 09:01")], policy=ruled(missing_tap_share=0.99))
    capped = "TL4 from 91 min 2.50 % + missing out-tap 99.00 %, at most 100 %, rules of 2026-01"
    assert on(greedy, "2026-04-06", *columns) == (capped, 1.0)


def test_the_same_91_minutes_cost_what_each_rule_says() -> None:
    taps = at_work("2026-04-06", "09:01", "16:00")
    columns = ("late_minutes", "late_code", "deduction_share", "deduction_rule")
    by_minute = build(taps, policy=ruled(late=[], late_minute_share=0.00003))
    line = "late 91 min x 0.003 %, rules of 2026-01"
    assert on(by_minute, "2026-04-06", *columns) == (91, None, pytest.approx(0.00273), line)
    nothing = build(taps, policy=ruled(late=[]))
    assert on(nothing, "2026-04-06", *columns) == (91, None, 0.0, None)
    assert on(build(taps), "2026-04-06", "deduction_share") == (0.025,)


def test_leaving_early_may_cost_by_the_minute_too() -> None:
    days = build(at_work("2026-04-06", "07:30", "15:20"), policy=ruled(early=[], early_minute_share=0.001))
    columns = ("early_minutes", "early_code", "deduction_share", "deduction_rule")
    assert on(days, "2026-04-06", *columns) == (40, None, 0.04, "early 40 min x 0.10 %, rules of 2026-01")


def test_tolerated_minutes_are_late_but_free_and_beyond_it_all_count() -> None:
    lenient = ruled(late_tolerance_minutes=30)
    columns = ("status_code", "late_minutes", "late_code", "deduction_share", "deduction_rule")
    free = ("late", 30, None, 0.0, "late 30 min within tolerance, rules of 2026-01")
    assert on(build(at_work("2026-04-06", "08:00", "16:00"), policy=lenient), "2026-04-06", *columns) == free
    costly = ("late", 31, "TL2", 0.01, "TL2 31-90 min 1.00 %, rules of 2026-01")
    assert on(build(at_work("2026-04-06", "08:01", "16:00"), policy=lenient), "2026-04-06", *columns) == costly


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("07:50", "16:20:59", ("present", 0, 0.0, "20 min made up, rules of 2026-01")),
        ("07:50", "16:12", ("late", 8, 0.005, "TL1 1-30 min 0.50 % + 12 min made up, rules of 2026-01")),
        ("08:20", "17:30", ("late", 20, 0.005, "TL1 1-30 min 0.50 % + 30 min made up, rules of 2026-01")),
        ("07:50", "16:00", ("late", 20, 0.005, "TL1 1-30 min 0.50 %, rules of 2026-01")),
        ("07:20", "17:30", ("present", 0, 0.0, None)),
    ],
)
def test_staying_longer_cancels_lateness_up_to_the_limit(first: str, last: str, expected: tuple[Any, ...]) -> None:
    days = build(at_work("2026-04-06", first, last), policy=ruled(make_up_minutes=30))
    assert on(days, "2026-04-06", "status_code", "late_minutes", "deduction_share", "deduction_rule") == expected


def test_without_a_make_up_rule_staying_longer_cancels_nothing() -> None:
    assert on(build(at_work("2026-04-06", "07:50", "18:00")), "2026-04-06", "late_minutes") == (20,)


def test_day_types_and_employment_have_their_own_tables() -> None:
    plain = POLICY.deductions[0]
    policy = with_tables(
        plain.model_copy(update={"day_types": ["normal", "ramadan", "shift"], "employment_status": ["pns"]}),
        plain.model_copy(update={"day_types": ["friday"], "absent_day_share": 0.08}),
        plain.model_copy(
            update={
                "day_types": ["normal"],
                "employment_status": ["pppk"],
                "base": "allowance",
                "absent_day_share": 0.02,
            }
        ),
    )
    silent = heard("D1", "2026-04-09", "2026-04-10")
    columns = ("deduction_share", "deduction_base_code")
    civil = build(silent, policy=policy)
    assert on(civil, "2026-04-09", *columns) == (0.05, "attendance_part")
    assert on(civil, "2026-04-10", *columns) == (0.08, "attendance_part")
    contract = build(silent, policy=policy, employees=employee_frame([(ANI, "U1", None, ALWAYS, None)], status="pppk"))
    assert on(contract, "2026-04-09", *columns) == (0.02, "allowance")
    part_time = employee_frame([(ANI, "U1", None, ALWAYS, None)], status="pppk_paruh_waktu")
    assert on(build(silent, policy=policy, employees=part_time), "2026-04-09", *columns) == (None, None)


def test_a_later_table_replaces_the_earlier_from_its_month_on() -> None:
    plain = POLICY.deductions[0]
    policy = with_tables(plain, plain.model_copy(update={"valid_from": "2026-04", "absent_day_share": 0.06}))
    april = build(heard("D1", "2026-04-06"), policy=policy)
    assert on(april, "2026-04-06", "deduction_rule") == ("absent 6.00 %, rules of 2026-04",)
    march = build(heard("D1", "2026-03-30"), policy=policy, month="2026-03", as_of=dt.date(2026, 3, 31))
    assert on(march, "2026-03-30", "deduction_rule") == ("absent 5.00 %, rules of 2026-01",)


# ---- other hours ---------------------------------------------------------------------------------------------------


def with_schedule(name: str, **changes: Any) -> Policy:
    schedule = POLICY.schedules["office_5_day"].model_copy(update=changes)
    return POLICY.model_copy(update={"schedules": POLICY.schedules | {name: schedule}})


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("07:30", "16:00", ("present", 0, 0)),
        ("08:10:40", "16:40", ("present", 0, 0)),  # 40 minutes later, until 16:40
        ("08:10", "16:35", ("left_early", 0, 5)),
        ("08:35", "17:00", ("late", 5, 0)),  # 60 of 65 minutes shift, until 17:00
        ("07:00", "15:45", ("left_early", 0, 15)),  # the start never shifts forward
    ],
)
def test_a_flexible_start_shifts_the_end_with_it(first: str, last: str, expected: tuple[Any, ...]) -> None:
    policy = with_schedule("flexible", flexible_minutes=60)
    days = build(at_work("2026-04-06", first, last), policy=policy, employees=people((ANI, "flexible")))
    assert on(days, "2026-04-06", "status_code", "late_minutes", "early_minutes") == expected
    assert on(days, "2026-04-06", "scheduled_out_at") == (utc("2026-04-06 07:00"),)


def test_part_time_staff_have_the_hours_of_their_employment_unless_their_assignment_names_others() -> None:
    morning = {"mon": {"start": "07:30", "end": "11:30"}}
    sections = POLICY.model_dump()
    sections["schedules"]["part_time"] = {"labels": {"id": "a", "en": "a"}, "week": morning}
    sections["attendance"]["schedule_by_employment"] = {"pppk_paruh_waktu": "part_time"}
    policy = Policy.model_validate(sections)

    def hired(schedule: str | None, status: str) -> pl.DataFrame:
        employees = employee_frame([(ANI, "U1", schedule, ALWAYS, None)], status=status)
        return build(at_work("2026-04-06", "07:25", "11:31"), policy=policy, employees=employees)

    columns = ("schedule_id", "status_code", "early_minutes")
    assert on(hired(None, "pppk_paruh_waktu"), "2026-04-06", *columns) == ("part_time", "present", 0)
    assert on(hired(None, "pppk_paruh_waktu"), "2026-04-07", "status_code") == ("off",)
    assert on(hired(None, "pppk"), "2026-04-06", *columns) == ("office_5_day", "missing_out", None)
    assert on(hired("guard", "pppk_paruh_waktu"), "2026-04-06", "schedule_id") == ("guard",)


def test_hours_change_from_a_month_on() -> None:
    later = {"valid_from": "2026-04", "week": {"mon": {"start": "08:00", "end": "16:00"}}}
    sections = POLICY.model_dump()
    sections["schedules"]["office_5_day"]["changes"] = [later]
    policy = Policy.model_validate(sections)
    april = build(at_work("2026-04-06", "07:50", "16:00"), policy=policy)
    assert on(april, "2026-04-06", "status_code", "scheduled_in_at") == ("present", utc("2026-04-05 23:00"))
    assert on(april, "2026-04-07", "status_code") == ("off",)
    march = build(at_work("2026-03-30", "07:50", "16:00"), policy=policy, month="2026-03", as_of=dt.date(2026, 3, 31))
    assert on(march, "2026-03-30", "status_code", "late_minutes") == ("late", 20)


def test_remote_work_is_no_absence_costs_nothing_and_is_no_working_day() -> None:
    policy = make_policy(permits={"jauh": {"labels": {"id": "a", "en": "a"}, "status": "remote_work"}})
    remote = permit_frame([permit("jauh", "whole")])
    days = build([*heard("D1", "2026-04-06"), ("D1", "1", "2026-04-06 09:00")], permits=remote, policy=policy)
    columns = ("status_code", "deduction_share", "deduction_rule", "late_minutes", "is_workday", "is_present")
    assert on(days, "2026-04-06", *columns) == ("remote_work", 0.0, None, None, False, False)
    month = attendance_month(days, policy, "2026-04").row(0, named=True)
    assert (month["workday_count"], month["leave_count"], month["absent_count"]) == (0, 1, 0)


def test_a_regional_day_off_is_free_and_a_shift_on_it_is_not() -> None:
    taps = heard("D1", "2026-03-26")
    march: dict[str, Any] = {"month": "2026-03", "as_of": dt.date(2026, 3, 31)}
    assert on(build(taps, **march), "2026-03-26", "status_code") == ("holiday",)
    rostered = build(
        taps, employees=people((ANI, "shift_morning")), rosters=roster(("2026-03-26", "shift_morning")), **march
    )
    assert on(rostered, "2026-03-26", "status_code") == ("absent",)


MINUTES = st.integers(min_value=0, max_value=5 * 24 * 60 - 1)
DEVICES = ("D1", "D2", "D3")


@settings(max_examples=30)
@given(
    taps=st.lists(st.tuples(st.sampled_from(DEVICES), st.sampled_from("123"), MINUTES), max_size=30),
    pins=st.sets(st.tuples(st.sampled_from(DEVICES), st.sampled_from("123")), min_size=1),
    withheld=st.sampled_from(DEVICES),
)
def test_withholding_a_device_never_adds_an_absence(
    taps: list[tuple[str, str, int]], pins: set[tuple[str, str]], withheld: str
) -> None:
    start = dt.datetime(2026, 4, 6)  # noqa: DTZ001
    written = [(device, pin, (start + dt.timedelta(minutes=minute)).isoformat()) for device, pin, minute in taps]
    nips = {"1": ANI, "2": BUDI, "3": CITRA}
    world: dict[str, Any] = {
        "employees": people((ANI, None), (BUDI, "guard"), (CITRA, "shift_morning")),
        "pins": pin_frame([(device, pin, nips[pin], ALWAYS, None) for device, pin in sorted(pins)]),
        "rosters": roster_frame([(CITRA, f"2026-04-{n:02d}", "shift_night") for n in (6, 7, 9)]),
        "as_of": dt.date(2026, 4, 12),
    }
    complete = build(written, **world)
    partial = build([tap for tap in written if tap[0] != withheld], **world)

    def absences(days: pl.DataFrame) -> set[tuple[Any, ...]]:
        return set(days.filter(pl.col("status_code") == "absent").select("nip", "work_date").iter_rows())

    assert absences(partial) <= absences(complete)
    counters = ["absent_count", "unexcused_run_count"]
    before = attendance_month(complete, make_policy(first_month="2026-04"), "2026-04").select(counters)
    after = attendance_month(partial, make_policy(first_month="2026-04"), "2026-04").select(counters)
    # A counter of a person of whom nothing is left recorded becomes unknown; it never rises.
    assert all(
        b is None or (a is not None and b <= a)
        for one, two in zip(before.rows(), after.rows(), strict=True)
        for a, b in zip(one, two, strict=True)
    )
