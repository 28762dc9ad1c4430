"""Which months of a region run, how much of each and why: one rule for plan, sensor, schedules and the command line.

Here: what a delivery touches, what differs from the state a month was computed from, and the months that follow; pure.
Not here: finding out what a home holds (orchestration/basis), running (orchestration/launch).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kinerja_pipeline.facts.periods import add_months, month_end, month_start, months_of, periods_of
from kinerja_pipeline.landing.ledger import Delivery
from kinerja_pipeline.policies.model import Policy

MOST_LOOK_BACK = 12
"""Growth looks at the same month last year, follow-up at a year of evaluations, counters and runs at eleven months."""
TAPS, MEASURED = "attendance_log", "indicator_measurement"
"""Feeds of which a month reads more than its own rows: 36 hours of its neighbours, and the month a year before."""

Depth = Literal["whole", "onward"]
"""`whole`: validated, facts and all after them. `onward`: only what looks at other months, and all after that."""
CauseCode = Literal[
    "new", "asked", "delivery", "register", "correction", "policy", "code", "day", "warehouse", "report", "month"
]


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a month runs, in words; `id` names the delivery, the policy's or the program's version where there is one."""

    code: CauseCode
    text: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Affected:
    """A month to run."""

    month: str
    depth: Depth
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """What a month of a region is computed from. What validated and facts rest on first: how many lines of the ledger
    were there (`ledger` is a digest of them), the policy's rules for facts, the program, registers and corrections as
    validated, the last counted day and the deadlines that had passed. Then what only later rooms rest on: how many
    lines the list of deliveries has, the policies of the month and of the longer periods around it, what closed by the
    calendar, and the bases of the months before.

    `published` is a digest of what the warehouse says of the month; another one was published by somebody else.
    """

    month: str
    line_count: int
    ledger: str
    rules: str
    code: str
    registers: str
    corrections: str
    as_of: str
    overdue: tuple[str, ...]
    listed_count: int
    policies: Mapping[str, str]
    closed: tuple[str, ...]
    earlier: Mapping[str, str]
    published: str


def reach(line: Delivery) -> frozenset[str]:
    """The months whose own rows a landed file can change; `dated` stands for every month.

    Attendance reads 36 hours of its neighbours, which a file touches only where it has taps so near; growth of
    measurements reads the month a year before.
    """
    months = {month for month, count in line.months.items() if count}
    touched = set(months)
    if line.feed == TAPS and months:
        first, last = min(months), max(months)
        # What lies between is there anyway; the file's own first and last day say how near its ends are.
        if line.first_event_date is None or _day(line.first_event_date) <= month_start(first) + dt.timedelta(days=1):
            touched.add(add_months(first, -1))
        if line.last_event_date is None or _day(line.last_event_date) >= month_end(last) - dt.timedelta(days=1):
            touched.add(add_months(last, 1))
        touched |= {add_months(m, step) for m in months for step in (-1, 1) if first < add_months(m, step) < last}
    if line.feed == MEASURED:
        touched |= {add_months(month, 12) for month in months}
    return frozenset(touched)


def reaches(lines: Sequence[Delivery], shared: Mapping[int, Collection[str]] | None = None) -> list[frozenset[str]]:
    """For each line of the ledger the months that it touches: by its rows, by what the same file had landed under an
    earlier mapping, and (`shared`, by number of the line from 0) by keys of its rows that stand in other months too."""
    earlier: dict[tuple[str, str, str], frozenset[str]] = {}
    found = []
    for number, line in enumerate(lines):
        file, own = (line.feed, line.file_name, line.delivery_id), reach(line)
        found.append(own | earlier.get(file, frozenset()) | frozenset((shared or {}).get(number, ())))
        earlier[file] = own | earlier.get(file, frozenset())
    return found


def differences(
    then: Basis, now: Basis, new_lines: Sequence[Delivery], later: Collection[str]
) -> tuple[list[Cause], list[Cause]]:
    """Why validated and facts of a month have to run, and why only what comes after them.

    `new_lines` are the lines since that touch the month. `later` are the region's months after it: the last one of a
    longer period publishes that last, so a policy that changed for the longer period alone is its business.
    """
    month = now.month
    whole = [Cause("delivery", line.file_name, line.delivery_id) for line in new_lines]
    if then.registers != now.registers:
        whole.append(Cause("register", "a register (employees, units, PINs, permits ...) says something else"))
    if then.corrections != now.corrections:
        whole.append(Cause("correction", "the register of corrections"))
    if then.rules != now.rules:
        whole.append(_policy_changed(then.policies.get(month), now.policies[month]))
    if then.code != now.code:
        whole.append(Cause("code", f"program and contracts: {then.code} -> {now.code}", now.code))
    if then.as_of != now.as_of:
        whole.append(Cause("day", f"computed up to {then.as_of}, now {now.as_of}"))
    if then.overdue != now.overdue:
        whole.append(Cause("day", "a deadline has passed"))
    onward: list[Cause] = []
    for period, version in now.policies.items():
        if then.policies.get(period) != version and not any(m in months_of(period) for m in later if period != month):
            onward.append(_policy_changed(then.policies.get(period), version))
            break
    if then.closed != now.closed:
        onward.append(Cause("day", f"closed: {', '.join(p for p in now.closed if p not in then.closed) or 'no more'}"))
    if others := sorted(m for m in {*then.earlier, *now.earlier} if then.earlier.get(m) != now.earlier.get(m)):
        onward.append(Cause("month", f"looks at {others[-1]}", others[-1]))
    if then.published != now.published:
        onward.append(Cause("warehouse", "the warehouse does not hold what was last computed here"))
    return whole, onward


def _policy_changed(then: str | None, now: str) -> Cause:
    return Cause("policy", f"policy {then} -> {now}", now)


def affected(
    whole: Mapping[str, Sequence[Cause]],
    onward: Mapping[str, Sequence[Cause]],
    published: Collection[str],
    versions: Sequence[Policy],
) -> list[Affected]:
    """The months to run, in order: those of `whole` and `onward`, and every published month that looks at one of them,
    as far back as any version of the policy lets it. Validated and facts of months that only look on are left alone.
    """
    back = looks_back(versions)
    causes: dict[str, list[Cause]] = {m: [*whole.get(m, ()), *onward.get(m, ())] for m in {*whole, *onward}}
    for month in sorted(causes):
        for later in (m for m in published if month < m <= add_months(month, back)):
            seen = causes.setdefault(later, [])
            if not any(c.code == "month" for c in seen):
                seen.append(Cause("month", f"looks at {month}", month))
    return [Affected(m, "whole" if m in whole else "onward", tuple(causes[m])) for m in sorted(causes)]


def looks_back(versions: Sequence[Policy]) -> int:
    """How many months before it a month reads at most, under any version of the policy."""
    return max(_looks_back(policy) for policy in versions)


def _looks_back(policy: Policy) -> int:
    tasks = policy.periods.task_lookback_months
    grows = any(i.statistic == "growth" and i.fact == "task_outcome" for i in policy.indicators.values())
    # The growth of a backlog opens last year's, which reads as far back again.
    return max(MOST_LOOK_BACK, tasks + MOST_LOOK_BACK if grows else tasks)


def periods_moved(months: Iterable[str], published: Collection[str]) -> list[str]:
    """The published periods that running these months rewrites: each month, and the longer periods around it."""
    return sorted({p for month in months for p in periods_of(month).values()} & set(published), key=_by_start)


def _by_start(period: str) -> tuple[str, int]:
    months = months_of(period)
    return months[0], len(months)


def _day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)
