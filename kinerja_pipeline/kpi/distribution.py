"""Distribution of predicates in a unit against the guidance for its organisation's predicate (SE MenPANRB 3/2023).

Here: counts, conformance, and the smallest number of people who would have to change. Not here: the predicates
themselves (kpi/evaluation). It is a statement about a unit: no rating is changed, and nobody is named who should be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import polars as pl

from kinerja_pipeline.kpi.evaluation import PREDICATES
from kinerja_pipeline.policies.model import Evaluation

LEVELS = ("sangat_baik", "baik", "butuh_perbaikan", "kurang", "sangat_kurang")
"""The order of every tuple of counts in this module."""
assert set(LEVELS) == set(PREDICATES.values())

SPREAD = ("unit_id", "period_kind", "period", "policy_version", "official_predicate", "recommended_predicate")
"""What is looked at of evaluations."""

Counts = tuple[int, int, int, int, int]
Bounds = list[tuple[int, int]]
"""The least and the most people on each level."""


def unit_evaluation(evaluations: pl.DataFrame, ratings: pl.DataFrame, rules: Evaluation) -> pl.DataFrame:
    """One row per unit and period of `evaluations`: how its people's predicates are spread, and whether that conforms.

    The predicate in force counts: the official one, else the recommended one (their counts stand beside it). `ratings`
    give the organisation's own predicate of exactly that period. *Null when*: pattern_code without such a rating;
    is_conformant and change_count then, and for units with fewer than the policy's minimum of evaluated people, which
    cannot meet the guidance; `note` says which.
    """
    in_force = pl.coalesce("official_predicate", "recommended_predicate")
    counted = (
        evaluations.drop_nulls("unit_id")
        .group_by("unit_id", "period_kind", "period", "policy_version")
        .agg(
            pl.len().cast(pl.Int64).alias("employee_count"),
            in_force.count().cast(pl.Int64).alias("evaluated_count"),
            pl.col("official_predicate").count().cast(pl.Int64).alias("official_count"),
            *((in_force == level).sum().cast(pl.Int64).alias(f"{level}_count") for level in LEVELS),
            *(
                (pl.col("recommended_predicate") == level).sum().cast(pl.Int64).alias(f"recommended_{level}_count")
                for level in LEVELS
            ),
        )
        .join(_patterns(ratings), on=["unit_id", "period_kind", "period"], how="left")
        .sort("unit_id", "period_kind", "period")
    )
    minimum = rules.distribution_minimum_people
    note = (
        pl.when(pl.col("employee_count") < minimum)
        .then(pl.lit("unit_too_small"))
        .when(pl.col("evaluated_count") < minimum)
        .then(pl.lit("too_few_evaluated"))
        .when(pl.col("pattern_code").is_null())
        .then(pl.lit("pattern_not_delivered"))
        .when(~pl.col("pattern_code").is_in(list(_PATTERNS)))
        .then(pl.lit("pattern_unknown"))
    )
    noted = counted.with_columns(note=note)
    keys = noted.select("pattern_code", "note", *(f"{level}_count" for level in LEVELS))
    changes = [None if why else fewest_changes(tuple(counts), pattern) for pattern, why, *counts in keys.iter_rows()]
    return noted.with_columns(change_count=pl.Series(changes, dtype=pl.Int64)).with_columns(
        is_conformant=pl.col("change_count") == 0
    )


def conforms(counts: Counts, pattern: str) -> bool:
    """Whether the counts (in the order of LEVELS) follow the guidance for an organisation's predicate.

    `mostly` is strictly the largest group and at most 70 %: two groups of the same size are no majority.
    """
    return fewest_changes(counts, pattern) == 0


# Units of one size are often spread alike, and a month is often its quarter so far.
@lru_cache(maxsize=8192)
def fewest_changes(counts: Counts, pattern: str) -> int | None:
    """How many people, at least, would need another predicate for the counts to conform; None if no spread could.

    Every way to conform is a set of bounds on the five counts. People move from where there are too many to where there
    are too few, so the larger of both sums is what a set of bounds costs; the cheapest set is found by trying all.
    """
    total = sum(counts)
    costs = [
        max(
            sum(max(0, low - count) for count, (low, _) in zip(counts, bounds, strict=True)),
            sum(max(0, count - high) for count, (_, high) in zip(counts, bounds, strict=True)),
        )
        for bounds in _PATTERNS[pattern](total)
        if sum(low for low, _ in bounds) <= total <= sum(high for _, high in bounds)
        and all(low <= high for low, high in bounds)
    ]
    return min(costs, default=None)


def _at_least(percent: int, total: int) -> int:
    return -(-percent * total // 100)


def _at_most(percent: int, total: int) -> int:
    return percent * total // 100


def _mostly(level: int, total: int) -> Iterator[Bounds]:
    """That level strictly the largest group, at most 70 %: one set of bounds per size it may have."""
    for size in range(1, _at_most(70, total) + 1):
        bounds = [(0, size - 1)] * len(LEVELS)
        bounds[level] = (size, size)
        yield bounds


def _istimewa(total: int) -> Iterator[Bounds]:
    """Mostly (at most 70 %) Sangat Baik."""
    return _mostly(0, total)


def _baik(total: int) -> Iterator[Bounds]:
    """Mostly (at most 70 %) Baik, and at least one Butuh Perbaikan or Kurang."""
    for bounds in _mostly(1, total):
        for level in (2, 3):
            yield [(1, high) if n == level else (low, high) for n, (low, high) in enumerate(bounds)]


def _butuh_perbaikan(total: int) -> Iterator[Bounds]:
    """At least 60 % Butuh Perbaikan, at most 10 % Sangat Baik."""
    yield [(0, _at_most(10, total)), (0, total), (_at_least(60, total), total), (0, total), (0, total)]


def _kurang(total: int) -> Iterator[Bounds]:
    """At least 60 % Kurang, at least 10 % Butuh Perbaikan, at most 10 % Sangat Baik."""
    some = (_at_least(10, total), total)
    yield [(0, _at_most(10, total)), (0, total), some, (_at_least(60, total), total), (0, total)]


def _sangat_kurang(total: int) -> Iterator[Bounds]:
    """At least 60 % Sangat Kurang, at least 10 % Kurang or Butuh Perbaikan together, no Sangat Baik."""
    some, most = _at_least(10, total), _at_least(60, total)
    for lacking in range(some + 1):
        yield [(0, 0), (0, total), (lacking, total), (some - lacking, total), (most, total)]


_PATTERNS: dict[str, Callable[[int], Iterator[Bounds]]] = {
    "istimewa": _istimewa,
    "baik": _baik,
    "butuh_perbaikan": _butuh_perbaikan,
    "kurang": _kurang,
    "sangat_kurang": _sangat_kurang,
}


def _patterns(ratings: pl.DataFrame) -> pl.DataFrame:
    return ratings.filter(pl.col("subject_kind") == "org_unit").select(
        pl.col("subject_id").alias("unit_id"), "period_kind", "period", pl.col("predicate").alias("pattern_code")
    )
