"""Who is told what in which language, and the forms that all parts of a page use.

Here: the value that every part of a page is handed. Not here: the parts (reports/page, reports/services,
reports/people).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from kinerja_pipeline.policies.model import Policy, Survey
from kinerja_pipeline.reports.figures import Figures
from kinerja_pipeline.reports.words import Language, number, percent

Audience = Literal["officials", "everyone"]

MOST_UNITS = 40
"""Units in a plot and its table; the workbook has them all."""
MOST_LINES = 100
"""Lines of one follow-up list; the workbook has them all."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where other files lie, seen from the page: the workbook, and the validation page of each feed."""

    workbook: str | None = None
    validation: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Telling:
    """Who is told what in which language; `say` takes a text in Indonesian and English."""

    figures: Figures
    policy: Policy
    language: Language
    audience: Audience
    links: Links

    def say(self, indonesian: str, english: str) -> str:
        return escape(indonesian if self.language == "id" else english)

    def text(self, indonesian: str, english: str) -> str:
        return indonesian if self.language == "id" else english

    def label(self, labels: Any) -> str:
        return str(labels.id if self.language == "id" else labels.en)

    def count(self, value: float | None) -> str:
        return number(value, self.language)

    def decimal(self, value: float | None, decimals: int = 2) -> str:
        return number(value, self.language, decimals)

    def share(self, value: float | None, decimals: int = 1) -> str:
        return percent(value, self.language, decimals)

    @property
    def names_people(self) -> bool:
        return self.audience == "officials"


def by_class(survey: Survey) -> list[Any]:
    """The classes, the lowest first."""
    return sorted(survey.classes, key=lambda each: each.minimum)


def none(told: Telling, indonesian: str, english: str) -> str:
    return f"<p>{told.say(indonesian, english)}</p>"


def more(told: Telling, count: int) -> str:
    if count <= 0:
        return ""
    where = told.text(", lihat buku kerja", ", see the workbook") if told.names_people else ""
    return f'<p class="soft">{told.say(f"… dan {count} lagi{where}.", f"… and {count} more{where}.")}</p>'


def is_small(told: Telling, people: int) -> bool:
    return people < told.policy.evaluation.distribution_minimum_people


def hidden(told: Telling) -> str:
    return none(
        told,
        "Tidak ditampilkan: orangnya terlalu sedikit untuk tidak dikenali.",
        "Not shown: too few people not to be recognised.",
    )
