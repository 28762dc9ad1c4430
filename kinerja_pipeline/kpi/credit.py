"""Converted credit of functional officials: official predicate -> points (PermenPANRB 1/2023).

Here: months, shares and coefficients. Not here: the predicate (kpi/evaluation); a recommended one converts nothing.
"""

from __future__ import annotations

import polars as pl

from kinerja_pipeline.facts.periods import in_force, month_end, months_of
from kinerja_pipeline.kpi.evaluation import half_up
from kinerja_pipeline.policies.model import Credit


def credited(evaluations: pl.DataFrame, employees: pl.DataFrame, rules: Credit) -> pl.DataFrame:
    """`evaluations` with credit_points: months / 12 * the predicate's share * the yearly coefficient.

    A line per position held in the period, rounded half-up to 2 decimals, and their sum; a month belongs to the main
    assignment (`utama`) of its last day. The coefficient is that of the position, else of its level. *Null when*: no
    official predicate of exactly that period, or no position with a coefficient.
    """
    main = in_force(employees.filter(pl.col("assignment_code") == "utama"), ["nip"])
    own, level = (
        pl.col(c).replace_strict(
            list(rules.coefficients), list(rules.coefficients.values()), default=None, return_dtype=pl.Float64
        )
        if rules.coefficients
        else pl.lit(None, dtype=pl.Float64)
        for c in ("position", "position_level")
    )
    schema = {"nip": pl.String, "period": pl.String, "_coefficient": pl.Float64, "_months": pl.UInt32}
    held = [pl.DataFrame(schema=schema)]
    for period in evaluations["period"].unique(maintain_order=True):
        ends = pl.DataFrame({"_end": [month_end(month) for month in months_of(period)]})
        months = main.join(ends, how="cross").filter(pl.col("_end").is_between("valid_from", "valid_to"))
        lines = months.with_columns(_coefficient=pl.coalesce(own, level)).drop_nulls("_coefficient")
        counted = lines.group_by("nip", "position", "_coefficient").agg(pl.len().alias("_months"))
        held.append(counted.select("nip", pl.lit(period).alias("period"), "_coefficient", "_months"))
    share = pl.col("official_predicate").replace_strict(
        list(rules.shares), list(rules.shares.values()), default=None, return_dtype=pl.Float64
    )
    points = (
        pl.concat(held)
        .join(evaluations.select("nip", "period", share.alias("_share")), on=["nip", "period"])
        .drop_nulls("_share")
        .with_columns(_points=pl.col("_months") * pl.col("_share") * pl.col("_coefficient") / 12)
        .group_by("nip", "period")
        .agg(half_up("_points", 2).sum().round(2).alias("credit_points"))
    )
    columns = evaluations.columns
    return (
        evaluations.drop("credit_points")
        .join(points, on=["nip", "period"], how="left", maintain_order="left")
        .select(columns)
    )
