"""Measures, people and ratings of tiny worlds, and indicators declared for one test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.facts.by_people import stretches
from kinerja_pipeline.facts.periods import months_of, periods_of
from kinerja_pipeline.kpi.indicators import kpi, rolled_up
from kinerja_pipeline.kpi.targets import agreed_targets
from kinerja_pipeline.policies.indicators import CompiledIndicator, compiled
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Indicator, Policy

CONTRACTS = load_contracts()
SALOR = load_policies()["salor"]
VERSION = "2026.1+00000000"

ON_TIME: dict[str, Any] = {
    "labels": {"id": "Tepat waktu", "en": "On time"},
    "fact": "task_outcome",
    "filter": "is_due",
    "numerator": "CASE WHEN is_on_time THEN 1 ELSE 0 END",
    "denominator": "1",
    "scale": 100,
    "subjects": ["employee"],
    "aspect": "time",
    "unit": "score",
    "direction": "higher",
    "target": {"value": 80},
    "weight": 1,
}


def policy_with(**indicators: Mapping[str, Any]) -> Policy:
    """Salor with these indicators instead of its own; each says only what differs from ON_TIME."""
    declared = {name: Indicator.model_validate({**ON_TIME, **changes}) for name, changes in indicators.items()}
    return SALOR.model_copy(update={"indicators": declared})


def ready(policy: Policy) -> tuple[CompiledIndicator, ...]:
    return compiled(policy, CONTRACTS)


def measured(*rows: tuple[str, str, str, str, float, float, int]) -> pl.DataFrame:
    """Measures: subject_kind, subject_id, indicator_id, month, numerator, denominator, evidence_count."""
    names = ("subject_kind", "subject_id", "indicator_id", "month", "numerator", "denominator", "evidence_count")
    whole = [(*row[:4], round(row[4] * 10_000), round(row[5] * 10_000), row[6]) for row in rows]
    kinds = [pl.String] * 4 + [pl.Int64] * 3
    return pl.DataFrame(whole, schema=dict(zip(names, kinds, strict=True)), orient="row")


def people_of(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=dict.fromkeys(("nip", "unit_id", "position_level"), pl.String), orient="row")


def kpi_rows(
    policy: Policy,
    monthly: pl.DataFrame,
    people: pl.DataFrame | Mapping[str, pl.DataFrame],
    month: str = "2026-03",
    targets: pl.DataFrame | None = None,
) -> dict[tuple[str, str, str], dict[str, Any]]:
    """The kpi rows by subject, indicator and period."""
    frame = kpi_frame(policy, monthly, people, month, targets)
    rows = {(r["subject_id"], r["indicator_id"], r["period"]): r for r in frame.iter_rows(named=True)}
    assert len(rows) == len(frame), "one row per subject, indicator and period"
    return rows


def kpi_frame(
    policy: Policy,
    monthly: pl.DataFrame,
    people: pl.DataFrame | Mapping[str, pl.DataFrame],
    month: str = "2026-03",
    targets: pl.DataFrame | None = None,
    people_at_once: int = 1000,
) -> pl.DataFrame:
    """The kpi rows of the month and of the longer periods around it; some people's from what was measured and agreed of
    them alone."""
    staff = people if isinstance(people, Mapping) else dict.fromkeys(("month", "quarter", "semester", "year"), people)
    parts = []
    for kind, period in periods_of(month).items():
        months = sorted(set(monthly["month"]) & set(months_of(period)))
        is_employee, everybody = pl.col("subject_kind") == "employee", staff[kind]
        shares = [
            (is_employee & some.holds("subject_id"), everybody.filter(some.holds("nip")))
            for some in stretches(everybody["nip"], people_at_once)
        ]
        for is_theirs, people_of_share in [*shares, (~is_employee, everybody.clear())]:
            agreed = None if targets is None else agreed_targets(targets.filter(is_theirs), period, months)
            measured = rolled_up(monthly.filter(is_theirs), ready(policy), period, last=max(months, default=None))
            counts = policy.region, period, len(months), VERSION
            parts.append(kpi(measured, ready(policy), people_of_share, *counts, agreed))
    return pl.concat(parts)


KPI_COLUMNS = {
    "subject_kind": pl.String,
    "subject_id": pl.String,
    "indicator_id": pl.String,
    "period_kind": pl.String,
    "period": pl.String,
    "unit_id": pl.String,
    "score": pl.Float64,
    "weight": pl.Float64,
    "status_code": pl.String,
    "policy_version": pl.String,
}


def scored(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """kpi rows as the evaluation reads them; a row without a score is not computable."""
    base = {"subject_kind": "employee", "subject_id": "ani", "indicator_id": "a", "period_kind": "month"}
    base |= {"period": "2026-03", "unit_id": "dinkes", "weight": 1.0, "score": None, "policy_version": VERSION}
    full = [{**base, **row} for row in rows]
    for row in full:
        row.setdefault("status_code", "not_computable" if row["score"] is None else "computed")
    return pl.DataFrame(full, schema=KPI_COLUMNS)


RATING_COLUMNS = {
    **dict.fromkeys(("subject_kind", "subject_id", "period_kind", "period"), pl.String),
    **dict.fromkeys(("result_rating", "behaviour_rating", "predicate", "decision_code"), pl.String),
    "has_new_idea": pl.Boolean,
    **dict.fromkeys(("received_at", "objected_at", "decided_at"), pl.Datetime("us")),
}


def rated(*rows: Mapping[str, Any]) -> pl.DataFrame:
    """Validated ratings by the superior."""
    base = {"subject_kind": "employee", "subject_id": "ani", "period_kind": "month", "period": "2026-03"}
    full = [{**dict.fromkeys(RATING_COLUMNS), **base, **row} for row in rows]
    return pl.DataFrame(full, schema=RATING_COLUMNS)


def by(frame: pl.DataFrame, *names: str) -> dict[Any, dict[str, Any]]:
    """Rows by the values of some columns."""
    rows = frame.to_dicts()
    keyed = {tuple(r[n] for n in names) if len(names) > 1 else r[names[0]]: r for r in rows}
    assert len(keyed) == len(rows)
    return keyed


def frame_of(rows: Iterable[Mapping[str, Any]], **schema: Any) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
