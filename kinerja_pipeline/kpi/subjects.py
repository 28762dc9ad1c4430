"""Feeds that indicators read as they are: every row names its employee or its unit, whichever its subject is.

Here: the named columns that declarations may use beside the feed's own (policies/indicators lists them).
Not here: the facts, which bring theirs with them.
"""

from __future__ import annotations

import polars as pl


def answers_by_subject(answers: pl.DataFrame) -> pl.DataFrame:
    """feedback_response with nip or unit_id filled from the subject."""
    return answers.with_columns(nip=_subject("employee"), unit_id=_subject("unit"))


def measurements_by_subject(measurements: pl.DataFrame) -> pl.DataFrame:
    """indicator_measurement with nip or unit_id filled from the subject."""
    return measurements.with_columns(nip=_subject("employee"), unit_id=_subject("unit"))


def targets_by_subject(targets: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """indicator_target with nip or unit_id filled from the subject; an employee's target counts in their unit too."""
    units = people.select("nip", _unit="unit_id")
    return (
        targets.with_columns(nip=_subject("employee"), unit_id=_subject("unit"))
        .join(units, on="nip", how="left")
        .with_columns(unit_id=pl.coalesce("unit_id", "_unit"))
        .drop("_unit")
    )


def _subject(kind: str) -> pl.Expr:
    return pl.when(pl.col("subject_kind") == kind).then("subject_id")
