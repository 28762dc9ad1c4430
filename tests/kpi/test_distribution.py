"""How a unit's predicates are spread against the guidance: counted by hand, and by an oracle that tries everything.

The oracle is written from the guidance's sentences alone: it lists every spread of the unit's people over the five
predicates, keeps those that conform, and takes the nearest.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kpi_world import VERSION, by, frame_of, rated

from kinerja_pipeline.kpi.distribution import LEVELS, conforms, fewest_changes, unit_evaluation
from kinerja_pipeline.policies.model import Evaluation

RULES = Evaluation()
PATTERNS = ("istimewa", "baik", "butuh_perbaikan", "kurang", "sangat_kurang")
Spread = tuple[int, int, int, int, int]


# ---- the oracle ------------------------------------------------------------------------------------------------------


def guided(spread: Spread, pattern: str) -> bool:
    sangat_baik, baik, butuh, kurang, sangat_kurang = spread
    n = sum(spread)
    match pattern:
        case "istimewa":
            return sangat_baik > max(baik, butuh, kurang, sangat_kurang) and sangat_baik * 10 <= 7 * n
        case "baik":
            largest = baik > max(sangat_baik, butuh, kurang, sangat_kurang)
            return largest and baik * 10 <= 7 * n and butuh + kurang >= 1
        case "butuh_perbaikan":
            return butuh * 10 >= 6 * n and sangat_baik * 10 <= n
        case "kurang":
            return kurang * 10 >= 6 * n and butuh * 10 >= n and sangat_baik * 10 <= n
        case _:
            return sangat_kurang * 10 >= 6 * n and (kurang + butuh) * 10 >= n and sangat_baik == 0


def spreads(n: int, places: int = 5) -> Iterator[tuple[int, ...]]:
    if places == 1:
        yield (n,)
        return
    for first in range(n + 1):
        for rest in spreads(n - first, places - 1):
            yield (first, *rest)


@cache
def conforming(n: int, pattern: str) -> list[tuple[int, ...]]:
    return [s for s in spreads(n) if guided(s, pattern)]  # type: ignore[arg-type]


def nearest(spread: tuple[int, ...], pattern: str) -> int:
    return min(
        sum(max(0, b - a) for a, b in zip(spread, other, strict=True)) for other in conforming(sum(spread), pattern)
    )


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("n", [10, 11])
def test_no_spread_of_ten_or_eleven_people_needs_fewer_changes_than_told(n: int, pattern: str) -> None:
    told = {spread: fewest_changes(spread, pattern) for spread in spreads(n)}  # type: ignore[arg-type]
    assert told == {spread: nearest(spread, pattern) for spread in spreads(n)}


@settings(max_examples=60)
@given(st.tuples(*[st.integers(0, 5)] * 5).filter(lambda s: 10 <= sum(s) <= 18), st.sampled_from(PATTERNS))
def test_larger_units_agree_with_the_oracle(spread: Spread, pattern: str) -> None:
    assert fewest_changes(spread, pattern) == nearest(spread, pattern)
    assert conforms(spread, pattern) == guided(spread, pattern)


@given(st.tuples(*[st.integers(0, 400)] * 5).filter(lambda s: sum(s) >= 10), st.sampled_from(PATTERNS))
def test_a_unit_of_any_size_can_conform_and_never_needs_everybody_to_change(spread: Spread, pattern: str) -> None:
    changes = fewest_changes(spread, pattern)
    assert changes is not None
    assert 0 <= changes <= sum(spread)
    assert (changes == 0) == guided(spread, pattern)


# ---- by hand ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "spread", "changes"),
    [
        # sangat baik, baik, butuh perbaikan, kurang, sangat kurang
        ("istimewa", (14, 6, 0, 0, 0), 0),  # exactly 70 %
        ("istimewa", (15, 5, 0, 0, 0), 1),  # 75 %: one down
        ("istimewa", (10, 10, 0, 0, 0), 1),  # a tie is no majority
        ("istimewa", (0, 20, 0, 0, 0), 11),
        ("baik", (5, 14, 1, 0, 0), 0),
        ("baik", (6, 14, 0, 0, 0), 1),  # nobody below Baik
        ("baik", (0, 20, 0, 0, 0), 6),
        ("baik", (5, 14, 0, 0, 1), 1),  # Sangat Kurang is neither Butuh Perbaikan nor Kurang
        ("butuh_perbaikan", (2, 6, 12, 0, 0), 0),
        ("butuh_perbaikan", (3, 5, 12, 0, 0), 1),
        ("butuh_perbaikan", (0, 20, 0, 0, 0), 12),
        ("kurang", (2, 4, 2, 12, 0), 0),
        ("kurang", (2, 5, 1, 12, 0), 1),
        ("sangat_kurang", (0, 6, 1, 1, 12), 0),
        ("sangat_kurang", (1, 5, 1, 1, 12), 1),
        ("sangat_kurang", (0, 8, 0, 0, 12), 2),
    ],
)
def test_the_guidance_in_twenty_people(pattern: str, spread: Spread, changes: int) -> None:
    assert sum(spread) == 20
    assert fewest_changes(spread, pattern) == changes
    assert conforms(spread, pattern) == (changes == 0)


EVALUATED = dict.fromkeys(
    ("nip", "period_kind", "period", "unit_id", "recommended_predicate", "official_predicate", "policy_version"),
    pl.String,
)


def staff(count: int, **columns: Any) -> list[dict[str, Any]]:
    base = {"period_kind": "month", "period": "2026-03", "unit_id": "dinkes", "policy_version": VERSION}
    return [{**base, **columns, "nip": str(n)} for n in range(count)]


def units(*people: dict[str, Any], ratings: pl.DataFrame | None = None, rules: Evaluation = RULES) -> dict[Any, Any]:
    organisation = {"subject_kind": "org_unit", "subject_id": "dinkes"}
    given_ratings = rated({**organisation, "predicate": "baik"}) if ratings is None else ratings
    return by(unit_evaluation(frame_of(people, **EVALUATED), given_ratings, rules), "unit_id", "period")


def test_the_predicate_in_force_is_the_official_one_else_the_recommended() -> None:
    people = [
        *staff(6, recommended_predicate="baik"),
        *staff(3, recommended_predicate="baik", official_predicate="sangat_baik"),
        *staff(1, recommended_predicate="sangat_baik", official_predicate="kurang"),
        *staff(1, official_predicate="kurang"),
        *staff(1),
    ]
    row = units(*people)["dinkes", "2026-03"]
    assert {n: row[f"{n}_count"] for n in LEVELS} == {
        "sangat_baik": 3,
        "baik": 6,
        "butuh_perbaikan": 0,
        "kurang": 2,
        "sangat_kurang": 0,
    }
    assert {n: row[f"recommended_{n}_count"] for n in ("sangat_baik", "baik")} == {"sangat_baik": 1, "baik": 9}
    assert (row["employee_count"], row["evaluated_count"], row["official_count"]) == (12, 11, 5)
    assert (row["pattern_code"], row["is_conformant"], row["change_count"], row["note"]) == ("baik", True, 0, None)


def test_a_unit_that_does_not_conform_says_how_many_would_have_to_change() -> None:
    row = units(*staff(10, recommended_predicate="baik"))["dinkes", "2026-03"]
    assert (row["is_conformant"], row["change_count"]) == (False, 3)


@pytest.mark.parametrize(
    ("people", "note"),
    [
        (staff(9, recommended_predicate="baik"), "unit_too_small"),
        ([*staff(9, recommended_predicate="baik"), *staff(3)], "too_few_evaluated"),
    ],
)
def test_a_small_unit_is_not_judged_and_says_so(people: list[dict[str, Any]], note: str) -> None:
    row = units(*people)["dinkes", "2026-03"]
    assert (row["is_conformant"], row["change_count"], row["note"]) == (None, None, note)
    assert (row["pattern_code"], row["baik_count"]) == ("baik", 9)


def test_the_smallest_unit_is_the_policys() -> None:
    rules = Evaluation(distribution_minimum_people=5)
    assert units(*staff(5, recommended_predicate="baik"), rules=rules)["dinkes", "2026-03"]["change_count"] == 2


def test_without_the_organisations_predicate_of_exactly_that_period_nothing_is_judged() -> None:
    quarter = {"period_kind": "quarter", "period": "2026-Q1"}
    people = [*staff(10, recommended_predicate="baik"), *staff(10, recommended_predicate="baik", **quarter)]
    organisation = {"subject_kind": "org_unit", "subject_id": "dinkes"}
    seen = units(*people, ratings=rated({**organisation, **quarter, "predicate": "istimewa"}))
    month, three = seen["dinkes", "2026-03"], seen["dinkes", "2026-Q1"]
    assert (month["pattern_code"], month["is_conformant"], month["note"]) == (None, None, "pattern_not_delivered")
    assert (three["pattern_code"], three["is_conformant"], three["change_count"]) == ("istimewa", False, 6)


def test_a_predicate_that_is_none_of_organisations_is_shown_and_not_judged() -> None:
    organisation = {"subject_kind": "org_unit", "subject_id": "dinkes", "predicate": "sangat_baik"}
    row = units(*staff(10, recommended_predicate="baik"), ratings=rated(organisation))["dinkes", "2026-03"]
    assert (row["pattern_code"], row["is_conformant"], row["note"]) == ("sangat_baik", None, "pattern_unknown")


def test_people_without_a_unit_belong_to_none_and_ratings_are_left_as_they_are() -> None:
    people = frame_of([*staff(10, recommended_predicate="baik"), *staff(1, unit_id=None)], **EVALUATED)
    before = people.clone()
    assert unit_evaluation(people, rated(), RULES)["employee_count"].to_list() == [10]
    assert people.equals(before)


def test_nobody_evaluated_gives_an_empty_table() -> None:
    assert units() == {}
