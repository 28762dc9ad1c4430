"""A published number walked back: evaluation <- scores <- sums <- rows of a fact <- delivered lines, with the rules.

Here: what is published, in one snapshot of the warehouse, and the errors for those who ask for what is not. Not here:
the rows behind it (warehouse/trail), the words (warehouse/explained). Nothing that is suppressed is read on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from kinerja_pipeline.contracts.model import Contract, Contracts
from kinerja_pipeline.contracts.tables import warehouse_tables
from kinerja_pipeline.facts.periods import months_of, period_end_month
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.refusals import no_region
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import near_word
from kinerja_pipeline.warehouse.database import reading_published
from kinerja_pipeline.warehouse.explanation import ExplainError, Explanation, Figure, Hidden, Judgement, SubjectKind
from kinerja_pipeline.warehouse.restate import Undone, undone
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
    with reading_published(url) as found:
        published = _published(found, contracts, region, subject_kind, subject_id, period, indicator, as_of)
    mask = Mask(subject_id if subject_kind == "employee" else None)
    ruling = policies.in_force(region, period_end_month(period))
    trail = Trail(home, policies, contracts, region, period, published.as_of_dates, mask)
    chosen = [row for row in published.kpi if indicator in (None, row["indicator_id"])]
    described = {row["indicator_id"]: row for row in published.dictionary}
    figures = tuple(
        _as_published(trail.figure(row, described[row["indicator_id"]], ruling), published.other_then) for row in chosen
    )
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
    other_then: Mapping[str, bool] = field(default_factory=dict)
    """Indicators that were published otherwise on the day asked for, and whether what was published may be told."""


def _as_published(figure: Figure, other_then: Mapping[str, bool]) -> Figure:
    """The figure without the rows of today, where it was another one."""
    if figure.indicator_id not in other_then:
        return figure
    hidden: Hidden = "restated" if other_then[figure.indicator_id] else "withheld_then"
    return replace(figure, rows=(), targets=(), dropped=(), hidden=hidden, is_recounted=None)


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
    judged = rows("evaluation", region=region, nip=subject_id, period=period) if kind == "employee" else []
    lines = rows("publication", region=region, period=period)
    publication = _publication([line for line in lines if line["table_name"] == "kpi"], as_of, region, period)
    other_then: dict[str, bool] = {}
    if as_of is not None:
        past = _Past(region, period, as_of, lines)
        records = rows("restatement", region=region, period=period, subject_kind=kind, subject_id=subject_id)
        then = past.rows(contracts.outgoing["kpi"], figures, records)
        other_then = {str(one.row["indicator_id"]): not one.withheld for one in then if one.is_changed}
        figures = [one.row for one in then]
        judged = [one.row for one in past.rows(contracts.outgoing["evaluation"], judged, records)]
        for row in (*figures, *judged):
            # Of a longer period only the policy of today is known; a month is published with its own.
            own = None if period in months_of(period) else row["policy_version"]
            row["policy_version"] = own or publication["policy_version"]
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
    versions = {row["policy_version"] for row in figures}
    dictionary = rows("indicator", region=region)
    dictionary.sort(key=lambda row: row["policy_version"] in versions)
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
        dictionary=tuple(dictionary),
        evaluation=judged[0] if judged else None,
        roles=tuple(roles),
        status=states[period],
        publication=publication,
        as_of_dates={month: row["as_of_date"] for month, row in states.items() if row["period_kind"] == "month"},
        other_then=other_then,
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
    """The publication that the numbers stand in: the last one, or the last one by the end of a day."""
    ordered = sorted(lines, key=lambda line: str(line["publication_id"]))
    names = ("publication_id", "published_at", "contract_version", "policy_version", "code_version", "content_hash")
    until = [line for line in ordered if as_of is None or _day(line["published_at"]) <= as_of]
    if not until:
        first = _day(ordered[0]["published_at"])
        raise ExplainError(f"{region}: {period} was not published by {as_of}; it was first on {first}.")
    return {name: until[-1][name] for name in names}


@dataclass(frozen=True, slots=True)
class _Past:
    """A period as it was published by the end of a day. `lines` are those of the ledger for the period."""

    region: str
    period: str
    as_of: dt.date
    lines: Sequence[Mapping[str, Any]]

    def rows(
        self, contract: Contract, today: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]]
    ) -> list[Undone]:
        """The rows of today without what was changed after the day. The warehouse keeps the last state, a digest of
        every one before, and what was changed once the period was closed; what changed before that is gone."""
        own = [line for line in self.lines if line["table_name"] == contract.name]
        later = [line for line in own if _day(line["published_at"]) > self.as_of and _is_changed(line)]
        status = [line for line in self.lines if line["table_name"] == "period_status" and _is_changed(line)]
        closed = max((str(line["publication_id"]) for line in status), default="")
        if lost := [line for line in later if str(line["publication_id"]) <= closed]:
            day = _day(max(lost, key=lambda line: str(line["publication_id"]))["published_at"])
            raise ExplainError(
                f"{self.region}: the figures of {self.period} changed on {day} while the period was open, and those "
                f"published by {self.as_of} are not kept. Leave --as-of out to have today's explained."
            )
        ids = {str(line["publication_id"]) for line in later}
        changed = [row for row in records if row["publication_id"] in ids and row["table_name"] == contract.name]
        return undone(contract, today, sorted(changed, key=lambda row: str(row["publication_id"]), reverse=True))


def _is_changed(line: Mapping[str, Any]) -> bool:
    return bool(line["content_hash"] != line["previous_hash"])


def _day(instant: dt.datetime) -> dt.date:
    return instant.date()
