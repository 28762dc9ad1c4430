"""An explanation as a value: what is published of a subject and period, and everything that leads to it.

Here: its parts. Not here: finding them (warehouse/explain, warehouse/trail), showing them (warehouse/explained).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

SubjectKind = Literal["employee", "unit", "region"]
Hidden = Literal["appraisal", "policy_changed", "not_in_this_home", "restated", "withheld_then"]
"""Why a figure's rows are not listed: answers lead to people, another policy ruled, the lake lies elsewhere, the figure
was another one on the day that was asked for (and perhaps may not be told)."""


class ExplainError(Exception):
    """There is nothing to explain; the message says what there is instead."""


@dataclass(frozen=True, slots=True)
class Source:
    """A delivered row: the line (or row) of a file, and what the register of corrections made of it."""

    feed: str
    file: str
    delivery_id: str
    unit: str
    number: int
    sheet: int | None = None
    correction: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the fact that counts: what it says, what it adds above and below the line, where it was delivered."""

    month: str
    values: Mapping[str, Any]
    numerator: float
    denominator: float
    sources: tuple[Source, ...]
    is_year_before: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """One published indicator: the numbers as published, the rule in words, and the rows that they were counted from.

    `is_recounted` says whether the rows give the published numbers; null while they are not listed. `dropped` are the
    subject's delivered rows that a correction took out.
    """

    published: Mapping[str, Any]
    labels: Mapping[str, str]
    fact: str
    formula: str
    law: str | None
    unit: str
    direction: str
    statistic: str
    scale: float | None
    cap: float | None
    inverse: bool
    target_range: tuple[float, float] | None
    rows: tuple[Row, ...] = ()
    hidden: Hidden | None = None
    is_recounted: bool | None = None
    targets: tuple[Source, ...] = ()
    dropped: tuple[Source, ...] = ()

    @property
    def indicator_id(self) -> str:
        return str(self.published["indicator_id"])


@dataclass(frozen=True, slots=True)
class Judgement:
    """The published evaluation of an employee: ratings, the thresholds they follow from, what roles may be told."""

    published: Mapping[str, Any]
    rules: Mapping[str, float]
    roles: tuple[Mapping[str, Any], ...]
    ratings: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that leads to the published numbers of one subject and period."""

    region: str
    labels: Mapping[str, str]
    subject_kind: SubjectKind
    subject_id: str
    period: str
    unit_id: str | None
    policy_version: str
    status: Mapping[str, Any]
    publication: Mapping[str, Any]
    evaluation: Judgement | None
    figures: tuple[Figure, ...]
    as_of: str | None = None
