"""Scores become a result rating; ratings become a recommended predicate; the official one stays what it is."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from kpi_world import VERSION, by, rated, scored

from kinerja_pipeline.kpi.evaluation import evaluation
from kinerja_pipeline.policies.model import Evaluation

RULES = Evaluation()


def one(kpi: pl.DataFrame, ratings: pl.DataFrame | None = None, rules: Evaluation = RULES) -> dict[str, Any]:
    frame = evaluation(kpi, rated() if ratings is None else ratings, rules)
    assert len(frame) == 1
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("score", "rounded", "rating"),
    [
        (110.0, 110.0, "sesuai"),
        (110.004, 110.0, "sesuai"),
        (110.005, 110.01, "di_atas"),
        (110.01, 110.01, "di_atas"),
        (120.0, 120.0, "di_atas"),
        (90.0, 90.0, "sesuai"),
        (89.995, 90.0, "sesuai"),
        (89.9949, 89.99, "di_bawah"),
        (89.99, 89.99, "di_bawah"),
        (0.0, 0.0, "di_bawah"),
        (2.675, 2.68, "di_bawah"),
        (1.005, 1.01, "di_bawah"),
    ],
)
def test_the_result_rating_is_read_from_the_score_rounded_half_up(score: float, rounded: float, rating: str) -> None:
    seen = one(scored({"score": score}))
    assert (seen["result_score"], seen["result_rating"]) == (rounded, rating)


def test_the_result_score_weighs_what_could_be_computed() -> None:
    # (0.3 * 100 + 0.3 * 80 + 0.2 * 50) / 0.8 = 80; the missing 0.2 is left out and told.
    seen = one(
        scored(
            {"indicator_id": "a", "weight": 0.3, "score": 100},
            {"indicator_id": "b", "weight": 0.3, "score": 80},
            {"indicator_id": "c", "weight": 0.2, "score": 50},
            {"indicator_id": "d", "weight": 0.2, "score": None},
            {"indicator_id": "weightless", "weight": 0.0, "score": 7},
        )
    )
    assert seen["result_score"] == 80.0
    assert seen["coverage_share"] == pytest.approx(0.8)
    assert (seen["unit_id"], seen["policy_version"]) == ("dinkes", VERSION)


@pytest.mark.parametrize(("computable", "score"), [(0.6, 75.0), (0.59, None), (0.0, None)])
def test_below_the_minimum_coverage_there_is_no_score(computable: float, score: float | None) -> None:
    rows = [
        {"indicator_id": "a", "weight": computable, "score": 75},
        {"indicator_id": "b", "weight": 1 - computable, "score": None},
    ]
    seen = one(scored(*rows), rated({"behaviour_rating": "sesuai", "predicate": "baik"}))
    assert seen["result_score"] == score
    if score is None:
        assert (seen["status_code"], seen["reason"]) == ("not_computable", "result_coverage_too_low")
        assert (seen["result_rating"], seen["recommended_predicate"], seen["is_different"]) == (None, None, None)
        assert seen["official_predicate"] == "baik", "the official rating is there all the same"


def test_coverage_in_tenths_is_not_lost_in_binary() -> None:
    # 0.1 + 0.2 + 0.3 is a hair more than 0.6, 0.7 - 0.1 a hair less: both are 60 %.
    rows = [{"indicator_id": str(i), "weight": w, "score": 90} for i, w in enumerate((0.1, 0.2, 0.3))]
    assert one(scored(*rows, {"indicator_id": "x", "weight": 0.4}))["result_score"] == 90.0
    less = [{"indicator_id": "a", "weight": 0.7 - 0.1, "score": 90}, {"indicator_id": "x", "weight": 0.4}]
    assert one(scored(*less))["result_score"] == 90.0


def test_nothing_computable_is_no_score_even_if_the_policy_asks_for_no_coverage() -> None:
    lenient = Evaluation(minimum_coverage_share=0)
    seen = one(scored({"score": None}), rules=lenient)
    assert (seen["result_score"], seen["result_rating"], seen["reason"]) == (None, None, "result_coverage_too_low")


SCORES = {"di_atas": 115.0, "sesuai": 100.0, "di_bawah": 50.0}
MATRIX = [
    # results, behaviour, predicate: PermenPANRB 6/2022 as DOMAIN section 2 prints it
    ("di_atas", "di_atas", "sangat_baik"),
    ("di_atas", "sesuai", "baik"),
    ("di_atas", "di_bawah", "kurang"),
    ("sesuai", "di_atas", "baik"),
    ("sesuai", "sesuai", "baik"),
    ("sesuai", "di_bawah", "kurang"),
    ("di_bawah", "di_atas", "butuh_perbaikan"),
    ("di_bawah", "sesuai", "butuh_perbaikan"),
    ("di_bawah", "di_bawah", "sangat_kurang"),
]


@pytest.mark.parametrize(("result", "behaviour", "predicate"), MATRIX)
def test_the_predicate_is_read_from_the_matrix(result: str, behaviour: str, predicate: str) -> None:
    seen = one(scored({"score": SCORES[result]}), rated({"behaviour_rating": behaviour}))
    assert (seen["result_rating"], seen["behaviour_rating"]) == (result, behaviour)
    assert (seen["recommended_predicate"], seen["status_code"], seen["reason"]) == (predicate, "computed", None)


def test_the_thresholds_are_the_policys() -> None:
    rules = Evaluation(result_above=100, result_meets=80)
    assert [one(scored({"score": s}), rules=rules)["result_rating"] for s in (100, 100.01, 80, 79.99)] == [
        *("sesuai", "di_atas", "sesuai", "di_bawah")
    ]


def test_the_official_predicate_is_never_overwritten() -> None:
    seen = one(scored({"score": 115}), rated({"behaviour_rating": "di_atas", "predicate": "butuh_perbaikan"}))
    assert (seen["recommended_predicate"], seen["official_predicate"]) == ("sangat_baik", "butuh_perbaikan")
    assert seen["is_different"] is True


def test_the_same_predicate_is_no_difference() -> None:
    seen = one(scored({"score": 100}), rated({"behaviour_rating": "sesuai", "predicate": "baik"}))
    assert seen["is_different"] is False


def test_without_an_official_predicate_nothing_differs_and_none_is_made_up() -> None:
    seen = one(scored({"score": 100}), rated({"behaviour_rating": "sesuai"}))
    assert (seen["official_predicate"], seen["is_different"]) == (None, None)


def test_the_superiors_own_result_rating_does_not_change_ours() -> None:
    seen = one(scored({"score": 100}), rated({"behaviour_rating": "sesuai", "result_rating": "di_bawah"}))
    assert (seen["result_rating"], seen["recommended_predicate"]) == ("sesuai", "baik")


def test_without_a_behaviour_rating_no_predicate_is_recommended() -> None:
    seen = one(scored({"score": 115}))
    assert (seen["result_rating"], seen["behaviour_rating"], seen["recommended_predicate"]) == ("di_atas", None, None)
    assert (seen["status_code"], seen["reason"]) == ("not_computable", "behaviour_not_rated")


def test_numbers_that_need_a_360_round_stay_empty() -> None:
    seen = one(scored({"score": 100}), rated({"behaviour_rating": "sesuai"}))
    assert (seen["behaviour_score"], seen["numeric_score"], seen["credit_points"]) == (None, None, None)


QUARTER = {"period_kind": "quarter", "period": "2026-Q1"}


def test_a_quarter_takes_the_behaviour_of_its_latest_rated_month() -> None:
    ratings = rated(
        {"period": "2026-02", "behaviour_rating": "di_atas", "predicate": "sangat_baik"},
        {"period": "2026-01", "behaviour_rating": "di_bawah"},
        {"period": "2026-03", "predicate": "baik"},
        {"period": "2026-04", "behaviour_rating": "di_bawah"},
    )
    seen = one(scored({**QUARTER, "score": 100}), ratings)
    assert (seen["behaviour_rating"], seen["recommended_predicate"]) == ("di_atas", "baik")
    assert seen["official_predicate"] is None, "a month's predicate is not the quarter's"


def test_a_rating_of_the_quarter_itself_beats_its_months() -> None:
    ratings = rated(
        {"period": "2026-03", "behaviour_rating": "di_atas"},
        {**QUARTER, "behaviour_rating": "sesuai", "predicate": "baik"},
    )
    seen = one(scored({**QUARTER, "score": 115}), ratings)
    assert (seen["behaviour_rating"], seen["recommended_predicate"]) == ("sesuai", "baik")
    assert seen["official_predicate"] == "baik"


def test_a_month_does_not_take_the_quarters_rating() -> None:
    seen = one(scored({"score": 100}), rated({**QUARTER, "behaviour_rating": "sesuai", "predicate": "baik"}))
    assert (seen["behaviour_rating"], seen["official_predicate"]) == (None, None)


def test_ratings_of_other_people_and_of_units_do_not_count() -> None:
    ratings = rated(
        {"subject_id": "budi", "behaviour_rating": "di_atas", "predicate": "baik"},
        {"subject_kind": "org_unit", "behaviour_rating": "di_atas", "predicate": "istimewa"},
    )
    seen = one(scored({"score": 100}), ratings)
    assert (seen["behaviour_rating"], seen["official_predicate"]) == (None, None)


SOME_DAY = dt.datetime.fromisoformat("2026-04-02")


@pytest.mark.parametrize(
    ("rating", "state"),
    [
        ({}, None),
        ({"objected_at": SOME_DAY}, "open"),
        ({"objected_at": SOME_DAY, "decided_at": SOME_DAY, "decision_code": "changed"}, "changed"),
        ({"objected_at": SOME_DAY, "decided_at": SOME_DAY}, "decided"),
    ],
)
def test_an_objection_is_marked(rating: dict[str, Any], state: str | None) -> None:
    assert one(scored({"score": 100}), rated({"behaviour_rating": "sesuai", **rating}))["objection_code"] == state


@pytest.mark.parametrize(
    ("received", "objected", "days", "state"),
    [
        ("2026-04-01 23:59", "2026-04-15 00:00", 14, "open"),
        ("2026-04-01 08:00", "2026-04-15 23:59", 14, "open"),  # within 14 days: the fourteenth counts whole
        ("2026-04-01 08:00", "2026-04-16 00:00", 14, "late"),
        ("2026-04-01 08:00", "2026-04-09 00:00", 7, "late"),
        (None, "2026-04-16 00:00", 14, "open"),  # nobody can say that it came late
    ],
)
def test_an_objection_has_14_days_from_receipt(received: str | None, objected: str, days: int, state: str) -> None:
    rating = {
        "received_at": dt.datetime.fromisoformat(received) if received else None,
        "objected_at": dt.datetime.fromisoformat(objected),
    }
    rules = RULES.model_copy(update={"objection_days": days})
    seen = evaluation(scored({"score": 100}), rated({"predicate": "kurang", **rating}), rules)
    assert seen.select("objection_code", "official_predicate").row(0) == (state, "kurang")
    decided = rating | {"decided_at": SOME_DAY, "decision_code": "upheld"}
    assert one(scored({"score": 100}), rated(decided))["objection_code"] == "upheld"


def test_an_objection_leaves_the_rating_in_force_until_it_is_decided_and_a_change_reopens_it() -> None:
    # The same rating as it is delivered three times: received, objected to, decided; each time the month runs again.
    told = {"behaviour_rating": "sesuai", "predicate": "butuh_perbaikan"}
    courses = [told, told | {"objected_at": SOME_DAY}]
    courses.append(courses[1] | {"decided_at": SOME_DAY, "decision_code": "changed", "predicate": "baik"})
    seen = [one(scored({"score": 100}), rated(course)) for course in courses]
    assert [(row["objection_code"], row["official_predicate"], row["is_different"]) for row in seen] == [
        (None, "butuh_perbaikan", True),
        ("open", "butuh_perbaikan", True),
        ("changed", "baik", False),
    ]
    assert {(row["status_code"], row["recommended_predicate"]) for row in seen} == {("computed", "baik")}


def test_units_and_the_region_are_not_evaluated() -> None:
    rows = scored({"score": 100}, {"subject_kind": "unit", "subject_id": "dinkes", "score": 50})
    assert evaluation(rows, rated(), RULES)["nip"].to_list() == ["ani"]


def test_every_employee_and_period_has_one_row() -> None:
    rows = scored(
        {"score": 100},
        {**QUARTER, "score": 95},
        {"subject_id": "budi", "unit_id": "disdik", "score": 80},
    )
    seen = by(evaluation(rows, rated({"behaviour_rating": "sesuai"}), RULES), "nip", "period")
    assert {key: (row["result_score"], row["unit_id"], row["behaviour_rating"]) for key, row in seen.items()} == {
        ("ani", "2026-03"): (100.0, "dinkes", "sesuai"),
        ("ani", "2026-Q1"): (95.0, "dinkes", "sesuai"),
        ("budi", "2026-03"): (80.0, "disdik", None),
    }


def test_no_people_no_rows() -> None:
    assert evaluation(scored(), rated({"behaviour_rating": "sesuai"}), RULES).is_empty()
