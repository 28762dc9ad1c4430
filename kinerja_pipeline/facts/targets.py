"""Targets as agreed: one row per agreement around a month, and whether it came in time.

Here: the published targets and what a month counts of them. Not here: which target holds (kpi/targets).
"""

from __future__ import annotations

import polars as pl

from kinerja_pipeline.facts.periods import month_start, months_of, periods_of, utc
from kinerja_pipeline.policies.model import Policy


def indicator_target(targets: pl.DataFrame, policy: Policy, month: str) -> pl.DataFrame:
    """One row per target agreed for `month` or for the quarter or year that contains it.

    is_agreed_before_start: agreed before the first day of its period began. is_starting: its period begins in `month`,
    so that every target is counted in one month. *Null when*: is_agreed_before_start where no agreement is recorded.
    """
    around = list(periods_of(month).values())
    starts = pl.DataFrame(
        {"period": around, "_start": [month_start(months_of(period)[0]) for period in around]},
        schema={"period": pl.String, "_start": pl.Date},
    )
    agreed = pl.col("agreed_at")
    return (
        targets.join(starts, on="period")
        .select(
            "indicator_id",
            "subject_kind",
            "subject_id",
            "period",
            "target",
            utc(agreed, policy.zone, month).alias("agreed_at"),
            "agreed_by",
            (agreed < pl.col("_start").cast(pl.Datetime("us"))).alias("is_agreed_before_start"),
            (pl.col("_start") == pl.lit(month_start(month))).alias("is_starting"),
        )
        .sort("indicator_id", "subject_kind", "subject_id", "period")
    )
