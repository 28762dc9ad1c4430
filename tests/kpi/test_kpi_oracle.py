"""Random small worlds: indicators and evaluations are those that exact arithmetic on DOMAIN section 9 gives.

The oracle works with fractions on plain dictionaries and shares no code with the pipeline.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kpi_world import by, kpi_frame, measured, people_of, policy_with, rated

from kinerja_pipeline.kpi.evaluation import evaluation
from kinerja_pipeline.policies.model import Evaluation

MONTHS = ("2026-01", "2026-02", "2026-03")
STAFF = {"ani": "pelaksana", "budi": "jpt"}
PERIODS = {"2026-03": ("2026-03",), "2026-Q1": MONTHS, "2026-S1": MONTHS, "2026": MONTHS}


class Sum(NamedTuple):
    numerator: int
    denominator: int
    evidence: int


class Declared(NamedTuple):
    direction: str
    formula: str
    statistic: str
    kind: str
    target: int
    width: int
    position_target: int | None
    minimum: int


class World(NamedTuple):
    indicators: list[Declared]
    weights: list[int]
    sums: dict[tuple[str, str, int], Sum]
    agreed: dict[tuple[str, str, int], int]
    ratings: dict[tuple[str, str], tuple[str | None, str | None]]
    minimum_coverage: int


ratings_of = st.sampled_from(["di_atas", "sesuai", "di_bawah", None])
declared = st.builds(
    # Only counts add up.
    lambda **parts: Declared(**{**parts, "kind": parts["kind"] if parts["statistic"] == "count" else "level"}),
    direction=st.sampled_from(["higher", "higher", "lower", "range"]),
    formula=st.sampled_from(["standard", "inverse"]),
    statistic=st.sampled_from(["ratio", "ratio", "count", "last"]),
    kind=st.sampled_from(["level", "additive"]),
    target=st.sampled_from([0, 5, 10, 40, 80]),
    width=st.sampled_from([0, 5, 20]),
    position_target=st.sampled_from([None, 4, 20]),
    minimum=st.sampled_from([1, 1, 4]),
)
sums = st.builds(Sum, st.integers(0, 90), st.sampled_from([0, 1, 1, 2, 3]), st.integers(1, 6))
worlds = st.builds(
    World,
    indicators=st.lists(declared, min_size=3, max_size=3),
    weights=st.sampled_from([[10, 0, 0], [5, 3, 2], [6, 4, 0], [4, 3, 3]]),
    sums=st.dictionaries(st.tuples(st.sampled_from(list(STAFF)), st.sampled_from(MONTHS), st.integers(0, 2)), sums),
    agreed=st.dictionaries(
        st.tuples(st.sampled_from(list(STAFF)), st.sampled_from([*MONTHS, "2026-Q1", "2026"]), st.integers(0, 2)),
        st.sampled_from([0, 6, 24, 60]),
        max_size=6,
    ),
    ratings=st.dictionaries(
        st.tuples(st.sampled_from(list(STAFF)), st.sampled_from([*PERIODS, "2026-01", "2026-02"])),
        st.tuples(ratings_of, st.sampled_from(["baik", "kurang", None])),
    ),
    minimum_coverage=st.sampled_from([0, 4, 6, 10]),
)


# ---- the oracle ------------------------------------------------------------------------------------------------------


def expected_indicator(
    world: World, nip: str, number: int, period: str
) -> tuple[str | None, Fraction | None, Fraction]:
    """Why not computable, else the achievement; and the target."""
    it = world.indicators[number]
    present = [m for m in PERIODS[period] if any(month == m for _, month, _ in world.sums)]
    counted = present[-1:] if it.statistic == "last" else present
    found = [world.sums[nip, m, number] for m in counted if (nip, m, number) in world.sums]
    low, high = Fraction(it.target), Fraction(it.target + it.width)
    target = expected_target(world, nip, number, period, present)
    evidence = sum(s.evidence for s in found)
    above, below = sum(s.numerator for s in found), sum(s.denominator for s in found)
    if evidence == 0:
        return "no_evidence", None, target
    if evidence < it.minimum:
        return "below_minimum_evidence", None, target
    if it.statistic == "ratio" and below == 0:
        return "denominator_zero", None, target
    actual = Fraction(above, below if it.statistic == "ratio" else 1)
    if it.direction == "range":
        if it.width == 0:
            return "range_empty", None, target
        distance = max(low - actual, actual - high, Fraction(0))
        return None, max(Fraction(0), 100 - 100 * distance / it.width), target
    if it.direction == "lower" and it.formula == "inverse":
        return ("actual_zero", None, target) if actual == 0 else (None, 100 * target / actual, target)
    if target == 0:
        return "target_zero", None, target
    if it.direction == "lower":
        return None, max(Fraction(0), 100 * (2 * target - actual) / target), target
    return None, 100 * actual / target, target


def expected_target(world: World, nip: str, number: int, period: str, present: list[str]) -> Fraction:
    """Of subject and period, else of subject and what is around it, else of the last of its months that has one (by the
    month's own or its quarter's agreement), else of the position, else the constant; a level target holds, additive
    ones sum the months."""
    it = world.indicators[number]
    constant = Fraction(it.target)
    if it.position_target is not None and STAFF[nip] == "jpt":
        constant = Fraction(it.position_target)

    def agreed(*periods: str) -> tuple[Fraction, int] | None:
        lengths = {"2026-Q1": 3, "2026": 12}
        found = [p for p in periods if (nip, p, number) in world.agreed]
        return (Fraction(world.agreed[nip, found[0], number]), lengths.get(found[0], 1)) if found else None

    if it.kind == "additive":
        if whole := agreed(period):
            return whole[0] * len(present) / whole[1]
        monthly = [agreed(month, "2026-Q1", "2026") or (constant, 1) for month in present]
        return sum((t / n for t, n in monthly), Fraction(0)) if present else constant
    around = {"2026-03": ("2026-03", "2026-Q1", "2026"), "2026-Q1": ("2026-Q1", "2026")}.get(period, ("2026",))
    by_month = [agreed(month, "2026-Q1") for month in reversed(present)]
    held = agreed(*around) or next((each for each in by_month if each), None)
    return held[0] if held else constant


def half_up(value: Fraction) -> Fraction:
    return Fraction((value * 100 + Fraction(1, 2)).__floor__(), 100)


def expected_evaluation(world: World, nip: str, period: str) -> dict[str, Any]:
    total, done, weighed = 0, 0, Fraction(0)
    for number, weight in enumerate(world.weights):
        reason, achievement, _ = expected_indicator(world, nip, number, period)
        total += weight
        if reason is None and achievement is not None:
            done += weight
            weighed += weight * min(achievement, Fraction(120))
    score = half_up(weighed / done) if done and done * 10 >= world.minimum_coverage * total else None
    rating = None
    if score is not None:
        rating = "di_atas" if score > 110 else "sesuai" if score >= 90 else "di_bawah"

    behaviour, official = world.ratings.get((nip, period), (None, None))
    for month in reversed(PERIODS[period]):
        behaviour = behaviour or world.ratings.get((nip, month), (None, None))[0]

    recommended = None
    if rating and behaviour == "di_bawah":
        recommended = "sangat_kurang" if rating == "di_bawah" else "kurang"
    elif rating == "di_bawah" and behaviour:
        recommended = "butuh_perbaikan"
    elif rating and behaviour:
        recommended = "sangat_baik" if rating == behaviour == "di_atas" else "baik"
    return {
        "result_score": None if score is None else float(score),
        "result_rating": rating,
        "behaviour_rating": behaviour,
        "recommended_predicate": recommended,
        "official_predicate": official,
        "is_different": recommended != official if recommended and official else None,
        "reason": "result_coverage_too_low" if score is None else None if behaviour else "behaviour_not_rated",
    }


# ---- the pipeline ----------------------------------------------------------------------------------------------------


def declaration(it: Declared, weight: int) -> dict[str, Any]:
    target: dict[str, Any] = {"kind": it.kind}
    if it.direction == "range":
        target |= {"low": it.target, "high": it.target + it.width}
    else:
        target |= {"value": it.target}
    if it.position_target is not None:
        target |= {"by_position": {"jpt": it.position_target}}
    return {
        "direction": it.direction,
        "formula": it.formula,
        "statistic": it.statistic,
        "denominator": "1" if it.statistic == "ratio" else None,
        "target": target,
        "scale": 1,
        "minimum_evidence": it.minimum,
        "weight": weight / 10,
    }


@settings(max_examples=50)
@given(worlds, st.sampled_from([1, len(STAFF)]))
def test_indicators_and_evaluations_are_those_of_exact_arithmetic(world: World, people_at_once: int) -> None:
    declarations = {f"i{n}": declaration(it, world.weights[n]) for n, it in enumerate(world.indicators)}
    policy = policy_with(**declarations)
    monthly = measured(
        *(
            ("employee", nip, f"i{n}", month, float(s[0]), float(s[1]), s[2])
            for (nip, month, n), s in world.sums.items()
        )
    )
    people = people_of(*((nip, "dinkes", level) for nip, level in STAFF.items()))
    keys = ("indicator_id", "subject_kind", "subject_id", "period")
    targets = pl.DataFrame(
        [(f"i{n}", "employee", nip, period, float(t)) for (nip, period, n), t in world.agreed.items()],
        schema={**dict.fromkeys(keys, pl.String), "target": pl.Float64},
        orient="row",
    )
    rows = kpi_frame(policy, monthly, people, targets=targets, people_at_once=people_at_once)

    assert len(rows) == len(STAFF) * 3 * len(PERIODS)
    for (nip, name, period), row in by(rows, "subject_id", "indicator_id", "period").items():
        reason, achievement, target = expected_indicator(world, nip, int(name[1]), period)
        assert row["reason"] == reason
        assert row["status_code"] == ("computed" if reason is None else "not_computable")
        # A month whose figures nobody measured is not computed at all; here it is, and its target means nothing.
        if world.indicators[int(name[1])].direction != "range" and (row["evidence_count"] or not world.agreed):
            assert row["target"] == pytest.approx(float(target))
        assert row["achievement"] == (None if achievement is None else pytest.approx(float(achievement)))
        assert row["score"] == (None if achievement is None else pytest.approx(float(min(achievement, Fraction(120)))))

    kinds = {"2026-03": "month", "2026-Q1": "quarter", "2026-S1": "semester", "2026": "year"}
    ratings = rated(
        *(
            {
                "subject_id": nip,
                "period": period,
                "period_kind": kinds.get(period, "month"),
                "behaviour_rating": behaviour,
                "predicate": predicate,
            }
            for (nip, period), (behaviour, predicate) in world.ratings.items()
        )
    )
    judged = evaluation(rows, ratings, Evaluation(minimum_coverage_share=world.minimum_coverage / 10))
    assert len(judged) == len(STAFF) * len(PERIODS)
    for (nip, period), row in by(judged, "nip", "period").items():
        expected = expected_evaluation(world, nip, period)
        assert {name: row[name] for name in expected} == expected
