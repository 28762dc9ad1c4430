"""Training: hours of competence programmes in a year, and what became of the planned programmes.

Here: hours against those expected, planned against realised. Not here: who should be trained (kpi/follow_up_people).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import polars as pl

from kinerja_pipeline.facts.periods import add_months, month_bounds, month_start
from kinerja_pipeline.policies.model import Policy

UNITS = 10_000
"""Hours and costs are summed as integers of 1/10000: float sums depend on the order in which threads deliver rows."""


def training_year(
    records: pl.DataFrame, employees: pl.DataFrame, policy: Policy, month: str, months: Collection[str]
) -> pl.DataFrame:
    """One row per employee with a main assignment on any day of `month`: hours (JP) of the year so far, of those
    expected.

    `records` are validated training_record rows of the year's `months` that have been validated. Programmes that do not
    count as training are left out. Who has no record has 0 hours. *Null when*: hours, programme_count and hours_share
    if a month of the year is lacking, from the region's first month on (counted_from_date says since when none is).
    """
    year = month[:4]
    january, first = f"{year}-01", month
    while first > january and add_months(first, -1) in months:
        first = add_months(first, -1)
    is_whole = first <= max(january, min(policy.first_month, month))
    start, end = month_bounds(month)
    counted = records.filter(
        pl.col("is_training").fill_null(True),
        pl.col("completed_date").is_between(month_start(january), end),
    )
    sums = counted.group_by("nip").agg(
        _units("hours").sum().alias("_hours"),
        pl.when(pl.col("completed_date") >= start).then(_units("hours")).sum().alias("_month"),
        pl.col("programme_id").n_unique().cast(pl.Int64).alias("_programmes"),
    )
    expected = policy.training.expected_hours
    hours = pl.col("_hours").fill_null(0) / UNITS
    return (
        _staff(employees, start, end)
        .join(sums, on="nip", how="left")
        .select(
            "nip",
            pl.lit(month).alias("period"),
            "unit_id",
            pl.when(is_whole).then(hours).alias("hours"),
            pl.lit(expected).alias("expected_hours"),
            pl.when(is_whole).then(pl.col("_programmes").fill_null(0)).alias("programme_count"),
            pl.when(is_whole).then(hours / expected).alias("hours_share"),
            (pl.col("_month").fill_null(0) / UNITS).alias("month_hours"),
            pl.lit(month_start(first)).alias("counted_from_date"),
        )
        .sort("nip")
    )


def training_programme(plans: pl.DataFrame, records: pl.DataFrame, needs: pl.DataFrame) -> pl.DataFrame:
    """One row per programme and year that was planned, held or recommended: hours, places and cost, and needs unmet.

    `records` are all validated training_record rows, `needs` the people for whom a programme was recommended
    (programme_id, year, nip). Hours count all participants: planned ones are those of one place times the places.
    *Null when*: planned columns without a plan; realised_cost and cost_per_hour without a recorded cost. *Edge*: hours
    whose cost nobody recorded were not free; they stay out of cost_per_hour.
    """
    key = ["programme_id", "year"]
    held = records.with_columns(year=pl.col("completed_date").dt.year().cast(pl.Int64)).sort("completed_date", "nip")
    has_cost = pl.col("cost").is_not_null()
    realised = held.group_by(key).agg(
        _units("hours").sum().alias("_hours"),
        pl.len().cast(pl.Int64).alias("realised_places"),
        pl.when(has_cost.any()).then(_units("cost").sum()).alias("_cost"),
        pl.when(has_cost).then(_units("hours")).sum().alias("_paid_hours"),
        pl.col("competency_code").drop_nulls().first().alias("_competency"),
        pl.col("provider").drop_nulls().first().alias("_provider"),
    )
    open_needs = needs.select(*key, "nip").unique().join(held, on=[*key, "nip"], how="anti")
    unmet = open_needs.group_by(key).agg(pl.len().cast(pl.Int64).alias("unmet_count"))
    every = pl.concat([plans.select(key), realised.select(key), unmet.select(key)]).unique()
    planned = plans.rename({"planned_hours": "_each", "places": "planned_places", "cost": "planned_cost"})
    return (
        every.join(planned, on=key, how="left")
        .join(realised, on=key, how="left")
        .join(unmet, on=key, how="left")
        .select(
            *key,
            "name",
            pl.coalesce("competency_code", "_competency").alias("competency_code"),
            pl.coalesce("provider", "_provider").alias("provider"),
            (pl.col("_each") * pl.col("planned_places")).alias("planned_hours"),
            (pl.col("_hours").fill_null(0) / UNITS).alias("realised_hours"),
            "planned_places",
            pl.col("realised_places").fill_null(0),
            "planned_cost",
            (pl.col("_cost") / UNITS).alias("realised_cost"),
            pl.when(pl.col("_paid_hours") > 0).then(pl.col("_cost") / pl.col("_paid_hours")).alias("cost_per_hour"),
            pl.col("unmet_count").fill_null(0),
        )
        .sort(key)
    )


def _staff(employees: pl.DataFrame, start: dt.date, end: dt.date) -> pl.DataFrame:
    """The employees of the month, each in the unit of the last active day."""
    active = employees.filter(
        pl.col("assignment_code") == "utama",
        pl.col("valid_from") <= end,
        pl.col("valid_to").is_null() | (pl.col("valid_to") >= start),
    )
    return active.sort("nip", "valid_from").group_by("nip", maintain_order=True).agg(pl.col("unit_id").last())


def _units(column: str) -> pl.Expr:
    return (pl.col(column) * UNITS).round().cast(pl.Int64)
