"""Actual against target: DOMAIN section 9, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
from kpi_world import kpi_rows, measured, people_of, policy_with

ANI = people_of(("ani", "dinkes", "pelaksana"))


def row(numerator: float, denominator: float = 1, evidence: int = 1, **changes: Any) -> dict[str, Any]:
    policy = policy_with(it={"scale": 1, **changes})
    monthly = measured(("employee", "ani", "it", "2026-03", numerator, denominator, evidence))
    return kpi_rows(policy, monthly, ANI)["ani", "it", "2026-03"]


HIGHER = {"direction": "higher"}
LOWER = {"direction": "lower"}
INVERSE = {"direction": "lower", "formula": "inverse"}
RANGE = {"direction": "range", "target": {"low": 90, "high": 100}}


@pytest.mark.parametrize(
    ("rule", "target", "actual", "achievement", "score"),
    [
        # higher is better: 100 a/t
        (HIGHER, 80, 60, 75.0, 75.0),
        (HIGHER, 80, 80, 100.0, 100.0),
        (HIGHER, 80, 96, 120.0, 120.0),
        (HIGHER, 80, 120, 150.0, 120.0),
        (HIGHER, 80, 0, 0.0, 0.0),
        (HIGHER, 2.5, 1, 40.0, 40.0),
        # lower is better: 100 (2t - a)/t, not below 0
        (LOWER, 100, 100, 100.0, 100.0),
        (LOWER, 100, 80, 120.0, 120.0),
        (LOWER, 100, 70, 130.0, 120.0),
        (LOWER, 100, 150, 50.0, 50.0),
        (LOWER, 100, 200, 0.0, 0.0),
        (LOWER, 100, 900, 0.0, 0.0),
        (LOWER, 100, 0, 200.0, 120.0),
        # inverse: 100 t/a
        (INVERSE, 24, 48, 50.0, 50.0),
        (INVERSE, 24, 24, 100.0, 100.0),
        (INVERSE, 24, 12, 200.0, 120.0),
        (INVERSE, 0, 12, 0.0, 0.0),
        # 100 inside [90, 100], else 100 - 100 distance/width, not below 0
        (RANGE, None, 90, 100.0, 100.0),
        (RANGE, None, 95, 100.0, 100.0),
        (RANGE, None, 100, 100.0, 100.0),
        (RANGE, None, 85, 50.0, 50.0),
        (RANGE, None, 103, 70.0, 70.0),
        (RANGE, None, 80, 0.0, 0.0),
        (RANGE, None, 10, 0.0, 0.0),
        (RANGE, None, 200, 0.0, 0.0),
    ],
)
def test_achievement_and_score(
    rule: dict[str, Any], target: float | None, actual: float, achievement: float, score: float
) -> None:
    changes = rule if target is None else {**rule, "target": {"value": target}}
    seen = row(actual, **changes)
    assert (seen["actual"], seen["status_code"], seen["reason"]) == (actual, "computed", None)
    assert seen["achievement"] == pytest.approx(achievement)
    assert seen["score"] == pytest.approx(score)


@pytest.mark.parametrize(
    ("changes", "numbers", "reason"),
    [
        ({**HIGHER, "target": {"value": 0}}, (5, 1, 1), "target_zero"),
        ({**LOWER, "target": {"value": 0}}, (5, 1, 1), "target_zero"),
        ({**INVERSE, "target": {"value": 24}}, (0, 1, 1), "actual_zero"),
        ({"direction": "range", "target": {"low": 90, "high": 90}}, (90, 1, 1), "range_empty"),
        (HIGHER, (0, 0, 3), "denominator_zero"),
        ({**HIGHER, "minimum_evidence": 9}, (8, 8, 8), "below_minimum_evidence"),
    ],
)
def test_what_cannot_be_computed_says_why_and_has_no_number(
    changes: dict[str, Any], numbers: tuple[float, float, int], reason: str
) -> None:
    seen = row(*numbers, **changes)
    assert (seen["status_code"], seen["reason"]) == ("not_computable", reason)
    assert (seen["actual"], seen["achievement"], seen["score"]) == (None, None, None)
    assert (seen["numerator"], seen["evidence_count"]) == (numbers[0], numbers[2])


def test_an_employee_without_evidence_has_a_row_that_says_so() -> None:
    seen = kpi_rows(policy_with(it={}), measured(), ANI)["ani", "it", "2026-03"]
    assert (seen["status_code"], seen["reason"], seen["evidence_count"]) == ("not_computable", "no_evidence", 0)
    assert (seen["target"], seen["weight"], seen["unit_id"]) == (80, 1, "dinkes")
    assert (seen["actual"], seen["score"], seen["numerator"], seen["denominator"]) == (None, None, None, None)


def test_the_minimum_evidence_is_enough() -> None:
    assert row(9, 9, 9, minimum_evidence=9, target={"value": 1})["score"] == pytest.approx(100)


def test_the_cap_is_the_policys() -> None:
    assert row(300, target={"value": 100}, cap=150)["score"] == 150


def test_a_ratio_is_scaled_and_its_parts_are_published() -> None:
    seen = row(3, 4, scale=100)
    assert (seen["actual"], seen["numerator"], seen["denominator"]) == (75.0, 3.0, 4.0)


def test_a_count_has_no_denominator() -> None:
    policy = policy_with(it={"statistic": "count", "denominator": None, "scale": 1, "target": {"value": 10}})
    seen = kpi_rows(policy, measured(("employee", "ani", "it", "2026-03", 7, 5, 5)), ANI)["ani", "it", "2026-03"]
    assert (seen["actual"], seen["denominator"]) == (7.0, None)
    assert seen["score"] == pytest.approx(70)


def test_a_target_may_differ_by_position() -> None:
    policy = policy_with(it={"scale": 1, "target": {"value": 100, "by_position": {"jpt": 50, "pengawas": 80}}})
    staff = people_of(("ani", "dinkes", "pelaksana"), ("budi", "dinkes", "jpt"), ("citra", "dinkes", "pengawas"))
    monthly = measured(*(("employee", nip, "it", "2026-03", 40, 1, 1) for nip in ("ani", "budi", "citra")))
    rows = kpi_rows(policy, monthly, staff)
    seen = {
        nip: (rows[nip, "it", "2026-03"]["target"], rows[nip, "it", "2026-03"]["score"])
        for nip in ("ani", "budi", "citra")
    }
    assert seen == {"ani": (100, pytest.approx(40)), "budi": (50, pytest.approx(80)), "citra": (80, pytest.approx(50))}


def test_the_published_target_of_a_range_is_its_lower_end() -> None:
    assert row(95, **RANGE)["target"] == 90
