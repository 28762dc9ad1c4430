"""The allowance as shares: two bases of a deduction, three rules of productivity, and no share without its evidence."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from kinerja_pipeline.kpi.allowance import ALLOWANCE_SCHEMA, allowance
from kinerja_pipeline.policies.allowance import Allowance, Productivity
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Policy

MONTH = "2026-04"
PACKAGED = load_policies()
DAYS = {
    "nip": pl.String,
    "unit_id": pl.String,
    "workday_count": pl.Int64,
    "not_recorded_count": pl.Int64,
    "deduction_share": pl.Float64,
    "deduction_base_code": pl.String,
}
RESULTS = {
    "nip": pl.String,
    "unit_id": pl.String,
    "period": pl.String,
    "result_score": pl.Float64,
    "official_predicate": pl.String,
    "objection_code": pl.String,
}
PREDICATES: dict[str, Any] = {"by_predicate": {
    "sangat_baik": 1, "baik": 0.9, "butuh_perbaikan": 0.7, "kurang": 0.5, "sangat_kurang": 0.3,
}}  # fmt: skip


def composed(weight: float = 0.4, **productivity: Any) -> Policy:
    rules = {"discipline_weight": weight, "productivity_weight": 1 - weight, "source": "a test"}
    declared = Allowance.model_validate({**rules, "productivity": productivity or PREDICATES})
    return PACKAGED["salor"].model_copy(update={"allowance": declared})


def of(policy: Policy, day: dict[str, Any] | None = None, result: dict[str, Any] | None = None) -> dict[str, Any]:
    """The allowance of Ani, who worked and was rated Baik unless said otherwise; None: no such row."""
    worked = {"nip": "ani", "unit_id": "dinas", "workday_count": 20, "not_recorded_count": 0, "deduction_share": 0.1}
    worked |= {"deduction_base_code": "attendance_part"}
    rated = {"nip": "ani", "unit_id": "dinas", "period": MONTH, "result_score": 80.0, "official_predicate": "baik"}
    days = pl.DataFrame([worked | day] if day is not None else [], schema=DAYS)
    results = pl.DataFrame([{**rated, "objection_code": None, **result}] if result is not None else [], schema=RESULTS)
    frame = allowance(days, results, policy, MONTH, "1")
    assert frame.schema == ALLOWANCE_SCHEMA
    (row,) = frame.to_dicts()
    return row


@pytest.mark.parametrize(
    ("weight", "base", "of_allowance", "discipline", "whole"),
    [
        # 30 percent of the allowance: a tenth of it is 3 percent of the whole; a tenth of the whole 3.33 times as much.
        (0.3, "attendance_part", 0.03, 0.9, 0.3 + 0.7 * 0.9 - 0.03),
        (0.3, "allowance", 0.1, 1 - 0.1 / 0.3, 0.3 + 0.7 * 0.9 - 0.1),
        (0.4, "attendance_part", 0.04, 0.9, 0.4 + 0.6 * 0.9 - 0.04),
    ],
)
def test_a_deduction_costs_what_its_base_says(
    weight: float, base: str, of_allowance: float, discipline: float, whole: float
) -> None:
    row = of(composed(weight), {"deduction_base_code": base}, {})
    assert row["deduction_of_allowance_share"] == pytest.approx(of_allowance)
    assert row["discipline_share"] == pytest.approx(discipline)
    assert row["allowance_share"] == pytest.approx(whole)
    assert (row["status_code"], row["reason"]) == ("computed", None)


def test_a_deduction_of_the_whole_that_exceeds_the_attendance_part_takes_the_rest_of_the_other() -> None:
    row = of(composed(0.3), {"deduction_base_code": "allowance", "deduction_share": 0.5}, {})
    assert (row["discipline_share"], row["allowance_share"]) == (0.0, pytest.approx(0.3 + 0.63 - 0.5))
    assert of(composed(0.3), {"deduction_base_code": "allowance", "deduction_share": 1.0}, {})["allowance_share"] == 0.0


@pytest.mark.parametrize(
    ("day", "result", "reason"),
    [
        (None, {}, "attendance_missing"),
        ({"workday_count": 0, "not_recorded_count": 20, "deduction_share": 0.0}, {}, "attendance_not_recorded"),
        ({"deduction_share": None, "deduction_base_code": None}, {}, "deduction_not_computable"),
        ({}, {"official_predicate": None}, "official_predicate_missing"),
        ({}, None, "official_predicate_missing"),
    ],
)
def test_missing_evidence_is_neither_zero_nor_a_default(
    day: dict[str, Any] | None, result: dict[str, Any] | None, reason: str
) -> None:
    row = of(composed(), day, result)
    assert (row["status_code"], row["reason"]) == ("not_computable", reason)
    assert (row["allowance_share"], row["explanation"]) == (None, None)
    assert (row["discipline_share"] is None) == (reason != "official_predicate_missing")


def test_a_month_of_leave_costs_nothing() -> None:
    row = of(composed(), {"workday_count": 0, "deduction_share": 0.0}, {})
    assert (row["discipline_share"], row["allowance_share"]) == (1.0, pytest.approx(0.94))


def test_the_line_tells_unrecorded_days_and_an_open_objection() -> None:
    row = of(composed(), {"not_recorded_count": 3}, {"objection_code": "open"})
    assert row["explanation"] == (
        "40.00 % discipline - 4.00 % (10.00 % of the attendance part) + 60.00 % productivity x 90.00 % "
        "(predicate baik); 3 days could not be recorded; objection open"
    )


@pytest.mark.parametrize(
    ("score", "share"), [(0.0, 0.5), (69.99, 0.5), (70.0, 0.8), (89.99, 0.8), (90.0, 1.0), (120.0, 1.0), (None, None)]
)
def test_bands_of_the_result_score_begin_where_they_say(score: float | None, share: float | None) -> None:
    bands = [{"from_score": 0, "share": 0.5}, {"from_score": 70, "share": 0.8}, {"from_score": 90, "share": 1}]
    row = of(composed(by_score=bands), {}, {"result_score": score})
    assert row["productivity_share"] == share
    assert (row["reason"] == "result_score_missing") == (score is None)


def test_in_proportion_the_part_is_whole_from_the_full_score_on() -> None:
    policy = composed(full_score=100)
    assert of(policy, {}, {"result_score": 87.5})["productivity_share"] == 0.875
    assert of(policy, {}, {"result_score": 112.0})["productivity_share"] == 1.0
    assert of(policy, {}, {"result_score": 87.5})["explanation"].endswith("productivity x 87.50 % (result 87.5 of 100)")


def test_a_region_that_composes_no_allowance_has_no_rows() -> None:
    nobody = pl.DataFrame(schema=DAYS), pl.DataFrame(schema=RESULTS)
    assert PACKAGED["salor"].allowance is None
    assert allowance(*nobody, PACKAGED["salor"], MONTH, "1").is_empty()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "exactly one of"),
        ({**PREDICATES, "full_score": 100}, "exactly one of"),
        ({"by_predicate": {"baik": 1}}, "says nothing of sangat_baik, butuh_perbaikan"),
        ({"by_score": [{"from_score": 50, "share": 1}]}, "begins at from_score 0"),
        (
            {"by_score": [{"from_score": 0, "share": 0}, {"from_score": 0, "share": 1}]},
            "from the lowest to the highest",
        ),
    ],
)
def test_a_rule_of_productivity_covers_everybody_once(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Productivity.model_validate(wrong)


def test_the_two_parts_are_the_whole() -> None:
    rules = {"discipline_weight": 0.4, "productivity_weight": 0.7, "productivity": PREDICATES, "source": "a test"}
    with pytest.raises(ValidationError, match=r"sum to 1\.1, not 1"):
        Allowance.model_validate(rules)
