"""Attendance once more, slowly: one person-day at a time in plain Python, written from DOMAIN sections 5 and 9 alone.

Here: what the law and the policy say of a day and of a month. Not here: anything of kinerja_pipeline.facts, Polars.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import holidays

from kinerja_pipeline.policies.model import Deduction, Policy

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PRESENCE = ("present", "late", "left_early", "late_and_left_early", "missing_in", "missing_out")
Row = dict[str, Any]


@dataclass(frozen=True)
class Assignment:
    nip: str
    unit_id: str
    schedule_id: str | None
    status: str
    valid_from: dt.date
    valid_to: dt.date | None


@dataclass(frozen=True)
class Pin:
    device_id: str
    pin: str
    nip: str
    valid_from: dt.date
    valid_to: dt.date | None


@dataclass(frozen=True)
class Permit:
    permit_id: str
    nip: str
    kind_code: str
    part: str
    start_date: dt.date
    end_date: dt.date


@dataclass(frozen=True)
class Outage:
    device_id: str
    started_at: dt.datetime
    ended_at: dt.datetime | None


@dataclass(frozen=True)
class World:
    """Everything a region delivered, and its policy. Taps are (device, PIN, local time)."""

    policy: Policy = field(repr=False)
    assignments: list[Assignment]
    pins: list[Pin]
    taps: list[tuple[str, str, dt.datetime]]
    permits: list[Permit] = field(default_factory=list)
    roster: dict[tuple[str, dt.date], str] = field(default_factory=dict)
    outages: list[Outage] = field(default_factory=list)


@dataclass(frozen=True)
class Shift:
    """Where a person is expected on a day; hours are None on free days and where the policy knows no such schedule."""

    schedule_id: str
    day_type: str | None
    flexible: int = 0
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    pause: tuple[dt.datetime, dt.datetime] | None = None


def days_of(world: World, first: dt.date, last: dt.date, as_of: dt.date) -> list[Row]:
    """Every active employee's days from first to last, by person and day."""
    rows = []
    for nip in sorted({a.nip for a in world.assignments}):
        taps = taps_of(world, nip)
        day = first
        while day <= min(last, as_of):
            assignment = assignment_on(world, nip, day)
            if assignment is not None:
                rows.append(day_of(world, assignment, day, taps, as_of))
            day += DAY
    return rows


def latest(rows: Iterable[Any], day: dt.date) -> Any:
    """Of dated rows the one that began last, unless it is over: a later row ends the one before it."""
    begun = [row for row in rows if row.valid_from <= day]
    if not begun:
        return None
    row = max(begun, key=lambda r: r.valid_from)
    return row if row.valid_to is None or day <= row.valid_to else None


def assignment_on(world: World, nip: str, day: dt.date) -> Assignment | None:
    found: Assignment | None = latest((a for a in world.assignments if a.nip == nip), day)
    return found


def owner(world: World, device: str, pin: str, day: dt.date) -> str | None:
    found = latest((p for p in world.pins if (p.device_id, p.pin) == (device, pin)), day)
    return found.nip if found else None


def taps_of(world: World, nip: str) -> list[dt.datetime]:
    """The person's taps in order; one that follows another within the repeat window is the same tap."""
    times = sorted(at for device, pin, at in world.taps if owner(world, device, pin, at.date()) == nip)
    kept = []
    for number, at in enumerate(times):
        if number == 0 or (at - times[number - 1]).total_seconds() > world.policy.attendance.repeat_seconds:
            kept.append(at)
    return kept


# ---- the shift of a day ----------------------------------------------------------------------------------------------


def shift_on(world: World, assignment: Assignment, day: dt.date) -> Shift:
    policy = world.policy
    by_employment = {str(k): v for k, v in policy.attendance.schedule_by_employment.items()}
    name = assignment.schedule_id or by_employment.get(assignment.status) or policy.attendance.default_schedule
    known = policy.schedules.get(name)
    if known is not None and known.is_rostered:
        planned = world.roster.get((assignment.nip, day), "off")
        if planned == "off":
            return Shift(name, "off")
        name, known = planned, policy.schedules.get(planned)
    if known is None:
        return Shift(name, None)
    month = f"{day:%Y-%m}"
    week, fasting = known.week, known.ramadan
    for change in known.changes:
        if change.valid_from <= month:
            week, fasting = change.week, change.ramadan
    is_ramadan = any(span.start <= day <= span.end for span in policy.calendar.ramadan)
    weekday = WEEKDAYS[day.weekday()]
    hours = {str(k): v for k, v in (fasting if is_ramadan and fasting is not None else week).items()}
    if is_free(policy, day) and not known.is_rostered:
        return Shift(name, "holiday")
    if weekday not in hours:
        return Shift(name, "off")
    worked = hours[weekday]
    if known.is_rostered:
        day_type = "shift"
    elif is_ramadan:
        day_type = "ramadan"
    else:
        day_type = "friday" if weekday == "fri" else "normal"
    start, end = dt.datetime.combine(day, worked.start), dt.datetime.combine(day, worked.end)
    if end <= start:
        end += DAY
    pause = None
    if worked.break_minutes:
        begins = dt.datetime.combine(day, worked.break_start)
        if begins < start and end.date() > day:
            begins += DAY
        if start <= begins < end:
            pause = (begins, min(begins + worked.break_minutes * MINUTE, end))
    return Shift(name, day_type, known.flexible_minutes, start, end, pause)


