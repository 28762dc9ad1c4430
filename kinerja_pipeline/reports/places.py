"""Where report files lie in the home, and how their links lead from one to the other.

Here: names and relative paths. Not here: what is in the files. Light, for Dagster's definitions load it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from kinerja_pipeline.home import Home

REGISTER = "register"
"""Stands for the month of a feed that has none."""
PUBLISHED_TABLES = "published_tables"
"""Stands for the feed on the page of what was published; no feed is called so."""


class Names(NamedTuple):
    """The files of one month: for officials a page and a workbook, for everyone a page."""

    page: str
    workbook: str
    summary: str


def names_in(language: str) -> Names:
    return (
        Names("report.html", "report.xlsx", "summary.html")
        if language == "en"
        else Names("laporan.html", "laporan.xlsx", "ringkasan.html")
    )


def monthly_folder(home: Home, region: str, month: str) -> Path:
    return home.reports / "monthly" / region / month


def validation_file(home: Home, region: str, month: str | None, feed: str) -> Path:
    return home.reports / "validation" / region / (month or REGISTER) / f"{feed}.html"


def to_validation(region: str, month: str | None, feed: str) -> str:
    """From a month's report to the validation page of a feed."""
    return f"../../../validation/{region}/{month or REGISTER}/{feed}.html"


def to_monthly(region: str, month: str) -> str:
    """From a validation page to the report of its month."""
    return f"../../../monthly/{region}/{month}/{names_in('id').page}"
