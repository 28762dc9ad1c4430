"""Which days are worked and from when to when, as far as the demo world needs it.

Here: months, holidays, working hours of a date. Not here: how attendance is judged (facts/).
"""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from functools import cached_property

import holidays

from kinerja_pipeline.policies.model import Policy, Weekday

WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def first_day(month: str) -> dt.date:
    return dt.date.fromisoformat(f"{month}-01")


def last_day(month: str) -> dt.date:
    first = first_day(month)
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def next_month(month: str) -> str:
    return (last_day(month) + dt.timedelta(days=1)).strftime("%Y-%m")


def month_of(day: dt.date) -> str:
    return f"{day.year}-{day.month:02d}"


def month_range(first: str, last: str) -> list[str]:
    """All months from first to last, both included."""
    months = [first]
    while months[-1] < last:
        months.append(next_month(months[-1]))
    return months


def days_of(month: str) -> list[dt.date]:
    first = first_day(month)
    return [first + dt.timedelta(days=n) for n in range((last_day(month) - first).days + 1)]


@dataclass(frozen=True)
class Workdays:
    """The working days of one region's policy between two months."""

    policy: Policy
    months: tuple[str, ...]

    @cached_property
    def free(self) -> frozenset[dt.date]:
        years = range(int(self.months[0][:4]), int(self.months[-1][:4]) + 2)
        named = holidays.country_holidays(
            "ID", years=years, categories=tuple(self.policy.calendar.holiday_categories), language="id"
        )
        return frozenset(named) | {d.date for d in self.policy.calendar.days_off}

    @cached_property
    def start(self) -> dt.date:
        return first_day(self.months[0])

    @cached_property
    def end(self) -> dt.date:
        return last_day(self.months[-1])

    @cached_property
    def _known(self) -> dict[tuple[str, dt.date], tuple[int, int] | None]:
        return {}

    def hours(self, schedule_id: str, day: dt.date) -> tuple[int, int] | None:
        """Start and end in minutes after the day's midnight (an end beyond 1440 is tomorrow), None on a free day."""
        key = (schedule_id, day)
        if key not in self._known:
            self._known[key] = self._hours(schedule_id, day)
        return self._known[key]

    def _hours(self, schedule_id: str, day: dt.date) -> tuple[int, int] | None:
        schedule = self.policy.schedules[schedule_id]
        if day in self.free and not schedule.is_rostered:
            return None
        fasting = any(span.start <= day <= span.end for span in self.policy.calendar.ramadan)
        hours = schedule.hours(month_of(day))
        week = hours.ramadan if fasting and hours.ramadan is not None else hours.week
        worked = week.get(WEEKDAYS[day.weekday()])
        if worked is None:
            return None
        start, end = worked.start.hour * 60 + worked.start.minute, worked.end.hour * 60 + worked.end.minute
        return start, end if end > start else end + 1440

    @cached_property
    def office_days(self) -> tuple[dt.date, ...]:
        """Working days of the region's default schedule, in order."""
        default = self.policy.attendance.default_schedule
        return tuple(d for m in self.months for d in days_of(m) if self.hours(default, d) is not None)

    @cached_property
    def office_days_by_month(self) -> dict[str, tuple[dt.date, ...]]:
        return {m: tuple(d for d in self.office_days if month_of(d) == m) for m in self.months}
