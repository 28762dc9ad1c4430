"""Units: attendance not recorded, people who are lacking, a public not heard or of another opinion, mistakes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from follow_up_world import ANSWERED, LABELS, assigned, attended, evaluated, fates, named, units
from kpi_world import by, frame_of

from kinerja_pipeline.facts.feed_day import FEED_DAY_SCHEMA
from kinerja_pipeline.kpi.follow_up_units import accepted, mistakes
from kinerja_pipeline.policies.follow_up import (
    CompletenessRule,
    DisagreementRule,
    FeedbackRule,
    InfrastructureRule,
    MistakesRule,
    StaffingRule,
)

COMPLETENESS = CompletenessRule.model_validate({"rule": "completeness", "labels": LABELS})
INFRASTRUCTURE = InfrastructureRule.model_validate({"rule": "infrastructure", "labels": LABELS})
STAFFING = StaffingRule.model_validate({"rule": "staffing", "labels": LABELS})
FEEDBACK = FeedbackRule.model_validate({"rule": "feedback", "labels": LABELS})
DISAGREEMENT = DisagreementRule.model_validate({"rule": "disagreement", "labels": LABELS})
MISTAKES = MistakesRule.model_validate({"rule": "mistakes", "labels": LABELS})


# ---- completeness (S6) -----------------------------------------------------------------------------------------------


def right(valid: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    return accepted({name: rows.lazy() for name, rows in valid.items()}, STAFF, REGISTER)


def test_a_unit_whose_days_are_not_recorded_is_named_and_not_its_people() -> None:
    rows = attended(
        {"workday_count": 14, "not_recorded_count": 6},
        {"nip": "budi", "workday_count": 18, "not_recorded_count": 2},
        {"nip": "citra", "unit_id": "disdik", "workday_count": 17, "not_recorded_count": 4},
        {"nip": "dewi", "unit_id": "disdik", "workday_count": 20},
        {"nip": "eka", "unit_id": "setda", "workday_count": 0},
    )
    seen = named(COMPLETENESS, attendance=rows)
    # dinkes 8 of 40 is 20 %; disdik 4 of 41 is less; setda had no days at all.
    assert fates(seen) == {"dinkes": ("recommended", "attendance_not_recorded")}
    assert (seen["dinkes"]["subject_kind"], seen["dinkes"]["action_code"]) == ("unit", "complete_data")
    assert seen["dinkes"]["evidence"] == "8 of 40 person-days not recorded"


# ---- infrastructure (S6) ---------------------------------------------------------------------------------------------


def test_a_unit_with_late_data_or_devices_that_fail_is_named_with_both_figures() -> None:
    def days(unit: str, *told: tuple[bool | None, int | None]) -> list[dict[str, Any]]:
        start = dt.date(2026, 5, 4)
        return [
            {"unit_id": unit, "date": start + dt.timedelta(days=n), "is_late": late, "downtime_minutes": down}
            for n, (late, down) in enumerate(told)
        ]

    rows = [
        *days("late", (True, 0), (True, 0), (True, 15), (False, 0)),
        *days("down", (False, 60), (False, 60)),
        *days("neither", (True, 60), (True, 59), (None, 0)),
        *days("all", (True, None), (True, None), (True, None)),
    ]
    seen = named(INFRASTRUCTURE, feed_day=frame_of(rows, **FEED_DAY_SCHEMA))
    assert fates(seen) == {"late": ("recommended", "attendance_late"), "down": ("recommended", "devices_down")}
    assert seen["late"]["evidence"] == "attendance of 3 of 4 days came late, devices down for 15 minutes"
    assert seen["down"]["evidence"] == "attendance of 0 of 2 days came late, devices down for 120 minutes"


# ---- staffing (M7) ---------------------------------------------------------------------------------------------------


def staff(count: int, unit: str = "dinkes", start: str = "2024-01-01", end: str | None = None) -> pl.DataFrame:
    return assigned(*((f"{unit}-{n}", unit, start, end) for n in range(count)))


def test_a_unit_that_lacks_people_is_context_for_the_unit() -> None:
    seen = named(STAFFING, employees=staff(8), org_units=units({"needed_headcount": 10}))
    assert fates(seen) == {"dinkes": ("recommended", "staffing_gap")}
    assert (seen["dinkes"]["subject_kind"], seen["dinkes"]["action_code"]) == ("unit", "fill_positions")
    assert seen["dinkes"]["evidence"] == "8 of 10 positions filled"


@pytest.mark.parametrize(
    ("people", "needed", "is_named"),
    [(9, 10, True), (10, 10, False), (12, 10, False), (19, 20, False), (18, 20, True), (0, 1, True), (0, 0, False)],
)
def test_a_gap_is_a_tenth_of_the_need_and_at_least_one(people: int, needed: int, is_named: bool) -> None:
    seen = named(STAFFING, employees=staff(people), org_units=units({"needed_headcount": needed}))
    assert bool(seen) == is_named


def test_only_main_assignments_on_the_months_last_day_fill_a_position() -> None:
    people = pl.concat(
        [
            staff(8),
            assigned(("left", "dinkes", "2024-01-01", "2026-05-30")),
            assigned(("comes", "dinkes", "2026-06-01", None)),
            assigned(("acts", "dinkes", "2024-01-01", None), code="plt"),
            assigned(("moved", "dinkes", "2024-01-01", None), ("moved", "disdik", "2026-05-20", None)),
        ]
    )
    seen = named(STAFFING, employees=people, org_units=units({"needed_headcount": 10}))
    assert seen["dinkes"]["evidence"] == "8 of 10 positions filled"


def test_the_need_in_force_counts_and_an_unknown_one_is_not_computable() -> None:
    old = {"needed_headcount": 20, "valid_to": dt.date(2025, 12, 31)}
    new = {"needed_headcount": 8, "valid_from": dt.date(2026, 1, 1)}
    assert named(STAFFING, employees=staff(8), org_units=units(old, new)) == {}
    unknown = units({"needed_headcount": None}, {"unit_id": "empty", "needed_headcount": None})
    seen = named(STAFFING, employees=staff(8), org_units=unknown)
    assert fates(seen) == {"dinkes": ("not_computable", "needed_headcount_missing")}


# ---- feedback (M8) ---------------------------------------------------------------------------------------------------


def answered(*rows: dict[str, Any]) -> pl.DataFrame:
    base = {"unit_id": "dinkes", "survey_code": "skm", "period": "2026-05", "respondent_count": 50}
    return frame_of([{**base, **row} for row in rows], **ANSWERED)


def test_too_few_answers_are_told_with_how_many_are_required() -> None:
    seen = named(FEEDBACK, satisfaction=answered({"required_count": 80}, {"unit_id": "disdik", "required_count": 50}))
    assert fates(seen) == {"dinkes": ("recommended", "low_response")}
    assert seen["dinkes"]["action_code"] == "collect_feedback"
    assert seen["dinkes"]["evidence"] == "skm: 50 of 80 answers"


def test_a_unit_that_serves_people_and_hears_none_is_named() -> None:
    # 100 people: a sample of 80 (Krejcie-Morgan).
    served = units({"population_served": 100}, {"unit_id": "setda", "population_served": None})
    seen = named(FEEDBACK, satisfaction=answered(), org_units=served)
    assert fates(seen) == {"dinkes": ("recommended", "no_response")}
    assert seen["dinkes"]["evidence"] == "0 of 80 answers"


def test_an_unknown_population_is_not_computable_unless_another_survey_is_low() -> None:
    unknown = {"survey_code": "residents", "required_count": None}
    assert fates(named(FEEDBACK, satisfaction=answered(unknown))) == {
        "dinkes": ("not_computable", "population_unknown")
    }
    seen = named(FEEDBACK, satisfaction=answered(unknown, {"required_count": 80}))
    assert fates(seen) == {"dinkes": ("recommended", "low_response")}
    assert seen["dinkes"]["evidence"] == "skm: 50 of 80 answers; residents: 50 of an unknown number of answers"


def test_a_semester_is_judged_in_its_last_month() -> None:
    rule = FEEDBACK.model_copy(update={"period_kind": "semester"})
    half = answered({"period": "2026-S1", "required_count": 80}, {"period": "2026-06", "required_count": 999})
    served = units({"population_served": 100})
    assert named(rule, satisfaction=half, org_units=served) == {}
    seen = named(rule, satisfaction=half, org_units=served, month="2026-06")
    assert seen["dinkes"]["evidence"] == "skm: 50 of 80 answers"


# ---- disagreement (S2) -----------------------------------------------------------------------------------------------


def predicates(good: int, bad: int, **more: Any) -> pl.DataFrame:
    said = ["baik", "sangat_baik", *["baik"] * good][:good] + ["butuh_perbaikan"] * bad
    return evaluated(*({"nip": f"p{n}", "official_predicate": p, **more} for n, p in enumerate(said)))


@pytest.mark.parametrize(
    ("good", "bad", "index", "class_code", "reason"),
    [
        (3, 0, 64.99, "D", "public_less_content"),
        (2, 2, 65.0, "C", "public_less_content"),
        (2, 2, 76.61, "B", None),
        (1, 2, 76.61, "B", "superiors_less_content"),
        (1, 2, 65.0, "C", None),
        (2, 0, 50.0, "D", None),  # two rated people are too few to speak for a unit
    ],
)
def test_superiors_and_the_public_who_say_opposite_things_are_told(
    good: int, bad: int, index: float, class_code: str, reason: str | None
) -> None:
    heard = answered({"index_value": index, "class_code": class_code})
    seen = named(DISAGREEMENT, predicates(good, bad), satisfaction=heard)
    assert {unit: row["reason"] for unit, row in seen.items()} == ({"dinkes": reason} if reason else {})
    if reason:
        assert (seen["dinkes"]["subject_kind"], seen["dinkes"]["action_code"]) == ("unit", "compare_opinions")
        assert seen["dinkes"]["evidence"] == (
            f"superiors: {good} of {good + bad} baik or better; skm: {index} ({class_code}) of 50 answers"
        )


def test_only_ratings_of_superiors_and_the_rules_survey_of_the_same_month_are_compared() -> None:
    low = {"index_value": 50.0, "class_code": "D"}
    assert named(DISAGREEMENT, predicates(3, 0), satisfaction=answered({**low, "period": "2026-04"})) == {}
    assert named(DISAGREEMENT, predicates(3, 0), satisfaction=answered({**low, "survey_code": "parents"})) == {}
    assert named(DISAGREEMENT, predicates(3, 0), satisfaction=answered({})) == {}
    unrated = predicates(3, 0, official_predicate=None)
    assert named(DISAGREEMENT, unrated, satisfaction=answered(low)) == {}
    assert named(DISAGREEMENT, predicates(3, 0, period="2026-04"), satisfaction=answered(low)) == {}


def test_what_counts_as_content_and_as_low_is_the_policys() -> None:
    heard = answered({"index_value": 80.0, "class_code": "B"})
    rule = DISAGREEMENT.model_copy(update={"low_classes": ["B", "C", "D"], "content_share": 0.75, "minimum_rated": 4})
    assert fates(named(rule, predicates(3, 1), satisfaction=heard)) == {
        "dinkes": ("recommended", "public_less_content")
    }
    assert named(rule, predicates(2, 2), satisfaction=heard) == {}


# ---- mistakes (P7) ---------------------------------------------------------------------------------------------------


def rejected(*rows: tuple[str, list[str]], name: str = "unit_id") -> pl.DataFrame:
    full = [
        {name: value, "_delivery_id": "d1", "_source_row": n, "_reasons": reasons}
        for n, (value, reasons) in enumerate(rows)
    ]
    kinds = {name: pl.String, "_delivery_id": pl.String, "_source_row": pl.UInt32, "_reasons": pl.List(pl.String)}
    return frame_of(full, **kinds)


STAFF = assigned(("111", "disdik", "2024-01-01", "2026-02-28"), ("111", "dinkes", "2026-03-01", None))
REGISTER = units({}, {"unit_id": "disdik"})


def test_a_units_most_frequent_mistakes_are_named_and_rows_are_counted_once() -> None:
    tasks = rejected(
        ("dinkes", ["due_at__missing", "status_code__code"]),
        ("dinkes", ["due_at__missing"]),
        ("disdik", ["due_at__missing"]),
    )
    ratings = rejected(("'111 ", ["predicate__code"]), ("dinkes", ["predicate__code"]), name="subject_id")
    found = mistakes({"task_record": tasks, "performance_rating": ratings}, STAFF, REGISTER)
    # Of Dinkes four tasks and, through their employee, two ratings are valid.
    valid = {
        "task_record": pl.DataFrame({"unit_id": ["dinkes"] * 4 + ["disdik"] * 9}),
        "performance_rating": pl.DataFrame({"subject_id": ["111", "dinkes"]}),
    }
    seen = named(
        MISTAKES,
        mistakes=found,
        accepted=right(valid),
    )
    assert fates(seen) == {"dinkes": ("recommended", "predicate__code")}
    assert (seen["dinkes"]["subject_kind"], seen["dinkes"]["action_code"]) == ("unit", "correct_data")
    assert seen["dinkes"]["evidence"] == (
        "4 of 10 rows rejected (40.0 %): 2 predicate__code in performance_rating, 2 due_at__missing in task_record, "
        "1 status_code__code in task_record"
    )


def test_rows_that_name_no_unit_stand_under_the_region() -> None:
    taps = rejected(*((str(n), ["tapped_at__month"]) for n in range(3)), name="pin")
    unknown = rejected(("nowhere", ["unit_id__unknown"]))
    found = mistakes({"attendance_log": taps, "task_record": unknown}, STAFF, REGISTER)
    valid = {
        "attendance_log": pl.DataFrame({"device_id": ["d"] * 8}),
        "task_record": pl.DataFrame({"unit_id": ["dinkes"]}),
    }
    row = named(
        MISTAKES,
        mistakes=found,
        accepted=right(valid),
    )["salor"]
    assert (row["subject_kind"], row["reason"]) == ("region", "tapped_at__month")
    assert (
        row["evidence"]
        == "4 of 12 rows rejected (33.3 %): 3 tapped_at__month in attendance_log, 1 unit_id__unknown in task_record"
    )


def test_fewer_rows_than_the_rule_asks_are_nothing_frequent() -> None:
    found = mistakes({"task_record": rejected(("dinkes", ["a"]), ("dinkes", ["b"]))}, STAFF, REGISTER)
    assert named(MISTAKES, mistakes=found) == {}
    assert set(named(MISTAKES.model_copy(update={"minimum_count": 2}), mistakes=found)) == {"dinkes"}


def test_only_as_many_reasons_as_the_rule_asks_are_named() -> None:
    found = mistakes({"task_record": rejected(("dinkes", ["a", "b", "c", "d"]))}, STAFF, REGISTER)
    rule = MISTAKES.model_copy(update={"minimum_count": 1, "most_frequent": 2})
    assert (
        named(rule, mistakes=found)["dinkes"]["evidence"]
        == "1 of 1 rows rejected (100.0 %): 1 a in task_record, 1 b in task_record"
    )


def test_a_row_names_its_unit_before_its_person() -> None:
    both = rejected(("disdik", ["a"])).with_columns(nip=pl.lit("111"))
    found = mistakes({"task_record": both}, STAFF, REGISTER)
    assert by(found, "row")["d1:0"]["unit_id"] == "disdik"


def test_without_registers_no_row_has_a_unit() -> None:
    found = mistakes({"task_record": rejected(("dinkes", ["a"]))}, STAFF.clear(), REGISTER.clear())
    assert found["unit_id"].to_list() == [None]
    assert mistakes({}, STAFF, REGISTER).is_empty()