def is_free(policy: Policy, day: dt.date) -> bool:
    national = national_holidays(tuple(policy.calendar.holiday_categories), day.year)
    return day in national or any(off.date == day for off in policy.calendar.days_off)


@cache
def national_holidays(categories: tuple[str, ...], year: int) -> frozenset[dt.date]:
    return frozenset(holidays.country_holidays("ID", years=year, categories=categories, language="id"))


def window_of(world: World, nip: str, day: dt.date) -> tuple[dt.datetime, dt.datetime, dt.datetime] | None:
    """Opening, midpoint and closing of the day's shift; windows that overlap meet halfway between out and in."""
    own = hours_on(world, nip, day)
    if own is None:
        return None
    start, end = own
    before = world.policy.attendance.before_minutes * MINUTE
    after = world.policy.attendance.after_minutes * MINUTE
    opens, closes = start - before, end + after
    earlier = next((h for n in range(1, 4) if (h := hours_on(world, nip, day - n * DAY))), None)
    later = next((h for n in range(1, 4) if (h := hours_on(world, nip, day + n * DAY))), None)
    if earlier is not None and earlier[1] + after > opens:
        halfway = earlier[1] + (start - earlier[1]) / 2
        opens = min(max(halfway, opens), earlier[1] + after)
    if later is not None and later[0] - before < closes:
        halfway = end + (later[0] - end) / 2
        closes = max(min(halfway, closes), later[0] - before)
    return opens, start + (end - start) / 2, closes


def hours_on(world: World, nip: str, day: dt.date) -> tuple[dt.datetime, dt.datetime] | None:
    assignment = assignment_on(world, nip, day)
    if assignment is None:
        return None
    shift = shift_on(world, assignment, day)
    return None if shift.start is None or shift.end is None else (shift.start, shift.end)


# ---- the day ---------------------------------------------------------------------------------------------------------


