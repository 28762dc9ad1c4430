"""attendance_day and attendance_month agree with the slow oracle, cell by cell, on random small worlds."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attendance_oracle as oracle
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
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kinerja_pipeline.facts.attendance import attendance_day, attendance_month
from kinerja_pipeline.facts.periods import add_months, month_bounds
from kinerja_pipeline.policies.model import Policy

PEOPLE, DEVICES, PINS = (ANI, BUDI, CITRA), ("D1", "D2"), ("1", "2", "3")
MONTHS = ("2026-01", "2026-03", "2026-04")
"""After a new year; Ramadan, its end and the holidays after it; an ordinary month."""


def table(**changes: Any) -> dict[str, Any]:
    late = [{"from_minutes": 1, "code": "TL1", "share": 0.005}, {"from_minutes": 31, "code": "TL2", "share": 0.01}]
    early = [{"from_minutes": 1, "code": "PSW1", "share": 0.005}, {"from_minutes": 61, "code": "PSW2", "share": 0.0125}]
    plain = {
        "valid_from": "2025-01",
        "late": late,
        "early": early,
        "missing_tap_share": 0.015,
        "absent_day_share": 0.05,
        "base": "attendance_part",
        "month_cap_share": 0.2,
        "source": "tests",
    }
    return plain | changes


BY_MINUTE = table(
    valid_from="2026-01",
    late=[],
    early=[],
    late_minute_share=0.0003,
    early_minute_share=0.0002,
    late_tolerance_minutes=15,
    make_up_minutes=30,
    counts_seconds=True,
)
DEDUCTIONS: dict[str, list[dict[str, Any]]] = {
    "bands": [table()],
    "by the minute from 2026 on": [table(), BY_MINUTE],
    "by employment and day": [
        table(employment_status=["pns"], day_types=["normal", "friday"]),
        table(employment_status=["pns"], day_types=["ramadan", "shift"], late=[], absent_day_share=0.9),
        BY_MINUTE | {"employment_status": ["pppk_paruh_waktu"], "base": "allowance"},
    ],
    "none yet": [table(valid_from="2026-05")],
}
WORK = {"start": "08:15", "end": "12:15"}


def policies(first_month: str) -> dict[str, Policy]:
    plain = make_policy()
    schedules = {name: schedule.model_dump() for name, schedule in plain.schedules.items()}
    schedules["flexible"] = schedules["office_5_day"] | {"flexible_minutes": 60}
    schedules["part_time"] = {
        "labels": {"id": "a", "en": "a"},
        "week": dict.fromkeys(("mon", "tue", "wed", "sat"), WORK),
        "changes": [{"valid_from": "2026-03", "week": {day: WORK | {"start": "09:00"} for day in ("mon", "fri")}}],
    }
    return {
        name: make_policy(
            first_month=first_month,
            schedules=schedules,
            deductions=tables,
            attendance={
                "schedule_by_employment": {"pppk_paruh_waktu": "part_time"},
                "late_minutes_per_unexcused_day": 450 if name == "bands" else None,
            },
            permits={
                "cuti": {"labels": {"id": "a", "en": "a"}, "status": "leave"},
                "dinas": {"labels": {"id": "a", "en": "a"}, "status": "duty_travel"},
                "jauh": {"labels": {"id": "a", "en": "a"}, "status": "remote_work"},
            },
        )
        for name, tables in DEDUCTIONS.items()
    }


POLICIES = {month: policies(add_months(month, -1)) for month in MONTHS}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[oracle.World, str, dt.date]:
    """A fortnight full of events around the end of the month before, or in the middle of the month."""
    month = draw(st.sampled_from(MONTHS))
    policy = POLICIES[month][draw(st.sampled_from(sorted(DEDUCTIONS)))]
    first, last = month_bounds(month)
    start = draw(
        st.sampled_from([first - dt.timedelta(days=7), first + dt.timedelta(days=9), last - dt.timedelta(days=9)])
    )
    days = st.integers(0, 13).map(lambda n: start + dt.timedelta(days=n))
    midnight = dt.datetime.combine(start, dt.time())

    assignments, pins = [], []
    schedules = st.sampled_from([None, "office_5_day", "guard", "flexible", "shift_morning", "shift_night", "piket"])
    for number, nip in enumerate(PEOPLE):
        status = draw(st.sampled_from(["pns", "pppk", "pppk_paruh_waktu"]))
        hired = draw(st.sampled_from([dt.date(2020, 1, 1), dt.date(2020, 1, 1), start + dt.timedelta(days=3)]))
        # A month without a day of anybody counts as missing, not as a month without absences.
        hired = hired if number else dt.date(2020, 1, 1)
        ends = draw(st.none() | days)
        assignments.append(oracle.Assignment(nip, "U1", draw(schedules), status, hired, ends and max(ends, hired)))
        if draw(st.booleans()):
            moved = draw(days.filter(lambda day, hired=hired: day > hired))
            assignments.append(oracle.Assignment(nip, "U2", draw(schedules), status, moved, None))
        device = draw(st.sampled_from(DEVICES))
        pins.append(oracle.Pin(device, PINS[number], nip, dt.date(2020, 1, 1), draw(st.none() | days)))
    for _ in range(draw(st.integers(0, 3))):
        pin = oracle.Pin(
            draw(st.sampled_from(DEVICES)), draw(st.sampled_from(PINS)), draw(st.sampled_from(PEOPLE)), draw(days), None
        )
        if all((p.device_id, p.pin, p.valid_from) != (pin.device_id, pin.pin, pin.valid_from) for p in pins):
            pins.append(pin)

    seconds = st.integers(0, 14 * 86400 - 1).map(lambda n: midnight + dt.timedelta(seconds=n))
    taps = [
        (device, pin, at)
        for device, pin, at in draw(
            st.lists(st.tuples(st.sampled_from(DEVICES), st.sampled_from(PINS), seconds), max_size=20)
        )
    ]
    for device, day in draw(st.sets(st.tuples(st.sampled_from(DEVICES), days), max_size=28)):
        taps.append((device, "999", dt.datetime.combine(day, dt.time(10))))

    permits = [
        oracle.Permit(f"p{number}", nip, kind, part, day, day + dt.timedelta(days=length))
        for number, (nip, kind, part, day, length) in enumerate(
            draw(
                st.lists(
                    st.tuples(
                        st.sampled_from(PEOPLE),
                        st.sampled_from(["cuti", "dinas", "jauh", "baru"]),
                        st.sampled_from(["whole", "first_half", "second_half"]),
                        days,
                        st.integers(0, 2),
                    ),
                    max_size=5,
                )
            )
        )
    ]
    named = st.sampled_from(["shift_morning", "shift_evening", "shift_night", "off", "jaga"])
    roster = draw(st.dictionaries(st.tuples(st.sampled_from(PEOPLE), days), named, max_size=30))
    hours = st.integers(1, 60).map(lambda n: dt.timedelta(hours=n))
    outages = {
        (device, at): oracle.Outage(device, at, None if length is None else at + length)
        for device, at, length in draw(
            st.lists(st.tuples(st.sampled_from(DEVICES), seconds, st.none() | hours), max_size=3)
        )
    }
    as_of = draw(st.sampled_from([last, start + dt.timedelta(days=11)]))
    world = oracle.World(policy, assignments, pins, taps, permits, roster, list(outages.values()))
    punctual, anywhere = st.integers(-10 * 60, 100 * 60), st.integers(-6 * 3600, 7 * 3600)
    offset = st.none() | punctual | punctual | punctual | anywhere
    for nip, day, came, left in draw(
        st.lists(st.tuples(st.sampled_from(PEOPLE), days, offset, offset), min_size=4, max_size=30)
    ):
        if hours := oracle.hours_on(world, nip, day):
            for at, seconds_after in zip(hours, (came, left), strict=True):
                moment = at + dt.timedelta(seconds=seconds_after or 0)
                own = [p for p in pins if oracle.owner(world, p.device_id, p.pin, moment.date()) == nip]
                if seconds_after is not None and own:
                    taps.append((own[0].device_id, own[0].pin, moment))
    return world, month, min(as_of, last)


def computed_days(world: oracle.World, month: str, as_of: dt.date) -> pl.DataFrame:
    employees = pl.concat(
        employee_frame([(a.nip, a.unit_id, a.schedule_id, str(a.valid_from), text(a.valid_to))], status=a.status)
        for a in world.assignments
    )
    return attendance_day(
        tap_frame([(device, pin, at.isoformat()) for device, pin, at in world.taps]),
        employees,
        pin_frame([(p.device_id, p.pin, p.nip, str(p.valid_from), text(p.valid_to)) for p in world.pins]),
        permit_frame(
            [(p.permit_id, p.nip, p.kind_code, p.part, str(p.start_date), str(p.end_date)) for p in world.permits]
        ),
        roster_frame([(nip, str(day), shift) for (nip, day), shift in world.roster.items()]),
        outage_frame([(o.device_id, str(o.started_at), text(o.ended_at)) for o in world.outages]),
        world.policy,
        month,
        as_of,
    )


def text(value: dt.date | None) -> str | None:
    return None if value is None else str(value)


def as_published(row: oracle.Row) -> dict[str, Any]:
    """The oracle's day under the names of the table; the region is nine hours ahead of UTC."""
    found = dict(row)
    for name in ("scheduled_in", "scheduled_out", "first_in", "last_out"):
        at = found.pop(name)
        found[f"{name}_at"] = None if at is None else (at - dt.timedelta(hours=9)).replace(tzinfo=dt.UTC)
        if name in ("first_in", "last_out"):
            found[f"{name}_local"] = None if at is None else f"{at:%H:%M}"
    return found


def assert_same(expected: list[dict[str, Any]], found: pl.DataFrame) -> None:
    key = ["nip"] + [name for name in ("work_date", "period") if name in expected[0]] if expected else ["nip"]
    rows = found.sort(key).rows(named=True)
    assert len(rows) == len(expected)
    for row, right in zip(rows, expected, strict=True):
        told = {name: row[name] for name in right}
        assert told == {name: near(value) for name, value in right.items()}


def near(value: Any) -> Any:
    return pytest.approx(value, abs=1e-9) if isinstance(value, float) else value


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(drawn=worlds())
def test_days_and_months_agree_with_the_oracle(drawn: tuple[oracle.World, str, dt.date]) -> None:
    world, month, as_of = drawn
    before = add_months(month, -1)
    first, last = month_bounds(before)
    days, right = [], []
    for one, day in ((before, min(last, as_of)), (month, as_of)):
        found = computed_days(world, one, day)
        expected = oracle.days_of(world, *month_bounds(one), day)
        assert_same([as_published(row) for row in expected], found)
        days.append(found)
        right += expected
    assert_same(oracle.month_of(world, right, month, first), attendance_month(pl.concat(days), world.policy, month))
