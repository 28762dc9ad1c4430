"""Feeds that indicators read as they are: every row names its employee or its unit, whichever its subject is.

Here: the named columns that declarations may use beside the feed's own (policies/indicators lists them).
Not here: the facts, which bring theirs with them.
"""

from __future__ import annotations

from typing import TypeVar

import polars as pl

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)


def answers_by_subject(answers: Rows, people: Rows | None = None) -> Rows:
    """feedback_response with nip or unit_id filled from the subject, without the answers of appraisal rounds.

    With `people` (nip, unit_id) what is said to an employee counts in their unit too; a declaration about units alone
    filters by subject_kind. A mean of few raters must not become an indicator: facts/appraisal alone computes with
    those answers. `is_response` marks one row of each response, so that responses can be counted; `feedback_days` is
    how long after the observation its feedback was shared, null without both times.
    """
    own = answers.filter(
        pl.col("round_id").is_null() & ~pl.col("role_code").is_in(["peer", "subordinate", "self"])
    ).with_columns(
        is_response=pl.col("element_code") == pl.col("element_code").min().over("response_id", "subject_id"),
        feedback_days=(pl.col("shared_at") - pl.col("observed_at")).dt.total_seconds() / 86_400,
    )
    return _named(own, people)


def measurements_by_subject(measurements: Rows) -> Rows:
    """indicator_measurement with nip or unit_id filled from the subject, days and months side by side.

    A month's own figure stands for its days. `is_latest` marks the month's figure, or that of its last day measured:
    the level of a stock.
    """
    figure = ("indicator_id", "subject_kind", "subject_id")
    is_month = pl.col("period").str.len_chars() == 7
    kept = measurements.filter(is_month | ~is_month.any().over(figure))
    return _named(kept.with_columns(is_latest=pl.col("period") == pl.col("period").max().over(figure)), None)


def targets_by_subject(targets: Rows, people: Rows) -> Rows:
    """indicator_target with nip or unit_id filled from the subject; an employee's target counts in their unit too."""
    return _named(targets, people)


def _named(rows: Rows, people: Rows | None) -> Rows:
    """The rows with nip and unit_id, an employee's with their unit where `people` say it."""
    named = rows.with_columns(nip=_subject("employee"), unit_id=_subject("unit"))
    if people is None:
        return named
    return (
        named.join(people.select("nip", _unit="unit_id"), on="nip", how="left", maintain_order="left")
        .with_columns(unit_id=pl.coalesce("unit_id", "_unit"))
        .drop("_unit")
    )


def _subject(kind: str) -> pl.Expr:
    return pl.when(pl.col("subject_kind") == kind).then("subject_id")
