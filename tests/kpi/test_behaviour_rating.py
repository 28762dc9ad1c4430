"""A closed 360-degree round gives behaviour and the numeric score; without one the superior's rating holds."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from kpi_world import by, rated, scored

from kinerja_pipeline.kpi.evaluation import evaluation, numeric_band
from kinerja_pipeline.policies.model import Evaluation

RULES = Evaluation()
QUARTER = {"period_kind": "quarter", "period": "2026-Q1"}
YEAR = {"period_kind": "year", "period": "2026"}


def judged(*rows: tuple[str, float | None, bool], nip: str = "ani") -> pl.DataFrame:
    """Behaviour scores: period, score (None is pending), whether peers or subordinates counted."""
    return pl.DataFrame(
        [(nip, period, score, opinion, score is None) for period, score, opinion in rows],
        schema={
            "nip": pl.String,
            "period": pl.String,
            "behaviour_score": pl.Float64,
            "has_opinion": pl.Boolean,
            "is_pending": pl.Boolean,
        },
        orient="row",
    )


def one(
    behaviour: pl.DataFrame, kpi: pl.DataFrame | None = None, ratings: pl.DataFrame | None = None
) -> dict[str, Any]:
    rows = scored({"score": 100}) if kpi is None else kpi
    frame = evaluation(rows, rated() if ratings is None else ratings, RULES, behaviour)
    assert len(frame) == 1
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("score", "rounded", "rating"),
    [
        (100.0, 100.0, "di_atas"),
        (90.0, 90.0, "di_atas"),
        (89.995, 90.0, "di_atas"),
        (89.994, 89.99, "sesuai"),
        (70.0, 70.0, "sesuai"),
        (69.99, 69.99, "di_bawah"),
        (20.0, 20.0, "di_bawah"),
    ],
)
def test_behaviour_is_rated_from_the_score_rounded_half_up(score: float, rounded: float, rating: str) -> None:
    seen = one(judged(("2026-03", score, True)))
    assert (seen["behaviour_score"], seen["behaviour_rating"]) == (rounded, rating)


@pytest.mark.parametrize(("opinion", "numeric"), [(False, 94.0), (True, 92.0)])
def test_the_opinion_of_others_moves_the_mix_from_70_30_to_60_40(opinion: bool, numeric: float) -> None:
    # Result 100, behaviour 80: 70 + 24, or 60 + 32.
    assert one(judged(("2026-03", 80.0, opinion)))["numeric_score"] == numeric


def test_the_round_beats_the_superiors_rating_and_leaves_the_official_predicate() -> None:
    ratings = rated({"behaviour_rating": "di_bawah", "predicate": "kurang"})
    seen = one(judged(("2026-03", 95.0, True)), ratings=ratings)
    assert (seen["behaviour_rating"], seen["recommended_predicate"]) == ("di_atas", "baik")
    assert (seen["official_predicate"], seen["is_different"], seen["status_code"]) == ("kurang", True, "computed")


def test_a_pending_appraisal_leaves_the_predicate_open_and_says_why() -> None:
    seen = one(judged(("2026-03", None, False)), ratings=rated({"behaviour_rating": "sesuai"}))
    assert (seen["behaviour_score"], seen["behaviour_rating"], seen["numeric_score"]) == (None, None, None)
    assert (seen["recommended_predicate"], seen["status_code"], seen["reason"]) == (
        *(None, "not_computable"),
        "appraisal_pending",
    )


def test_whom_no_round_judged_keeps_the_superiors_rating() -> None:
    seen = one(judged(("2026-03", 95.0, True), nip="budi"), ratings=rated({"behaviour_rating": "sesuai"}))
    assert (seen["behaviour_score"], seen["behaviour_rating"], seen["numeric_score"]) == (None, "sesuai", None)


def test_a_round_counts_in_its_month_and_the_periods_around_it() -> None:
    rows = scored(
        {"score": 100, "period": "2026-02"},
        {"score": 100},
        {**QUARTER, "score": 100},
        {**QUARTER, "score": 100, "period": "2026-Q2"},
        {**YEAR, "score": 100},
    )
    seen = by(evaluation(rows, rated(), RULES, judged(("2026-03", 80.0, False))), "period")
    assert {period: row["behaviour_score"] for period, row in seen.items()} == {
        "2026-02": None,
        "2026-03": 80.0,
        "2026-Q1": 80.0,
        "2026-Q2": None,
        "2026": 80.0,
    }


def test_two_rounds_of_a_year_are_not_averaged_the_later_one_stands() -> None:
    seen = one(judged(("2026-03", 60.0, False), ("2026-06", 90.0, False)), scored({**YEAR, "score": 100}))
    assert (seen["behaviour_score"], seen["numeric_score"]) == (90.0, 97.0)


def test_without_a_result_there_is_no_numeric_score() -> None:
    seen = one(judged(("2026-03", 80.0, True)), scored({"score": None}))
    assert (seen["behaviour_score"], seen["numeric_score"], seen["reason"]) == (80.0, None, "result_coverage_too_low")


def test_the_numeric_score_is_mixed_before_anything_is_rounded() -> None:
    # 0.7 * 100.005 + 0.3 * 80.004 = 94.0047; from the rounded 100.01 and 80.00 it would be 94.007, 94.01.
    seen = one(judged(("2026-03", 80.004, False)), scored({"score": 100.005}))
    assert (seen["result_score"], seen["behaviour_score"], seen["numeric_score"]) == (100.01, 80.0, 94.0)


@pytest.mark.parametrize(
    ("score", "new_idea", "band"),
    [
        (120.0, True, "sangat_baik"),
        (110.0, True, "sangat_baik"),
        (110.0, False, "baik"),
        (120.0, None, "baik"),
        (109.99, True, "baik"),
        (90.0, False, "baik"),
        (89.99, True, "cukup"),
        (70.0, None, "cukup"),
        (69.99, None, "kurang"),
        (50.0, None, "kurang"),
        (49.99, None, "sangat_kurang"),
        (0.0, True, "sangat_kurang"),
        (None, True, None),
    ],
)
def test_the_highest_band_of_the_numeric_score_asks_for_a_new_idea(
    score: float | None, new_idea: bool | None, band: str | None
) -> None:
    row = pl.DataFrame({"s": [score], "i": [new_idea]}, schema={"s": pl.Float64, "i": pl.Boolean})
    assert row.select(numeric_band(pl.col("s"), pl.col("i"))).item() == band


def test_the_new_idea_is_that_of_the_rating_of_exactly_the_period() -> None:
    # 0.7 * 120 + 0.3 * 90
    for month, idea, band in (("2026-03", True, "sangat_baik"), ("2026-02", None, "baik")):
        ideas = rated({"period": month, "has_new_idea": True, "behaviour_rating": "sesuai"})
        seen = one(judged(("2026-03", 90.0, False)), scored({"score": 120}), ideas)
        assert (seen["numeric_score"], seen["has_new_idea"], seen["numeric_band_code"]) == (111.0, idea, band)
