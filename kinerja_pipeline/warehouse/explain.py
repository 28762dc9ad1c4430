"""A published number walked back: evaluation <- scores <- sums <- rows of a fact <- delivered lines, with the rules.

Here: what is published, in one snapshot of the warehouse, and the errors for those who ask for what is not. Not here:
the rows behind it (warehouse/trail), the words (warehouse/explained). Nothing that is suppressed is read on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from kinerja_pipeline.contracts.model import Contracts
from kinerja_pipeline.contracts.tables import warehouse_tables
from kinerja_pipeline.facts.periods import months_of, period_end_month
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.refusals import no_region
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import near_word
from kinerja_pipeline.warehouse.database import is_migrated, open_warehouse, reading
from kinerja_pipeline.warehouse.explanation import ExplainError, Explanation, Judgement, SubjectKind
from kinerja_pipeline.warehouse.trail import Mask, Trail

_THRESHOLDS = (
    "minimum_coverage_share",
    "result_above",
    "result_meets",
    "behaviour_above",
    "behaviour_meets",
    "result_weight",
    "result_weight_with_opinion",
)


def explain(
    home: Home,
    url: str,
    policies: Policies,
    contracts: Contracts,
    *,
    region: str,
    subject_kind: SubjectKind,
    subject_id: str,
    period: str,
    indicator: str | None = None,
    as_of: dt.date | None = None,
) -> Explanation:
    """Explains what is published of a subject and period, or one indicator of it. Raises ExplainError."""
    if region not in policies:
        raise ExplainError(f"There is {no_region(region, policies)}")
    with _warehouse(url) as found:
        published = _published(found, contracts, region, subject_kind, subject_id, period, indicator, as_of)
    mask = Mask(subject_id if subject_kind == "employee" else None)
    ruling = policies.in_force(region, period_end_month(period))
    trail = Trail(home, policies, contracts, region, period, published.as_of_dates, mask)
    chosen = [row for row in published.kpi if indicator in (None, row["indicator_id"])]
    described = {row["indicator_id"]: row for row in published.dictionary}
    figures = tuple(trail.figure(row, described[row["indicator_id"]], ruling) for row in chosen)
    judgement = None
    if published.evaluation is not None and indicator is None:
        rules = ruling.evaluation.model_dump(include=set(_THRESHOLDS))
        judgement = Judgement(published.evaluation, rules, published.roles, trail.ratings(subject_id))
    first = (published.evaluation or chosen[0]) if chosen or published.evaluation else {}
    return Explanation(
        region=region,
        labels=ruling.labels.model_dump(),
        subject_kind=subject_kind,
        subject_id=subject_id,
        period=period,
        unit_id=first.get("unit_id"),
        policy_version=str(first.get("policy_version")),
        status=published.status,
        publication=published.publication,
        evaluation=judgement,
        figures=figures,
        as_of=as_of.isoformat() if as_of else None,
    )


@dataclass(frozen=True, slots=True)
class _Published:
    kpi: tuple[dict[str, Any], ...]
    dictionary: tuple[dict[str, Any], ...]
    evaluation: dict[str, Any] | None
    roles: tuple[dict[str, Any], ...]
    status: dict[str, Any]
    publication: dict[str, Any]
    as_of_dates: Mapping[str, dt.date]


@contextmanager
def _warehouse(url: str) -> Iterator[sa.Connection]:
    """One snapshot of the warehouse. Opening a SQLite warehouse would make the file, so a missing one stays missing."""
    nothing = ExplainError("Nothing is published yet: run `kinerja run --all` first.")
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        raise nothing
    engine = open_warehouse(url)
    try:
        with reading(engine) as connection:
            if not is_migrated(connection):
                raise nothing
            yield connection
    finally:
        engine.dispose()


def _published(
    connection: sa.Connection,
    contracts: Contracts,
    region: str,
    kind: SubjectKind,
    subject_id: str,
    period: str,
    indicator: str | None,
    as_of: dt.date | None,
) -> _Published:
    dialect = connection.dialect.name
    every = warehouse_tables(contracts.outgoing, dialect).tables
    tables = {t.name: t for t in every.values()}

    def rows(table: str, **where: Any) -> list[dict[str, Any]]:
        chosen = tables[table]
        query = sa.select(chosen).where(*(chosen.c[name] == value for name, value in where.items()))
        return [dict(row) for row in connection.execute(query.order_by(*chosen.primary_key.columns)).mappings()]

    def distinct(table: str, column: str, **where: Any) -> list[str]:
        chosen = tables[table]
        query = sa.select(chosen.c[column]).where(*(chosen.c[name] == value for name, value in where.items()))
        return sorted(str(value) for value in connection.execute(query.distinct()).scalars())

    states = {str(row["period"]): row for row in rows("period_status", region=region)}
    if period not in states:
        have = f"there is {', '.join(sorted(states))}" if states else "nothing of this region is published yet"
        raise ExplainError(f"{region}: {period} is not published; {have}.")
    figures = rows("kpi", region=region, subject_kind=kind, subject_id=subject_id, period=period)
    if not figures:
        others = distinct("kpi", "period", region=region, subject_kind=kind, subject_id=subject_id)
        known = [] if kind == "employee" else distinct("kpi", "subject_id", region=region, subject_kind=kind)
        people = len(distinct("kpi", "subject_id", region=region, subject_kind=kind, period=period))
        raise ExplainError(_nobody(region, kind, subject_id, period, others, known, people))
    if indicator is not None and indicator not in {row["indicator_id"] for row in figures}:
        known = [str(row["indicator_id"]) for row in figures]
        near = near_word(indicator, known)
        raise ExplainError(
            f"{region}: no indicator '{indicator}' is published of this {kind} in {period}{near}; "
            f"there is {', '.join(known)}."
        )
    version = figures[0]["policy_version"]
    lines = [row for row in rows("publication", region=region, table_name="kpi") if row["period"] == period]
    publication = _publication(lines, as_of, region, period)
    judged = rows("evaluation", region=region, nip=subject_id, period=period) if kind == "employee" else []
    roles = [
        {name: row[name] for name in ("period", "role_code", "rater_count", "mean_score", "is_suppressed")}
        for month in (months_of(period) if kind == "employee" else ())
        for row in rows("appraisal_role", region=region, nip=subject_id, period=month)
    ]
    for row in roles:
        if row["is_suppressed"]:
            # Not even how many there were: one more would tell what the last one said.
            row["rater_count"] = row["mean_score"] = None
    return _Published(
        kpi=tuple(figures),
        dictionary=tuple(rows("indicator", region=region, policy_version=version)),
        evaluation=judged[0] if judged else None,
        roles=tuple(roles),
        status=states[period],
        publication=publication,
        as_of_dates={month: row["as_of_date"] for month, row in states.items() if row["period_kind"] == "month"},
    )


def _nobody(
    region: str, kind: str, subject_id: str, period: str, others: list[str], known: list[str], people: int
) -> str:
    if others:
        return f"{region}: of this {kind} nothing is published in {period}; there is {', '.join(others)}."
    if kind == "employee":
        return (
            f"{region}: no employee with this NIP is published; {period} has {people} employees. "
            "A NIP has 18 digits, without spaces."
        )
    if kind == "region":
        return f"{region}: no indicator of the region as a whole is published; name --nip or --unit."
    return f"{region}: there is no unit '{subject_id}'{near_word(subject_id, known)}; known are {', '.join(known)}."


def _publication(lines: Sequence[Mapping[str, Any]], as_of: dt.date | None, region: str, period: str) -> dict[str, Any]:
    """The publication that the numbers stand in; as of a date only while nothing has changed since, for the warehouse
    keeps the last state and a digest of every one before."""
    ordered = sorted(lines, key=lambda line: str(line["publication_id"]))
    names = ("publication_id", "published_at", "contract_version", "policy_version", "code_version", "content_hash")
    now = {name: ordered[-1][name] for name in names}
    if as_of is None:
        return now
    until = [line for line in ordered if _day(line["published_at"]) <= as_of]
    if not until:
        first = _day(ordered[0]["published_at"])
        raise ExplainError(f"{region}: {period} was not published by {as_of}; it was first on {first}.")
    later = ordered[ordered.index(until[-1]) + 1 :]
    changed = [line for line in later if line["content_hash"] != until[-1]["content_hash"]]
    if changed:
        raise ExplainError(
            f"{region}: the figures of {period} changed on {_day(changed[0]['published_at'])}, and those published by "
            f"{as_of} are not kept. Leave --as-of out to have today's explained."
        )
    return {name: until[-1][name] for name in names}


def _day(instant: dt.datetime) -> dt.date:
    return instant.date()
