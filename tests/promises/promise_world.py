"""Worlds of a few rows for the regions' own packaged policies.

Here: rows by the columns of their contract, and the pipeline's pure functions on them. Not here: expected figures;
those stand in the tests, worked out by hand.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import polars as pl

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.facts.attendance import attendance_day
from kinerja_pipeline.facts.periods import as_of, month_end, months_of
from kinerja_pipeline.facts.tasks import task_outcome, task_window
from kinerja_pipeline.kpi.follow_up import Evidence, follow_up
from kinerja_pipeline.kpi.follow_up_people import aspect_scores
from kinerja_pipeline.kpi.follow_up_units import MISTAKE_SCHEMA
from kinerja_pipeline.kpi.indicators import RESCANNED, kpi, measures, rescanned, rolled_up
from kinerja_pipeline.kpi.people import people
from kinerja_pipeline.kpi.subjects import measurements_by_subject
from kinerja_pipeline.policies.indicators import CompiledIndicator, compiled
from kinerja_pipeline.policies.loader import load_policies, policy_version
from kinerja_pipeline.policies.model import Policy

CONTRACTS = load_contracts()
POLICIES = load_policies()
MONTH = "2026-04"
LATER = dt.date(2027, 1, 31)
"""A day on which everything has been delivered."""

Row = Mapping[str, Any]
Facts = Mapping[str, pl.DataFrame]
_KINDS: Mapping[str, type[pl.DataType]] = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
}


def given(feed: str, *rows: Row, **shared: Any) -> pl.DataFrame:
    """Validated rows of a feed; times are local. What a row does not say is null."""
    return _frame(CONTRACTS.incoming[feed], pl.Datetime("us"), rows, shared)


def published(table: str, *rows: Row, **shared: Any) -> pl.DataFrame:
    """Rows of a published table; times are UTC."""
    return _frame(CONTRACTS.outgoing[table], pl.Datetime("us", "UTC"), rows, shared)


def months(*rows: Row, **shared: Any) -> pl.DataFrame:
    """attendance_month as the rules see it: with the unit, which the published table leaves out."""
    homes = [{**shared, **row}.get("unit_id") for row in rows]
    kept = [{k: v for k, v in {**shared, **row}.items() if k != "unit_id"} for row in rows]
    return published("attendance_month", *kept).with_columns(pl.Series("unit_id", homes, dtype=pl.String))


def _frame(contract: Contract, instant: pl.DataType, rows: Sequence[Row], shared: Row) -> pl.DataFrame:
    schema = {c.name: instant if c.kind == "timestamp" else _KINDS[c.kind] for c in contract.columns}
    said: set[str] = {name for row in rows for name in row} | set(shared)
    assert said <= set(schema), sorted(said - set(schema))
    full = [{name: _value((shared | dict(row)).get(name), schema[name]) for name in schema} for row in rows]
    return pl.DataFrame(full, schema=schema)


def _value(value: Any, kind: Any) -> Any:
    if not isinstance(value, str) or kind == pl.String:
        return value
    if kind == pl.Date:
        return dt.date.fromisoformat(value)
    at = dt.datetime.fromisoformat(value)
    return at.replace(tzinfo=dt.UTC) if kind.time_zone else at


def staff(*nips: str, unit: str = "dinas", **more: Any) -> pl.DataFrame:
    """These people in one unit, all since 2020."""
    shared = {"assignment_code": "utama", "employment_status": "pns", "unit_id": unit, "position_level": "pelaksana"}
    rows = [{"nip": nip} for nip in nips]
    return given("employee", *rows, **{**shared, "valid_from": "2020-01-01", **more})


def units(*rows: Row) -> pl.DataFrame:
    return given("org_unit", *rows, valid_from="2020-01-01")


def answers(
    unit: str, *responses: Sequence[float], survey: str = "skm", elements: str = "u", **more: Any
) -> pl.DataFrame:
    """One response of the public per list of scores on a scale of 4, in the order of the elements, an hour apart."""
    rows = [
        {
            "response_id": f"{unit}-{number}",
            "element_code": f"{elements}{n}",
            "submitted_at": f"2026-04-{6 + number // 20:02d} {number % 20:02d}:00",
            "score": float(score),
        }
        for number, scores in enumerate(responses)
        for n, score in enumerate(scores, start=1)
    ]
    shared = {"survey_code": survey, "subject_kind": "unit", "subject_id": unit, "role_code": "public", "scale_max": 4}
    return given("feedback_response", *rows, **{**shared, **more})


def marks(
    round_id: str, sent: str, *said: tuple[str, str, Sequence[Mapping[str, float]]], scale: int = 5
) -> pl.DataFrame:
    """Answers to a 360 round: of whom, in which role, and each rater's marks by competency."""
    rows = [
        {
            "response_id": f"{nip}-{role}-{number}",
            "element_code": competency,
            "subject_id": nip,
            "role_code": role,
            "score": float(score),
        }
        for nip, role, raters in said
        for number, rater in enumerate(raters)
        for competency, score in rater.items()
    ]
    shared = {"survey_code": "appraisal", "round_id": round_id, "subject_kind": "employee", "scale_max": scale}
    return given("feedback_response", *rows, **shared, submitted_at=sent)


def measured(indicator_id: str, *rows: Row, **shared: Any) -> pl.DataFrame:
    """Figures that units measured themselves, as indicators read them."""
    base = {"indicator_id": indicator_id, "subject_kind": "unit", "period": MONTH, **shared}
    return measurements_by_subject(given("indicator_measurement", *rows, **base))


