"""The facts of a month as declarations of indicators see them: read from the lake, with the columns that they may name.

Here: one reader per fact, for measuring (kpi/assets) and for explaining (warehouse/explain). Not here: facts
themselves (facts/), summing them (kpi/indicators), Dagster.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection

import polars as pl

from kinerja_pipeline.facts.periods import add_months, as_of, month_start, months_between
from kinerja_pipeline.facts.tasks import task_window
from kinerja_pipeline.kpi.people import people
from kinerja_pipeline.kpi.subjects import answers_by_subject, measurements_by_subject, targets_by_subject
from kinerja_pipeline.kpi.targets import AGREED, employee_plan
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.model import Policy

PEOPLE_COLUMNS = ("nip", "unit_id", "position_level", "assignment_code", "valid_from", "valid_to")
"""What is looked at of employees."""


def declared_facts(
    lake: Lake, policy: Policy, month: str, today: dt.date, needed: Collection[str]
) -> dict[str, pl.LazyFrame]:
    """The facts of a month, as declarations see them; only those needed. Their rows are read when they are summed, and
    of what is known of each only what declarations name: a large region has a million days."""
    region, months = policy.region, months_between(add_months(month, -policy.periods.task_lookback_months), month)

    def staff() -> pl.DataFrame:
        employees = lake.read("validated", "employee", region, columns=PEOPLE_COLUMNS)
        return people(employees, month_start(month), as_of(month, today))

    readers: dict[str, Callable[[], pl.LazyFrame]] = {
        "attendance_day": lambda: lake.scan("facts", "attendance_day", region, month),
        "task_outcome": lambda: task_window(
            lake.scan("facts", "task_outcome", region, months), month, policy.time_zone, as_of(month, today)
        ),
        "training_year": lambda: lake.scan("facts", "training_year", region, month),
        "feedback_answer": lambda: answers_by_subject(
            lake.scan("validated", "feedback_response", region, month), staff().lazy()
        ),
        "indicator_measurement": lambda: measurements_by_subject(
            lake.scan("validated", "indicator_measurement", region, month)
        ),
        "indicator_target": lambda: targets_by_subject(
            lake.scan("facts", "indicator_target", region, month), staff().lazy()
        ),
        "employee_plan": lambda: employee_plan(
            lake.read("validated", "indicator_target", region, columns=AGREED), staff(), policy.indicators, month
        ).lazy(),
    }
    return {fact: read() for fact, read in readers.items() if fact in needed}


def facts_year_before(
    lake: Lake, policy: Policy, month: str, today: dt.date, needed: Collection[str]
) -> dict[str, pl.LazyFrame]:
    """The facts of the same month last year, as far as that month has been computed. Measurements need only have been
    delivered: the home holds them from its first month on, whichever months it computes."""
    before = add_months(month, -12)
    has_run = {fact for fact in needed if lake.has("facts", "task_outcome", policy.region, before)}
    found = declared_facts(lake, policy, before, today, has_run - {"indicator_measurement"})
    if "indicator_measurement" in needed:
        rows = lake.scan("validated", "measurement_year_before", policy.region, month)
        found["indicator_measurement"] = measurements_by_subject(rows)
    return found
