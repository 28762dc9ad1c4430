"""The way from a published figure into the lake: the rows of the fact that count, and the delivered lines behind them.

Here: one region and period at a time, each fact read once; people are masked as the rows leave the lake. Not here:
which rows count (kpi/evidence), joins to delivered rows (warehouse/sources), what is published (warehouse/explain).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from kinerja_pipeline.contracts.model import Contract, Contracts
from kinerja_pipeline.facts.periods import add_months, months_of, periods_of
from kinerja_pipeline.home import Home
from kinerja_pipeline.kpi.evidence import ABOVE, BELOW, counted_rows, has_base, totals
from kinerja_pipeline.kpi.indicators import ENUMERATED, UNITS
from kinerja_pipeline.landing.deliveries import deliveries
from kinerja_pipeline.landing.readers import place_in
from kinerja_pipeline.orchestration.declared_facts import declared_facts, facts_year_before
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.explain import formula
from kinerja_pipeline.policies.indicators import CompiledIndicator, compiled
from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated.corrections import DROPPED, described
from kinerja_pipeline.warehouse.explanation import Figure, Hidden, Row, Source
from kinerja_pipeline.warehouse.sources import EVIDENCE, sources

_FACT_PAGES: Mapping[str, tuple[str, str]] = {
    "attendance_day": ("outgoing", "attendance_day"),
    "task_outcome": ("outgoing", "task_outcome"),
    "training_year": ("outgoing", "training_year"),
    "indicator_target": ("outgoing", "indicator_target"),
    "feedback_answer": ("incoming", "feedback_response"),
    "indicator_measurement": ("incoming", "indicator_measurement"),
}
_SHOWN: Mapping[str, tuple[str, ...]] = {
    "attendance_day": ("nip", "work_date", "status_code", "first_in_local", "last_out_local"),
    "task_outcome": ("task_id", "nip", "status_code"),
    "training_year": ("nip",),
    "feedback_answer": ("element_code", "submitted_at"),
    "indicator_measurement": ("subject_kind", "subject_id", "period"),
    "indicator_target": ("indicator_id", "subject_kind", "subject_id", "period"),
    "employee_plan": ("nip",),
}
"""Columns that tell the rows of a fact apart; those that the formula names come beside them."""
_FEEDS: Mapping[str, str] = {
    "task_outcome": "task_record",
    "training_year": "training_record",
    "indicator_measurement": "indicator_measurement",
}
"""The feed whose rows become a fact, where a row names its subject."""
_PEOPLE = ("nip", "agreed_by", "approver_nip", "supervisor_nip")


@dataclass(slots=True)
class Mask:
    """People other than the one who was asked for become `employee 1`, `employee 2`, the same one each time."""

    asked: str | None
    names: dict[str, str] = field(default_factory=dict)

    def person(self, nip: Any) -> Any:
        if nip is None or nip == self.asked:
            return nip
        return self.names.setdefault(str(nip), f"employee {len(self.names) + 1}")


@dataclass(slots=True)
class Trail:
    """The way from published numbers of one region and period into the lake; facts are read once per month."""

    home: Home
    policies: Policies
    contracts: Contracts
    region: str
    period: str
    as_of_dates: Mapping[str, dt.date]
    mask: Mask
    _facts: dict[tuple[str, str, str], pl.DataFrame] = field(default_factory=dict)
    _files: dict[str, str] | None = None
    _corrections: dict[tuple[str, str, int], list[str]] | None = None
    _indicators: dict[str, CompiledIndicator] | None = None

    def _compiled(self, ruling: Policy) -> dict[str, CompiledIndicator]:
        if self._indicators is None:
            self._indicators = {i.indicator_id: i for i in compiled(ruling, self.contracts)}
        return self._indicators

    @property
    def lake(self) -> Lake:
        return Lake(self.home.lake)

    def figure(self, published: Mapping[str, Any], described: Mapping[str, Any], ruling: Policy) -> Figure:
        declared = ruling.indicators.get(str(published["indicator_id"]))
        stated = (described["formula"], described["source"])
        is_same = declared is not None and (formula(declared), declared.fact) == stated
        wide = declared.target if declared is not None else None
        figure = Figure(
            published={k: v for k, v in published.items() if k != "region"},
            labels={"id": str(described["label_id"]), "en": str(described["label_en"])},
            fact=str(described["source"]),
            formula=str(described["formula"]),
            law=described["law"],
            unit=str(described["unit"]),
            direction=str(described["direction"]),
            statistic=str(described["statistic"]),
            scale=declared.scale if declared and is_same else None,
            cap=declared.cap if declared else None,
            inverse=bool(declared and declared.formula == "inverse"),
            target_range=(wide.low, wide.high) if wide and wide.low is not None and wide.high is not None else None,
        )
        return self._with_rows(figure, ruling, is_same)

    def _with_rows(self, figure: Figure, ruling: Policy, is_same: bool) -> Figure:
        if not is_same:
            return replace(figure, hidden="policy_changed")
        # A month that was computed and never published has no part in what is.
        published = [m for m in months_of(self.period) if m in self.as_of_dates]
        months = [m for m in published if self.lake.has("kpi", "measure", self.region, m)]
        if not months:
            return replace(figure, hidden="not_in_this_home")
        kind, subject = str(figure.published["subject_kind"]), str(figure.published["subject_id"])
        compiled_now = self._compiled(ruling)[figure.indicator_id]
        if compiled_now.declared.statistic == "last":
            months = months[-1:]
        counted, before = [], []
        listed: list[Row] = []
        for month in months:
            policy = self._measured_by(compiled_now, ruling, month)
            rows = counted_rows(self._fact(figure.fact, policy, month), compiled_now, kind, subject)
            if compiled_now.declared.statistic == "growth":
                earlier = self._before(figure.fact, policy, month)
                base = earlier.clear() if earlier.is_empty() else counted_rows(earlier, compiled_now, kind, subject)
                if earlier.is_empty() or not has_base(earlier, base, compiled_now, kind, subject):
                    continue
                before.append(base)
                listed += self._rows(figure.fact, base, compiled_now, policy, add_months(month, -12), is_before=True)
            counted.append(rows)
            listed += self._rows(figure.fact, rows, compiled_now, policy, month)
        sums = totals(counted, before, compiled_now)
        hidden: Hidden | None = None
        if figure.fact == "feedback_answer" and any(_is_of_people(part) for part in counted):
            hidden, listed = "appraisal", []
        return replace(
            figure,
            rows=tuple(listed),
            hidden=hidden,
            is_recounted=_agrees(figure, sums, bool(sum(map(len, counted)))),
            targets=self._targets(figure.published),
            dropped=self._dropped(figure.fact, subject, months),
        )

    def _measured_by(self, indicator: CompiledIndicator, ruling: Policy, month: str) -> Policy:
        """The policy under which a month's rows were counted: its own, unless the period's counts otherwise."""
        own = self.policies.in_force(self.region, month)
        same = own.indicators.get(indicator.indicator_id)
        return own if same and same.measured_by == indicator.declared.measured_by else ruling

    def _today(self, month: str) -> dt.date:
        """The day on which the month was last computed, as far as it matters: its published last day is over."""
        return self.as_of_dates[month] + dt.timedelta(days=1)

    def _fact(self, fact: str, policy: Policy, month: str) -> pl.DataFrame:
        key = (fact, policy_version(policy), month)
        if key not in self._facts:
            self._facts[key] = declared_facts(self.lake, policy, month, self._today(month), [fact])[fact].collect()
        return self._facts[key]

    def _before(self, fact: str, policy: Policy, month: str) -> pl.DataFrame:
        found = facts_year_before(self.lake, policy, month, self._today(month), [fact])
        return found[fact].collect() if fact in found else pl.DataFrame()

    def _rows(
        self,
        fact: str,
        rows: pl.DataFrame,
        indicator: CompiledIndicator,
        policy: Policy,
        month: str,
        *,
        is_before: bool = False,
    ) -> Iterator[Row]:
        rows = rows.with_row_index(EVIDENCE).with_columns(pl.col(EVIDENCE).cast(pl.Int64))
        found = sources(fact, rows, self.lake, policy, month)
        by_row: dict[int, list[Source]] = {}
        for number, feed, delivery_id, source_row in found.iter_rows():
            by_row.setdefault(number, []).append(self._source(feed, delivery_id, source_row))
        names = _shown_columns(fact, rows.columns, indicator)
        classified = self._classified(fact)
        for row in rows.iter_rows(named=True):
            yield Row(
                month=month,
                values={name: self._shown(name, row[name], row, classified) for name in names},
                numerator=row[ABOVE] / UNITS,
                denominator=row[BELOW] / UNITS,
                sources=tuple(by_row.get(row[EVIDENCE], ())),
                is_year_before=is_before,
            )

    def _shown(self, name: str, value: Any, row: Mapping[str, Any], classified: Collection[str]) -> Any:
        is_person = name in _PEOPLE or (name == "subject_id" and row.get("subject_kind") == "employee")
        if is_person:
            return self.mask.person(value)
        is_own = row.get("nip") is not None and row.get("nip") == self.mask.asked
        if name in classified and not is_own and name != "subject_id":
            return None if value is None else "***"
        return value.isoformat() if isinstance(value, dt.date | dt.datetime) else value

    def _classified(self, fact: str) -> set[str]:
        if fact not in _FACT_PAGES:
            return set()
        direction, name = _FACT_PAGES[fact]
        page: Contract = (self.contracts.outgoing if direction == "outgoing" else self.contracts.incoming)[name]
        return {column.name for column in page.columns if column.is_personal}

    def _source(self, feed: str, delivery_id: str, source_row: int) -> Source:
        if self._files is None:
            ledger = deliveries(self.home, self.region)
            self._files = {f"{f}/{d}": n for f, d, n in ledger.select("feed", "delivery_id", "file_name").iter_rows()}
        file = self._files.get(f"{feed}/{delivery_id}", "")
        unit, number, sheet = place_in(file, source_row)
        return Source(feed, file, delivery_id, unit, number, sheet, self._correction(feed, delivery_id, source_row))

    def _correction(self, feed: str, delivery_id: str, source_row: int) -> str | None:
        """What the register of corrections made of a delivered row, as one line."""
        if self._corrections is None:
            has_some = self.lake.has("validated", "correction", self.region)
            rows = self.lake.read("validated", "correction", self.region).to_dicts() if has_some else []
            self._corrections = {}
            for one in rows:
                is_personal = self.contracts.incoming[one["feed"]].column(one["column"]).is_personal
                place = (one["feed"], one["_delivery_id"], one["_source_row"])
                self._corrections.setdefault(place, []).append(described(one, is_personal=is_personal))
        found = self._corrections.get((feed, delivery_id, source_row))
        return "; ".join(found) if found else None

    def _dropped(self, fact: str, subject: str, months: Sequence[str]) -> tuple[Source, ...]:
        """The subject's rows that a correction took out of the feed behind the fact."""
        feed = _FEEDS.get(fact)
        has = [m for m in months if feed and self.lake.has("quarantine", feed, self.region, m)]
        if feed is None or not has:
            return ()
        rows = self.lake.read("quarantine", feed, self.region, has)
        named = [name for name in ("nip", "unit_id", "subject_id") if name in rows.columns]
        out = rows.filter(
            pl.col("_reasons").list.contains(DROPPED), pl.any_horizontal(pl.col(n) == subject for n in named)
        )
        return tuple(self._source(feed, *line) for line in out.select("_delivery_id", "_source_row").iter_rows())

    def _targets(self, published: Mapping[str, Any]) -> tuple[Source, ...]:
        """The delivered agreements that bear on the figure: of its period, a longer one around it, or a month of it."""
        if not self.lake.has("validated", "indicator_target", self.region):
            return ()
        near = {*months_of(self.period), *(p for m in months_of(self.period) for p in periods_of(m).values())}
        agreed = self.lake.read("validated", "indicator_target", self.region).filter(
            *(pl.col(name) == published[name] for name in ("subject_kind", "subject_id", "indicator_id")),
            pl.col("period").is_in(sorted(near)),
        )
        lines = agreed.select("_delivery_id", "_source_row").iter_rows()
        return tuple(self._source("indicator_target", *line) for line in lines)

    def ratings(self, nip: str) -> tuple[Source, ...]:
        """The delivered official ratings of the person that bear on the period."""
        year = months_of(self.period[:4])
        months = [m for m in year if self.lake.has("validated", "performance_rating", self.region, m)]
        if not months:
            return ()
        rated = self.lake.read("validated", "performance_rating", self.region, months).filter(
            pl.col("subject_kind") == "employee",
            pl.col("subject_id") == nip,
            pl.col("period").is_in([self.period, *months_of(self.period)]),
        )
        lines = rated.select("_delivery_id", "_source_row").iter_rows()
        return tuple(self._source("performance_rating", *line) for line in lines)


def _is_of_people(answers: pl.DataFrame) -> bool:
    """Whether somebody other than the public answered, or about a person: such answers are counted, never listed."""
    return bool(answers.select(((pl.col("role_code") != "public") | (pl.col("subject_kind") != "unit")).any()).item())


def _shown_columns(fact: str, columns: Sequence[str], indicator: CompiledIndicator) -> list[str]:
    used = [e for e in (indicator.keep, indicator.numerator, indicator.denominator) if e is not None]
    named = [name for expression in used for name in expression.meta.root_names()]
    return [name for name in dict.fromkeys([*_SHOWN[fact], *named]) if name in columns and name != "response_id"]


def _agrees(figure: Figure, sums: tuple[float | None, float | None, float | None], has_rows: bool) -> bool:
    """Whether the rows give what is published, to its last published decimal."""
    if not has_rows and figure.fact not in ENUMERATED:
        return figure.published["actual"] is None
    for name, value in zip(("numerator", "denominator", "actual"), sums, strict=True):
        stated = figure.published[name]
        if stated is not None and (value is None or abs(value - stated) > 0.00006):
            return False
    return True
