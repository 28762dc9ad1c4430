"""Training, promotion pool, early warning, objections, missing evidence: who is named, and who is left out and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from follow_up_world import (
    DECLINE,
    EMPTY,
    LABELS,
    REWARD,
    absent,
    assigned,
    attended,
    days,
    evaluated,
    fates,
    named,
)
from kpi_world import frame_of

from kinerja_pipeline.kpi.follow_up import training_needs
from kinerja_pipeline.policies.follow_up import (
    DisciplineRule,
    Exclusions,
    InsufficientEvidenceRule,
    ObjectionRule,
    PromotionRule,
    TrainingRule,
)

TRAINING = TrainingRule.model_validate(
    {
        "rule": "training",
        "labels": LABELS,
        "programmes": {"time": "DIK-WAKTU", "quality": "DIK-MUTU", "kolaboratif": "DIK-KOMUNIKASI"},
    }
)
PROMOTION = PromotionRule.model_validate(
    {"rule": "promotion", "labels": LABELS, "months": 3, "programme_id": "DIK-PIMPIN"}
)
DISCIPLINE = DisciplineRule.model_validate({"rule": "discipline", "labels": LABELS})
OBJECTION = ObjectionRule.model_validate({"rule": "objection", "labels": LABELS})
INSUFFICIENT = InsufficientEvidenceRule.model_validate({"rule": "insufficient_evidence", "labels": LABELS})


# ---- training --------------------------------------------------------------------------------------------------------


def scores(*rows: tuple[str, float | None, float], nip: str = "ani", **changes: Any) -> pl.DataFrame:
    """kpi rows: aspect, score (None: not computable), weight."""
    base = {"subject_kind": "employee", "subject_id": nip, "period_kind": "month", "period": "2026-05"} | changes
    full = [
        {
            **base,
            "indicator_id": f"i{n}",
            "aspect_code": aspect,
            "score": score,
            "weight": weight,
            "status_code": "not_computable" if score is None else "computed",
        }
        for n, (aspect, score, weight) in enumerate(rows)
    ]
    return frame_of(full, **EMPTY["kpi"])


def test_the_weakest_aspect_below_the_threshold_gets_the_programme_that_covers_it() -> None:
    seen = named(TRAINING, kpi=scores(("quantity", 100, 0.4), ("time", 62.5, 0.3), ("quality", 79, 0.3)))["ani"]
    assert (seen["status_code"], seen["action_code"], seen["reason"]) == ("recommended", "training", "weak_time")
    assert (seen["programme_id"], seen["subject_kind"]) == ("DIK-WAKTU", "employee")
    assert seen["evidence"] == "time 62.5, asked for are 80.0"


def test_an_aspect_is_the_weighted_mean_of_its_computable_indicators() -> None:
    # (0.3 * 90 + 0.1 * 50) / 0.4 = 80: not below. With a weight of 0.2: (27 + 10) / 0.5 = 74.
    assert named(TRAINING, kpi=scores(("time", 90, 0.3), ("time", 50, 0.1), ("time", None, 0.2))) == {}
    assert "74.0" in named(TRAINING, kpi=scores(("time", 90, 0.3), ("time", 50, 0.2)))["ani"]["evidence"]


@pytest.mark.parametrize(
    "kpi",
    [
        scores(("time", 80, 0.5)),  # 80 is not below 80
        scores(("time", None, 0.5)),
        scores(("time", 10, 0.0)),  # an indicator without weight
        scores(("time", 10, 0.5), period="2026-04"),
        scores(("time", 10, 0.5), period_kind="quarter", period="2026-Q2"),
        scores(("time", 10, 0.5), subject_kind="unit"),
        scores(),
    ],
)
def test_nobody_is_sent_to_training_without_a_weak_aspect(kpi: pl.DataFrame) -> None:
    assert named(TRAINING, kpi=kpi) == {}


def test_of_equally_weak_aspects_the_first_in_order_is_named() -> None:
    assert named(TRAINING, kpi=scores(("time", 70, 0.5), ("quality", 70, 0.5)))["ani"]["reason"] == "weak_quality"


def test_an_aspect_that_no_programme_covers_is_still_told() -> None:
    seen = named(TRAINING, kpi=scores(("cost", 50, 0.5)))["ani"]
    assert (seen["status_code"], seen["programme_id"], seen["reason"]) == ("recommended", None, "weak_cost")
    assert "no programme is named for it" in seen["evidence"]


def test_hours_of_the_year_stand_in_the_evidence() -> None:
    hours = frame_of([{"nip": "ani", "hours": 8.0, "expected_hours": 20.0}], **EMPTY["training"])
    seen = named(TRAINING, kpi=scores(("time", 50, 0.5)), training=hours)["ani"]
    assert seen["evidence"].endswith("; 8.0 of 20.0 hours of training this year")


def test_who_completed_the_programme_this_year_is_excluded() -> None:
    done = frame_of([{"nip": "ani", "programme_id": "DIK-WAKTU"}] * 2, **EMPTY["completed"])
    seen = named(TRAINING, kpi=scores(("time", 50, 0.5)), completed=done)["ani"]
    assert (seen["status_code"], seen["reason"], seen["programme_id"]) == ("excluded", "already_completed", "DIK-WAKTU")


def competency(*rows: tuple[str, float | None]) -> pl.DataFrame:
    full = [{"nip": "ani", "competency_code": code, "score": score} for code, score in rows]
    return frame_of(full, **EMPTY["competencies"])


def test_a_competency_further_below_what_is_asked_beats_an_aspect() -> None:
    # time lacks 5 of 80, kolaboratif 10 of 70; a suppressed score is none.
    seen = named(
        TRAINING, kpi=scores(("time", 75, 0.5)), competencies=competency(("kolaboratif", 60), ("adaptif", None))
    )
    assert (seen["ani"]["reason"], seen["ani"]["programme_id"]) == ("weak_kolaboratif", "DIK-KOMUNIKASI")
    assert named(TRAINING, competencies=competency(("kolaboratif", 70))) == {}


def test_the_needs_of_a_year_are_the_recommended_people_of_each_programme_once() -> None:
    rows = [
        {"subject_id": "ani", "period": "2026-04"},
        {"subject_id": "ani"},
        {"subject_id": "budi", "status_code": "excluded"},
        {"subject_id": "citra", "programme_id": None},
        {"subject_id": "dewi", "period": "2025-12"},
    ]
    base = {"subject_kind": "employee", "period": "2026-05", "programme_id": "p", "status_code": "recommended"}
    schema = dict.fromkeys(("subject_kind", "subject_id", "period", "programme_id", "status_code"), pl.String)
    needs = training_needs(frame_of([{**base, **row} for row in rows], **schema))
    assert sorted(needs.rows()) == [("p", 2025, "dewi"), ("p", 2026, "ani")]


# ---- advanced training or promotion ----------------------------------------------------------------------------------


def course(*ratings: str | None, nip: str = "ani", **last: Any) -> pl.DataFrame:
    """Result ratings of the months up to May, behaviour as expected; `last` changes the last month."""
    first = 6 - len(ratings)
    rows = [
        {
            "nip": nip,
            "period": f"2026-{first + n:02d}",
            "result_score": None if rating is None else 111.0 + n,
            "result_rating": rating,
            "behaviour_rating": "sesuai",
        }
        for n, rating in enumerate(ratings)
    ]
    rows[-1] |= last
    return evaluated(*rows)


HIGH = ("di_atas",) * 3


def test_three_high_months_join_the_pool() -> None:
    seen = named(PROMOTION, course(*HIGH), absent(ani=0))["ani"]
    assert (seen["status_code"], seen["action_code"]) == ("recommended", "advanced_training")
    assert (seen["reason"], seen["programme_id"]) == ("sustained_results", "DIK-PIMPIN")
    assert seen["evidence"] == "result 111.0 in 2026-03, 112.0 in 2026-04, 113.0 in 2026-05"


@pytest.mark.parametrize(
    "evaluations",
    [
        course("di_atas", "sesuai", "di_atas"),
        course("di_atas", "di_atas", "sesuai"),
        course(*HIGH, behaviour_rating="di_bawah"),
        course(*HIGH, behaviour_rating=None),
        course("di_atas", "di_atas", None),
    ],
)
def test_one_month_that_is_not_high_keeps_out_of_the_pool(evaluations: pl.DataFrame) -> None:
    assert named(PROMOTION, evaluations, absent(ani=0)) == {}


@pytest.mark.parametrize("ratings", [("di_atas",), ("di_atas", None, "di_atas"), (None, "di_atas", "di_atas")])
def test_high_now_with_a_month_missing_is_not_computable(ratings: tuple[str | None, ...]) -> None:
    seen = named(PROMOTION, course(*ratings), absent(ani=0))
    assert fates(seen) == {"ani": ("not_computable", "earlier_months_missing")}


def test_a_fourth_month_back_does_not_matter() -> None:
    assert fates(named(PROMOTION, course("di_bawah", *HIGH), absent(ani=0)))["ani"][0] == "recommended"


def test_an_unexcused_day_or_an_open_objection_keeps_out_of_the_pool_and_is_told() -> None:
    people = pl.concat([course(*HIGH), course(*HIGH, nip="budi", objection_code="open")])
    assert fates(named(PROMOTION, people, absent(ani=1, budi=0))) == {
        "ani": ("excluded", "unexcused_days"),
        "budi": ("excluded", "objection_open"),
    }


@pytest.mark.parametrize("attendance", [absent(ani=None), absent(budi=0)])
def test_unknown_unexcused_days_keep_out_of_the_pool_and_are_told(attendance: pl.DataFrame) -> None:
    seen = named(PROMOTION, course(*HIGH), attendance)
    assert fates(seen) == {"ani": ("not_computable", "unexcused_days_unknown")}
    assert fates(named(PROMOTION, course("di_atas"), attendance))["ani"][1] == "earlier_months_missing"


# ---- discipline, objections, evidence --------------------------------------------------------------------------------


def test_a_threshold_reached_is_an_early_warning_with_its_counters() -> None:
    reached = attended(
        {
            "discipline_threshold_code": "year_4",
            "unexcused_year_count": 5,
            "unexcused_run_count": 2,
            "absent_count": 1,
            "counted_from_date": dt.date(2026, 1, 1),
        },
        {"nip": "budi", "unexcused_year_count": 2, "absent_count": 2},
    )
    seen = named(DISCIPLINE, attendance=reached)
    assert fates(seen) == {"ani": ("recommended", "year_4")}
    assert seen["ani"]["action_code"] == "discipline_warning"
    assert seen["ani"]["evidence"] == ("5 unexcused days since 2026-01-01, longest run 2 working days, 1 in the month")


def test_a_warning_tells_a_lower_bound_as_one() -> None:
    rows = attended(
        {
            "discipline_threshold_code": "year_3",
            "unexcused_year_count": 3,
            "unexcused_year_reason": "days_not_recorded",
            "unexcused_run_count": 2,
            "absent_count": 0,
            "counted_from_date": dt.date(2026, 1, 1),
        }
    )
    assert named(DISCIPLINE, attendance=rows)["ani"]["evidence"] == (
        "at least 3 unexcused days since 2026-01-01, longest run 2 working days, 0 in the month"
    )


def test_absences_without_the_earlier_months_are_not_computable() -> None:
    rows = attended({"absent_count": 1, "unexcused_year_count": None}, {"nip": "budi", "unexcused_year_count": None})
    assert fates(named(DISCIPLINE, attendance=rows)) == {"ani": ("not_computable", "earlier_months_missing")}


def test_a_warning_is_given_to_people_on_leave_too() -> None:
    reached = attended({"discipline_threshold_code": "year_3", "unexcused_year_count": 3, "absent_count": 3})
    assert fates(named(DISCIPLINE, attendance=reached, attendance_day=days(leave=20)))["ani"][0] == "recommended"


def test_an_open_objection_to_the_month_or_a_period_around_it_is_listed_once() -> None:
    rows = evaluated(
        {"objection_code": "open"},
        {"objection_code": "open", "period_kind": "quarter", "period": "2026-Q2"},
        {"nip": "budi", "objection_code": "upheld"},
        {"nip": "citra", "objection_code": "open", "period": "2026-04"},
        {"nip": "dewi"},
    )
    seen = named(OBJECTION, rows)
    assert fates(seen) == {"ani": ("recommended", "not_decided")}
    assert seen["ani"]["action_code"] == "objection_open"
    assert seen["ani"]["evidence"] == "objection to the rating of 2026-05, 2026-Q2"


def test_a_late_objection_is_listed_as_late_and_keeps_nobody_from_a_reward() -> None:
    rows = evaluated(
        {"objection_code": "late", "result_score": 115.0, "result_rating": "di_atas", "behaviour_rating": "sesuai"},
        {"nip": "budi", "objection_code": "late"},
        {"nip": "budi", "objection_code": "open", "period_kind": "quarter", "period": "2026-Q2"},
    )
    seen = named(OBJECTION, rows)
    assert fates(seen) == {"ani": ("recommended", "objected_late"), "budi": ("recommended", "not_decided")}
    assert seen["budi"]["evidence"] == "objection to the rating of 2026-05 (late), 2026-Q2"
    assert fates(named(REWARD, rows, absent(ani=0)))["ani"] == ("recommended", "best_of_unit")


def silent(*reasons: str | None, nip: str = "ani") -> pl.DataFrame:
    """The reasons of the months up to May; None is a computed month."""
    rows = [
        {
            "nip": nip,
            "period": f"2026-{6 - len(reasons) + n:02d}",
            "status_code": "computed" if reason is None else "not_computable",
            "reason": reason,
        }
        for n, reason in enumerate(reasons)
    ]
    return evaluated(*rows)


def test_two_months_without_an_evaluation_are_insufficient_evidence() -> None:
    seen = named(INSUFFICIENT, silent("result_coverage_too_low", "behaviour_not_rated"))["ani"]
    assert (seen["status_code"], seen["action_code"]) == ("recommended", "insufficient_evidence")
    assert seen["reason"] == "behaviour_not_rated"
    assert seen["evidence"] == "result_coverage_too_low in 2026-04, behaviour_not_rated in 2026-05"


@pytest.mark.parametrize("reasons", [("a", None), (None, "a"), ("a",), ("a", "a", None)])
def test_one_month_alone_says_nothing(reasons: tuple[str | None, ...]) -> None:
    assert named(INSUFFICIENT, silent(*reasons)) == {}


# ---- who is left out -------------------------------------------------------------------------------------------------

DECLINED = evaluated(
    *(
        {"period": f"2026-{m:02d}", "result_score": s}
        for m, s in zip(range(1, 6), (96.0, 98.0, 100.0, 80.0, 80.0), strict=True)
    )
)
BEST = evaluated({"result_score": 115.0, "result_rating": "di_atas", "behaviour_rating": "sesuai"})
RULES: dict[str, Callable[..., dict[str, Any]]] = {
    "coaching": lambda **frames: named(DECLINE, DECLINED, **frames),
    "reward": lambda **frames: named(REWARD, BEST, absent(ani=0), **frames),
    "training": lambda **frames: named(TRAINING, kpi=scores(("time", 50, 0.5)), **frames),
    "advanced_training": lambda **frames: named(PROMOTION, course(*HIGH), absent(ani=0), **frames),
    "insufficient_evidence": lambda **frames: named(INSUFFICIENT, silent("a", "a"), **frames),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ({"attendance_day": days(leave=6, sick=4, present=10, holiday=2, off=8)}, "long_leave"),
        ({"attendance_day": days(study=10, present=10)}, "study"),
        ({"attendance_day": days(study=10, leave=10)}, "study"),
        (
            {
                "employees": assigned(
                    ("ani", "disdik", "2024-01-01", "2026-05-11"), ("ani", "dinkes", "2026-05-12", None)
                )
            },
            "just_moved",
        ),
        (
            {
                "employees": assigned(
                    ("ani", "disdik", "2024-01-01", "2026-04-30"), ("ani", "dinkes", "2026-05-01", None)
                )
            },
            "just_moved",
        ),
    ],
)
def test_results_do_not_speak_for_people_who_were_away_or_have_just_moved(
    rule: str, frames: dict[str, pl.DataFrame], reason: str
) -> None:
    seen = RULES[rule](**frames)
    assert fates(seen) == {"ani": ("excluded", reason)}
    assert (seen["ani"]["action_code"], seen["ani"]["evidence"] is not None) == (rule, True)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    "frames",
    [
        {"attendance_day": days(leave=9, present=11)},  # 45 %
        {"attendance_day": days(duty_travel=20)},  # duty travel is work
        {"attendance_day": days("budi", leave=20)},
        {"employees": assigned(("ani", "dinkes", "2026-05-04", None))},  # new to the region
        {"employees": assigned(("ani", "a", "2024-01-01", "2026-04-28"), ("ani", "dinkes", "2026-04-29", None))},
        {"employees": assigned(("ani", "dinkes", "2024-01-01", "2026-05-11"), ("ani", "dinkes", "2026-05-12", None))},
        {"employees": assigned(("ani", "disdik", "2026-05-12", None), code="plt")},
        {"employees": assigned(("ani", "a", "2024-01-01", "2026-05-31"), ("ani", "b", "2026-06-01", None))},
    ],
)
def test_nobody_else_is_left_out(rule: str, frames: dict[str, pl.DataFrame]) -> None:
    assert fates(RULES[rule](**frames))["ani"][0] == "recommended"


def test_who_was_away_takes_nobodys_place() -> None:
    people = evaluated(
        *(
            {"nip": nip, "result_score": s, "result_rating": "di_atas", "behaviour_rating": "sesuai"}
            for nip, s in (("ani", 119.0), ("budi", 115.0))
        )
    )
    seen = named(REWARD, people, absent(ani=0, budi=0), attendance_day=days(leave=20))
    assert fates(seen) == {"ani": ("excluded", "long_leave"), "budi": ("recommended", "best_of_unit")}


def test_the_shares_and_the_months_after_a_move_are_the_policys() -> None:
    strict = Exclusions(leave_share=0.2, moved_months=3)
    moved = assigned(("ani", "a", "2024-01-01", "2026-03-14"), ("ani", "dinkes", "2026-03-15", None))
    assert fates(named(DECLINE, DECLINED, exclusions=strict, attendance_day=days(leave=4, present=16)))["ani"] == (
        "excluded",
        "long_leave",
    )
    assert fates(named(DECLINE, DECLINED, exclusions=strict, employees=moved))["ani"] == ("excluded", "just_moved")
    assert fates(named(DECLINE, DECLINED, exclusions=Exclusions(moved_months=0), employees=moved))["ani"][0] == (
        "recommended"
    )
