"""Facts as indicators see them: every row names its employee and its unit, and the plain yes-or-no columns are there.

Here: the named columns that declarations may use beside the fact's own (policies/indicators lists them). Not here: facts.
"""

from __future__ import annotations

import polars as pl

ATTENDED = ("present", "late", "left_early", "late_and_left_early", "missing_in", "missing_out")
NOT_WORKDAY = ("off", "holiday", "not_recorded", "leave", "sick", "duty_travel", "permit", "study", "remote_work")


def days_with_presence(days: pl.DataFrame) -> pl.DataFrame:
    """attendance_day with is_present and is_workday: scheduled, not a holiday, not fully permitted, and judged."""
    return days.with_columns(
        is_present=pl.col("status_code").is_in(ATTENDED), is_workday=~pl.col("status_code").is_in(NOT_WORKDAY)
    )


def answers_by_subject(answers: pl.DataFrame) -> pl.DataFrame:
    """feedback_response with nip or unit_id filled from the subject."""
    return answers.with_columns(nip=_subject("employee"), unit_id=_subject("unit"))


def measurements_by_subject(measurements: pl.DataFrame) -> pl.DataFrame:
    """indicator_measurement with nip or unit_id filled from the subject."""
    return measurements.with_columns(nip=_subject("employee"), unit_id=_subject("unit"))


def _subject(kind: str) -> pl.Expr:
    return pl.when(pl.col("subject_kind") == kind).then("subject_id")