def day_of(world: World, assignment: Assignment, day: dt.date, taps: list[dt.datetime], as_of: dt.date) -> Row:
    nip, shift = assignment.nip, shift_on(world, assignment, day)
    window = window_of(world, nip, day)
    first = last = None
    if window is not None:
        opens, middle, closes = window
        inside = [at for at in taps if opens <= at < closes]
        first = min((at for at in inside if at < middle), default=None)
        last = max((at for at in inside if at >= middle), default=None)
        count = len(inside)
    else:
        near = [window_of(world, nip, day + n * DAY) for n in (-2, -1, 1, 2)]
        taken = [(w[0], w[2]) for w in near if w is not None]
        count = sum(at.date() == day and not any(a <= at < b for a, b in taken) for at in taps)
    table = table_of(world.policy, f"{day:%Y-%m}", assignment.status, shift.day_type)
    whole, is_first_excused, is_second_excused, is_unknown = permits_on(world, nip, day)
    late, early = minutes_of(shift, table, first, last, is_first_excused, is_second_excused)
    has_tap = first is not None or last is not None
    status = "present"
    if shift.day_type in ("off", "holiday"):
        status = shift.day_type
    elif whole is not None:
        status = whole
    elif shift.day_type is None or is_unknown or not (has_tap or could_be_recorded(world, nip, shift)):
        status = "not_recorded"
    elif not has_tap and not is_first_excused and not is_second_excused:
        status = "absent"
    elif first is None and not is_first_excused:
        status = "missing_in"
    elif last is None and not is_second_excused:
        status = "missing_out"
    elif late and early:
        status = "late_and_left_early"
    elif late:
        status = "late"
    elif early:
        status = "left_early"
    is_judged = status in PRESENCE or status == "absent"
    late, early = (late, early) if is_judged else (None, None)
    worked = None
    if first is not None and last is not None:
        spent = last - first
        if shift.pause is not None:
            spent -= max(min(last, shift.pause[1]) - max(first, shift.pause[0]), dt.timedelta(0))
        worked = int(spent.total_seconds() // 60)
    is_down = any(was_down(world, nip, on, as_of) for on in dates_of(shift))
    return {
        "nip": nip,
        "work_date": day,
        "unit_id": assignment.unit_id,
        "schedule_id": shift.schedule_id,
        "day_type": shift.day_type or "normal",
        "scheduled_in": shift.start,
        "scheduled_out": shift.end,
        "first_in": first,
        "last_out": last,
        "worked_minutes": worked,
        "late_minutes": late,
        "early_minutes": early,
        "status_code": status,
        "tap_count": count,
        **cost_of(table, status, late, early, is_down),
    }


def permits_on(world: World, nip: str, day: dt.date) -> tuple[str | None, bool, bool, bool]:
    """Status of a permit for the whole day; whether either half is excused; whether a kind is unknown."""
    covering = [p for p in world.permits if p.nip == nip and p.start_date <= day <= p.end_date]
    covering.sort(key=lambda p: (p.start_date, p.permit_id))
    found: dict[str, str] = {}
    for permit in covering:
        if permit.kind_code in world.policy.permits:
            found[permit.part] = world.policy.permits[permit.kind_code].status
    whole = found.get("whole")
    if whole is None and "second_half" in found:
        whole = found.get("first_half")
    is_unknown = any(p.kind_code not in world.policy.permits for p in covering)
    return whole, "first_half" in found, "second_half" in found, is_unknown


def minutes_of(
    shift: Shift,
    table: Deduction | None,
    first: dt.datetime | None,
    last: dt.datetime | None,
    is_first_excused: bool,
    is_second_excused: bool,
) -> tuple[int | None, int | None]:
    if shift.start is None or shift.end is None:
        return None, None
    counts_seconds = table is not None and table.counts_seconds

    def minutes(span: dt.timedelta, started: bool = counts_seconds) -> int:
        seconds = max(0.0, span.total_seconds())
        return int(-(-seconds // 60)) if started else int(seconds // 60)

    late: int | None = 0 if is_first_excused else None if first is None else minutes(first - shift.start)
    moved = min(late or 0, shift.flexible)
    end = shift.end + moved * MINUTE
    late = None if late is None else late - moved
    early = 0 if is_second_excused else None if last is None else minutes(end - last)
    if late and table is not None and last is not None and not is_second_excused:
        late -= min(late, table.make_up_minutes, minutes(last - end, False))
    return late, early


def dates_of(shift: Shift) -> list[dt.date]:
    """The calendar dates that the shift touches."""
    if shift.start is None or shift.end is None:
        return []
    dates, day = [], shift.start.date()
    while dt.datetime.combine(day, dt.time()) < shift.end:
        dates.append(day)
        day += DAY
    return dates


def devices_of(world: World, nip: str, day: dt.date) -> set[str]:
    return {p.device_id for p in world.pins if owner(world, p.device_id, p.pin, day) == nip}


def could_be_recorded(world: World, nip: str, shift: Shift) -> bool:
    """On every date of the shift the person has a PIN, and each device that knows the person gave a tap."""
    for day in dates_of(shift):
        devices = devices_of(world, nip, day)
        heard = {device for device, _, at in world.taps if at.date() == day}
        if not devices or not devices <= heard:
            return False
    return True


def was_down(world: World, nip: str, day: dt.date, as_of: dt.date) -> bool:
    begins = dt.datetime.combine(day, dt.time())
    for outage in world.outages:
        ends = outage.ended_at or dt.datetime.combine(as_of + DAY, dt.time())
        is_real = outage.started_at < ends
        if (
            is_real
            and outage.started_at < begins + DAY
            and ends > begins
            and outage.device_id in devices_of(world, nip, day)
        ):
            return True
    return False


# ---- what it costs ---------------------------------------------------------------------------------------------------


def table_of(policy: Policy, month: str, status: str, day_type: str | None) -> Deduction | None:
    kind = day_type if day_type in ("normal", "friday", "ramadan", "shift") else "normal"
    fitting = [
        t
        for t in policy.deductions
        if t.valid_from <= month
        and (not t.employment_status or status in t.employment_status)
        and (not t.day_types or kind in t.day_types)
    ]
    return max(fitting, key=lambda t: t.valid_from, default=None)


def cost_of(table: Deduction | None, status: str, late: int | None, early: int | None, is_down: bool) -> Row:
    if table is None:
        return {"late_code": None, "early_code": None, "deduction_share": None, "deduction_base_code": None}
    codes: dict[str, str | None] = {}
    cost = 0.0
    charged_late = 0 if late is None or late <= table.late_tolerance_minutes else late
    for name, minutes, bands, rate in (
        ("late_code", charged_late, table.late, table.late_minute_share),
        ("early_code", early or 0, table.early, table.early_minute_share),
    ):
        reached = [band for band in bands if minutes >= band.from_minutes]
        codes[name] = reached[-1].code if reached else None
        cost += reached[-1].share if reached else minutes * (rate or 0)
    if status in ("missing_in", "missing_out") and not is_down:
        cost += table.missing_tap_share
    if status == "absent":
        cost += table.absent_day_share
    share = None if status == "not_recorded" else min(cost, 1.0)
    return {**codes, "deduction_share": share, "deduction_base_code": table.base}


# ---- the month -------------------------------------------------------------------------------------------------------


def month_of(world: World, days: list[Row], month: str, first_day: dt.date) -> list[Row]:
    """Sums of the month; `days` are complete from `first_day` (the region's first) to the month's end."""
    rows = []
    for nip in sorted({d["nip"] for d in days if f"{d['work_date']:%Y-%m}" == month}):
        own = sorted((d for d in days if d["nip"] == nip), key=lambda d: d["work_date"])
        rows.append(_month_of(world, own, month, first_day))
    return rows


def _month_of(world: World, own: list[Row], month: str, first_day: dt.date) -> Row:
    days = [d for d in own if f"{d['work_date']:%Y-%m}" == month]
    judged = [d for d in days if d["status_code"] in PRESENCE or d["status_code"] == "absent"]
    present = [d for d in judged if d["status_code"] in PRESENCE and d["tap_count"] > 0]
    punctual = [d for d in present if not d["late_minutes"] and not d["early_minutes"]]
    counted_from = max(first_day, dt.date(int(month[:4]), 1, 1))
    year = [d for d in own if d["work_date"] >= counted_from]
    unexcused = sum(d["status_code"] == "absent" for d in year)
    if per_day := world.policy.attendance.late_minutes_per_unexcused_day:
        unexcused += sum(d["late_minutes"] or 0 for d in year) // per_day
    run = longest_run(own, days[0]["work_date"].replace(day=1))
    reached = [t.code for t in world.policy.discipline if (unexcused if t.counter == "year" else run) >= t.days]

    def is_silent(looked_at: list[Row]) -> bool:
        working = {d["status_code"] for d in looked_at} - {"off", "holiday"}
        return working == {"not_recorded"}

    costs = [d["deduction_share"] for d in days if d["deduction_share"] is not None]
    bases = {d["deduction_base_code"] for d in days} - {None}
    cap = min((t.month_cap_share for t in world.policy.deductions), default=1.0)
    return {
        "nip": days[0]["nip"],
        "period": month,
        "unit_id": days[-1]["unit_id"],
        "workday_count": len(judged),
        "not_recorded_count": sum(d["status_code"] == "not_recorded" for d in days),
        "present_count": len(present),
        "late_count": sum((d["late_minutes"] or 0) > 0 for d in days),
        "early_count": sum((d["early_minutes"] or 0) > 0 for d in days),
        "absent_count": sum(d["status_code"] == "absent" for d in days),
        "leave_count": sum(
            d["status_code"] in ("leave", "duty_travel", "sick", "permit", "study", "remote_work") for d in days
        ),
        "late_minutes": sum(d["late_minutes"] or 0 for d in days),
        "attendance_share": len(present) / len(judged) if judged else None,
        "punctuality_share": len(punctual) / len(present) if present else None,
        "deduction_share": min(sum(costs), cap) if costs and len(bases) == 1 else None,
        "deduction_base_code": next(iter(bases)) if len(bases) == 1 else None,
        "unexcused_year_count": None if is_silent(year) else unexcused,
        "unexcused_run_count": None if is_silent(days) else run,
        "counted_from_date": counted_from,
        "discipline_threshold_code": reached[-1] if reached else None,
    }


def longest_run(own: list[Row], month_start: dt.date) -> int:
    """The longest run of absences on consecutive working days of which at least one is in the month."""
    best = length = 0
    touches = False
    for day in own:
        if day["status_code"] in ("off", "holiday"):
            continue
        if day["status_code"] != "absent":
            length, touches = 0, False
            continue
        length += 1
        touches = touches or day["work_date"] >= month_start
        if touches:
            best = max(best, length)
    return best
