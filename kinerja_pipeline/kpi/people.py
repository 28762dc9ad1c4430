"""Who is evaluated in a period, and in which unit.

Here: dated assignments -> the people of a period. Not here: their days (facts/attendance) and scores (kpi/evaluation).
"""

from __future__ import annotations

import datetime as dt

import polars as pl


def people(employees: pl.DataFrame, start: dt.date, end: dt.date) -> pl.DataFrame:
    """One row per employee with a main assignment (`utama`) on any day of the period: nip, unit_id, position_level.

    Unit and level are those of the last active day; acting assignments (`plt`) are not evaluated.
    """
    active = employees.filter(
        (pl.col("assignment_code") == "utama")
        & (pl.col("valid_from") <= end)
        & (pl.col("valid_to").is_null() | (pl.col("valid_to") >= start))
    )
    return (
        active.sort("nip", "valid_from")
        .group_by("nip", maintain_order=True)
        .agg(pl.col("unit_id", "position_level").last())
    )
