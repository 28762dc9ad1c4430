"""From the rows of a fact back to delivered rows: which lines of which files stand behind each of them.

Here: joins by key through the validated tables, which know delivery and line. Not here: which rows count
(kpi/evidence), the published numbers (warehouse/explain).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import polars as pl

from kinerja_pipeline.facts.day_taps import day_taps
from kinerja_pipeline.facts.periods import month_bounds, periods_of
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.model import Policy

EVIDENCE = "_evidence"
"""Numbers the rows of a fact, so that their sources find back to them."""
SOURCE_SCHEMA: Mapping[str, type[pl.DataType]] = {
    EVIDENCE: pl.Int64,
    "feed": pl.String,
    "_delivery_id": pl.String,
    "_source_row": pl.Int64,
}


def sources(fact: str, rows: pl.DataFrame, lake: Lake, policy: Policy, month: str) -> pl.DataFrame:
    """One row per row of the fact (`_evidence`) and delivered row behind it: feed, delivery, line in the file.

    `rows` count in `month`. Answers are only traced where the public judges a unit: what people say of each other must
    lead to nobody.
    """
    trace: dict[str, Callable[[], pl.DataFrame]] = {
        "attendance_day": lambda: _attendance(rows, lake, policy, month),
        "task_outcome": lambda: _tasks(rows, lake, policy.region),
        "training_year": lambda: _training(rows, lake, policy.region, month),
        "feedback_answer": lambda: _as_read(
            "feedback_response", rows.filter((pl.col("role_code") == "public") & (pl.col("subject_kind") == "unit"))
        ),
        "indicator_measurement": lambda: _as_read("indicator_measurement", rows),
        "indicator_target": lambda: _targets(rows, lake, policy.region),
        "employee_plan": lambda: _plan(rows, lake, policy.region, month),
    }
    found = trace[fact]() if len(rows) else pl.DataFrame(schema=SOURCE_SCHEMA)
    return found.unique(maintain_order=True).sort(EVIDENCE, "feed", "_source_row", maintain_order=True)


def _as_read(feed: str, rows: pl.DataFrame) -> pl.DataFrame:
    named = rows.with_columns(pl.lit(feed).alias("feed"))
    return named.select(pl.col(name).cast(kind) for name, kind in SOURCE_SCHEMA.items())


def _tasks(rows: pl.DataFrame, lake: Lake, region: str) -> pl.DataFrame:
    months = rows["period"].unique().sort().to_list()
    records = lake.read("validated", "task_record", region, months).select("task_id", "_delivery_id", "_source_row")
    return _as_read("task_record", rows.select(EVIDENCE, "task_id").join(records, on="task_id"))


def _attendance(rows: pl.DataFrame, lake: Lake, policy: Policy, month: str) -> pl.DataFrame:
    region = policy.region
    taps = pl.concat([lake.read("validated", name, region, month) for name in ("attendance_log", "attendance_margin")])
    employees, pins, rosters, permits = (
        lake.read("validated", name, region) for name in ("employee", "device_pin", "shift_roster", "leave_permit")
    )
    days, day = rows.select(EVIDENCE, "nip", "work_date"), ["nip", "work_date"]
    tapped = day_taps(taps, employees, pins, rosters, policy, month, rows["nip"].unique().to_list())
    worn = days.join(pins, on="nip").filter(
        pl.col("valid_from") <= pl.col("work_date"),
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= pl.col("work_date")),
    )
    excused = days.join(permits, on="nip").filter(pl.col("work_date").is_between("start_date", "end_date"))
    return pl.concat(
        [
            _as_read("attendance_log", days.join(tapped, on=day)),
            _as_read("device_pin", worn),
            _as_read("leave_permit", excused),
            _as_read("shift_roster", days.join(rosters, on=day)),
            _as_read("employee", _assigned(days.with_columns(_first="work_date", _last="work_date"), employees)),
        ]
    )


def _training(rows: pl.DataFrame, lake: Lake, region: str, month: str) -> pl.DataFrame:
    first, last = month_bounds(month)
    records = lake.read("validated", "training_record", region, month)
    counted = records.filter(pl.col("is_training").fill_null(True))
    people = rows.select(EVIDENCE, "nip")
    employees = lake.read("validated", "employee", region)
    return pl.concat(
        [
            _as_read("training_record", people.join(counted, on="nip")),
            _as_read("employee", _assigned(_during(people, first, last), employees)),
        ]
    )


def _targets(rows: pl.DataFrame, lake: Lake, region: str) -> pl.DataFrame:
    key = ["indicator_id", "subject_kind", "subject_id", "period"]
    agreed = lake.read("validated", "indicator_target", region).select(*key, "_delivery_id", "_source_row")
    return _as_read("indicator_target", rows.select(EVIDENCE, *key).join(agreed, on=key))


def _plan(rows: pl.DataFrame, lake: Lake, region: str, month: str) -> pl.DataFrame:
    agreed = lake.read("validated", "indicator_target", region).filter(
        pl.col("subject_kind") == "employee", pl.col("period").is_in(list(periods_of(month).values()))
    )
    people, (first, last) = rows.select(EVIDENCE, "nip"), month_bounds(month)
    employees = lake.read("validated", "employee", region)
    return pl.concat(
        [
            _as_read("indicator_target", people.join(agreed, left_on="nip", right_on="subject_id")),
            _as_read("employee", _assigned(_during(people, first, last), employees)),
        ]
    )


def _during(people: pl.DataFrame, first: dt.date, last: dt.date) -> pl.DataFrame:
    return people.with_columns(_first=pl.lit(first), _last=pl.lit(last))


def _assigned(rows: pl.DataFrame, employees: pl.DataFrame) -> pl.DataFrame:
    """The main assignments in force on any day from `_first` to `_last` of the row's person."""
    main = employees.filter(pl.col("assignment_code") == "utama")
    return rows.join(main.drop("unit_id"), on="nip").filter(
        pl.col("valid_from") <= pl.col("_last"),
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= pl.col("_first")),
    )