def outcomes(policy: Policy, *rows: Row, month: str = MONTH, **shared: Any) -> pl.DataFrame:
    """What became of these tasks, opened in `month`."""
    base = {"unit_id": "dinas", "task_type": "service_request", "status_code": "completed", **shared}
    return task_outcome(given("task_record", *rows, **base), staff("ani"), policy, month)


def tasks(policy: Policy, *rows: Row, month: str = MONTH, **shared: Any) -> pl.DataFrame:
    """These tasks as `month`, in which they were opened, counts them at its end."""
    return task_window(outcomes(policy, *rows, month=month, **shared), month, policy.time_zone, month_end(month))


def days(policy: Policy, taps: Sequence[tuple[str, str]], *nips: str, month: str = MONTH) -> pl.DataFrame:
    """The working days of the people who share one scanner, from their taps (nip, local time)."""
    pins = given("device_pin", *({"nip": n, "pin": n} for n in nips), device_id="d1", valid_from="2020-01-01")
    heard = given("attendance_log", *({"pin": nip, "tapped_at": at} for nip, at in taps), device_id="d1", state_code=0)
    none = [given(feed) for feed in ("leave_permit", "shift_roster", "device_outage")]
    return attendance_day(heard, staff(*nips), pins, *none, policy, month, month_end(month))


def figures(
    policy: Policy,
    facts: Facts | Mapping[str, Facts],
    employees: pl.DataFrame | None = None,
    *,
    period: str = MONTH,
    year_before: Facts | None = None,
) -> dict[tuple[str, str], dict[str, Any]]:
    """The kpi rows of a period by subject and indicator, computed as the policy declares them. `facts` are those of the
    month, or of each month of a longer period."""
    return rows_by(kpi_table(policy, facts, employees, period=period, year_before=year_before))


def kpi_table(
    policy: Policy,
    facts: Facts | Mapping[str, Facts],
    employees: pl.DataFrame | None = None,
    *,
    period: str = MONTH,
    year_before: Facts | None = None,
) -> pl.DataFrame:
    declared = _compiled(policy.region)
    monthly: Any = {period: facts} if months_of(period) == [period] else facts
    measured = pl.concat(measures(own, declared, month, year_before) for month, own in monthly.items())
    values = None
    if period not in monthly:
        sorted_anew = [i for i in declared if i.declared.statistic in RESCANNED and i.declared.fact in _facts(monthly)]
        values = rescanned(list(monthly.values()), sorted_anew, period)
    last = as_of(max(monthly), LATER)
    everybody = people(staff() if employees is None else employees, last.replace(day=1), last)
    summed = rolled_up(measured, declared, period, values)
    return kpi(summed, declared, everybody, policy.region, period, len(monthly), policy_version(policy))


@cache
def _compiled(region: str) -> tuple[CompiledIndicator, ...]:
    return compiled(POLICIES[region], CONTRACTS)


def _facts(monthly: Mapping[str, Facts]) -> set[str]:
    return {fact for own in monthly.values() for fact in own}


def rows_by(frame: pl.DataFrame, *names: str) -> dict[Any, dict[str, Any]]:
    """Rows by the values of some columns; a row of kpi by subject and indicator."""
    keys = names or ("subject_id", "indicator_id")
    found = {tuple(row[n] for n in keys) if len(keys) > 1 else row[keys[0]]: row for row in frame.to_dicts()}
    assert len(found) == len(frame)
    return found


def advice(policy: Policy, rule_id: str, *, month: str = MONTH, **frames: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """What one rule of the policy recommends in the month, by subject, from the frames that are given."""
    found = all_advice(policy, month=month, **frames).filter(pl.col("rule_id") == rule_id)
    return rows_by(found, "subject_id")


def all_advice(policy: Policy, *, month: str = MONTH, **frames: pl.DataFrame) -> pl.DataFrame:
    empty = {
        "evaluations": published("evaluation"),
        "kpi": published("kpi"),
        "attendance_month": months(),
        "attendance_day": published("attendance_day"),
        "employees": given("employee"),
        "org_units": given("org_unit"),
        "training": published("training_year"),
        "completed": given("training_record").select("nip", "programme_id"),
        "satisfaction": published("satisfaction_index"),
        "mistakes": pl.DataFrame(schema=MISTAKE_SCHEMA),
        "accepted": pl.DataFrame(schema={"unit_id": pl.String, "count": pl.Int64}),
    }
    assert set(frames) <= {*empty, "competencies", "feed_day"}
    found = {**empty, **frames}
    aspects, days = aspect_scores(found.pop("kpi"), month), found.pop("attendance_day").lazy()
    return follow_up(Evidence(aspects=aspects, attendance_day=days, **found), policy, month)


def results(*rows: tuple[str, str, float], **shared: Any) -> pl.DataFrame:
    """Monthly evaluations: nip, month, result score; the rating by DOMAIN section 9, behaviour as expected."""
    full = [
        {
            "nip": nip,
            "period": month,
            "result_score": score,
            "result_rating": "di_atas" if score > 110 else "sesuai" if score >= 90 else "di_bawah",
        }
        for nip, month, score in rows
    ]
    base = {"unit_id": "dinas", "period_kind": "month", "behaviour_rating": "sesuai", "status_code": "computed"}
    return published("evaluation", *full, **{**base, **shared})


def fates(rows: Mapping[str, Row]) -> dict[str, tuple[str, str]]:
    return {subject: (row["status_code"], row["reason"]) for subject, row in rows.items()}
