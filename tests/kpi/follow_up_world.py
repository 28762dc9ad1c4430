"""What the follow-up rules look at, in tiny worlds: a test writes down the frames it is about, the rest is empty."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl
from kpi_world import KPI_COLUMNS, SALOR, by, frame_of

from kinerja_pipeline.facts.feed_day import FEED_DAY_SCHEMA
from kinerja_pipeline.kpi.follow_up import FOLLOW_UP_SCHEMA, Evidence, follow_up, no_competencies
from kinerja_pipeline.kpi.follow_up_people import aspect_scores
from kinerja_pipeline.kpi.follow_up_units import MISTAKE_SCHEMA
from kinerja_pipeline.policies.follow_up import DeclineRule, Exclusions, FollowUpRule, RewardRule

LABELS = {"id": "a", "en": "b"}
DECLINE = DeclineRule.model_validate({"rule": "decline", "labels": LABELS, "programme_id": "pb-1"})
REWARD = RewardRule.model_validate({"rule": "reward", "labels": LABELS})
MONTH = "2026-05"

EVALUATED = {
    **dict.fromkeys(("nip", "period_kind", "period", "unit_id"), pl.String),
    "result_score": pl.Float64,
    **dict.fromkeys(("result_rating", "behaviour_rating", "objection_code", "status_code", "reason"), pl.String),
    "official_predicate": pl.String,
}
ATTENDED = {
    **dict.fromkeys(("nip", "unit_id", "discipline_threshold_code"), pl.String),
    **dict.fromkeys(("unexcused_year_reason", "unexcused_run_reason"), pl.String),
    **dict.fromkeys(
        ("workday_count", "not_recorded_count", "absent_count", "unexcused_year_count", "unexcused_run_count"), pl.Int64
    ),
    "counted_from_date": pl.Date,
}
DAYS = {"nip": pl.String, "work_date": pl.Date, "status_code": pl.String}
ASSIGNED = {
    **dict.fromkeys(("nip", "assignment_code", "unit_id"), pl.String),
    "valid_from": pl.Date,
    "valid_to": pl.Date,
}
UNITS = {
    "unit_id": pl.String,
    "valid_from": pl.Date,
    "valid_to": pl.Date,
    "needed_headcount": pl.Int64,
    "population_served": pl.Int64,
}
ANSWERED = {
    **dict.fromkeys(("unit_id", "survey_code", "period"), pl.String),
    "respondent_count": pl.Int64,
    "required_count": pl.Int64,
    "index_value": pl.Float64,
    "class_code": pl.String,
}
EMPTY = {
    "evaluations": EVALUATED,
    "kpi": {**KPI_COLUMNS, "aspect_code": pl.String},
    "attendance_month": ATTENDED,
    "attendance_day": DAYS,
    "employees": ASSIGNED,
    "org_units": UNITS,
    "training": {"nip": pl.String, "hours": pl.Float64, "expected_hours": pl.Float64},
    "completed": {"nip": pl.String, "programme_id": pl.String},
    "satisfaction": ANSWERED,
    "mistakes": MISTAKE_SCHEMA,
    "accepted": {"unit_id": pl.String, "count": pl.Int64},
    "competencies": dict(no_competencies().schema),
    "feed_day": FEED_DAY_SCHEMA,
}


def given(**frames: pl.DataFrame) -> Evidence:
    """`kpi` stands for the scores that follow from it."""
    found = {name: frames.get(name, pl.DataFrame(schema=schema)) for name, schema in EMPTY.items()}
    aspects, days = aspect_scores(found.pop("kpi"), MONTH), found.pop("attendance_day").lazy()
    return Evidence(aspects=aspects, attendance_day=days, **found)


def evaluated(*rows: Mapping[str, Any]) -> pl.DataFrame:
    base = {"nip": "ani", "period_kind": "month", "period": MONTH, "unit_id": "dinkes", "status_code": "computed"}
    return frame_of([{**base, **row} for row in rows], **EVALUATED)


def attended(*rows: Mapping[str, Any]) -> pl.DataFrame:
    base = {"nip": "ani", "unit_id": "dinkes", "workday_count": 20, "not_recorded_count": 0, "absent_count": 0}
    return frame_of([{**base, **row} for row in rows], **ATTENDED)


def absent(**days: int | None) -> pl.DataFrame:
    return attended(*({"nip": nip, "unexcused_year_count": count} for nip, count in days.items()))


def days(nip: str = "ani", **counts: int) -> pl.DataFrame:
    """So many days of each status, one after the other."""
    statuses = [status for status, count in counts.items() for _ in range(count)]
    start = dt.date(2026, 5, 1)
    rows = [
        {"nip": nip, "work_date": start + dt.timedelta(days=n), "status_code": status}
        for n, status in enumerate(statuses)
    ]
    return frame_of(rows, **DAYS)


def assigned(*rows: tuple[str, str, str, str | None], code: str = "utama") -> pl.DataFrame:
    """nip, unit, first day, last day."""
    return frame_of(
        [
            {
                "nip": nip,
                "assignment_code": code,
                "unit_id": unit,
                "valid_from": dt.date.fromisoformat(start),
                "valid_to": dt.date.fromisoformat(end) if end else None,
            }
            for nip, unit, start, end in rows
        ],
        **ASSIGNED,
    )


def units(*rows: Mapping[str, Any]) -> pl.DataFrame:
    base = {"unit_id": "dinkes", "valid_from": dt.date(2020, 1, 1)}
    return frame_of([{**base, **row} for row in rows], **UNITS)


def named(
    rule: FollowUpRule,
    evaluations: pl.DataFrame | None = None,
    attendance: pl.DataFrame | None = None,
    *,
    month: str = MONTH,
    exclusions: Exclusions | None = None,
    **frames: pl.DataFrame,
) -> dict[str, Any]:
    """The rows of one rule by subject."""
    if evaluations is not None:
        frames["evaluations"] = evaluations
    if attendance is not None:
        frames["attendance_month"] = attendance
    policy = SALOR.model_copy(update={"follow_up": {"the_rule": rule}, "exclusions": exclusions or Exclusions()})
    rows = follow_up(given(**frames), policy, month)
    assert dict(rows.schema) == FOLLOW_UP_SCHEMA
    assert set(rows["period"]) <= {month}
    return by(rows, "subject_id")


def fates(rows: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {subject: (row["status_code"], row["reason"]) for subject, row in rows.items()}
