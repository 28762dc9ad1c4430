"""The formulas of section 9 once more, in plain Python with exact fractions, written from that page alone.

Here: achievement, score, roll-up, result score, coverage, rating. Not here: anything imported from the pipeline: two
programs that agree were written twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

Measure = tuple[Fraction, Fraction, int]
"""Sum above the line, sum below it, rows of evidence."""


def rolled_up(statistic: str, months: Mapping[str, Measure], last_month: str | None) -> Measure | None:
    """Ratios and counts roll up by adding, stocks take the last. None: no evidence."""
    chosen = {m: v for m, v in months.items() if statistic != "last" or m == last_month}
    if not chosen:
        return None
    above, below, evidence = zip(*chosen.values(), strict=True)
    return sum(above, Fraction(0)), sum(below, Fraction(0)), sum(evidence)


def target_of(declared: Mapping[str, Any], level: str, months: int) -> Fraction:
    """A level target is the same for a quarter, an additive one sums the months."""
    one = Fraction(declared["by_position"].get(level, declared["value"]))
    return one * months if declared["kind"] == "additive" else one


def achievement(declared: Mapping[str, Any], actual: Fraction, target: Fraction) -> Fraction | str:
    """Percent of the target, or the reason why there is none."""
    direction, zero = declared["direction"], Fraction(0)
    if direction == "higher":
        return "target_zero" if target == 0 else 100 * actual / target
    if direction == "lower" and declared["formula"] == "inverse":
        return "actual_zero" if actual == 0 else 100 * target / actual
    if direction == "lower":
        return "target_zero" if target == 0 else max(zero, 100 * (2 * target - actual) / target)
    low, high = Fraction(declared["low"]), Fraction(declared["high"])
    if high <= low:
        return "range_empty"
    distance = low - actual if actual < low else actual - high if actual > high else zero
    return max(zero, 100 - 100 * distance / (high - low))


def judged(declared: Mapping[str, Any], measure: Measure | None, target: Fraction) -> tuple[Any, Any, str | None]:
    """Actual, score and reason of one subject, indicator and period."""
    if measure is None or measure[2] == 0:
        return None, None, "no_evidence"
    above, below, evidence = measure
    if evidence < declared["minimum_evidence"]:
        return None, None, "below_minimum_evidence"
    if declared["statistic"] == "ratio" and below == 0:
        return None, None, "denominator_zero"
    actual = declared["scale"] * (above / below if declared["statistic"] == "ratio" else above)
    found = achievement(declared, actual, target)
    if isinstance(found, str):
        return None, None, found
    return actual, min(found, Fraction(declared["cap"])), None


def half_up(value: Fraction) -> Fraction:
    """Rounded half up to two decimals."""
    return Fraction((value * 100 + Fraction(1, 2)).__floor__(), 100)


def result(
    scores: Iterable[tuple[Fraction, Fraction | None]], minimum: Fraction
) -> tuple[Fraction, Fraction | None, str | None]:
    """Weights and scores -> coverage share, result score (unrounded), rating of the rounded score."""
    rows: Sequence[tuple[Fraction, Fraction | None]] = list(scores)
    whole = sum((w for w, _ in rows), Fraction(0))
    there = [(w, s) for w, s in rows if s is not None]
    weight = sum((w for w, _ in there), Fraction(0))
    coverage = weight / whole
    if weight == 0 or coverage < minimum:
        return coverage, None, None
    score = sum((w * s for w, s in there), Fraction(0)) / weight
    rounded = half_up(score)
    return coverage, score, "di_atas" if rounded > 110 else "sesuai" if rounded >= 90 else "di_bawah"
