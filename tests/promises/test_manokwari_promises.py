"""Manokwari's promises (standards), each with Manokwari's own policy in a world of a few rows."""

from __future__ import annotations

import pytest
from promise_world import (
    LATER,
    MONTH,
    POLICIES,
    advice,
    answers,
    fates,
    figures,
    given,
    measured,
    months,
    published,
    results,
    rows_by,
    staff,
    tasks,
    units,
)

from kinerja_pipeline.facts.satisfaction import satisfaction_index
from kinerja_pipeline.kpi.distribution import unit_evaluation
from kinerja_pipeline.kpi.evaluation import evaluation
from kinerja_pipeline.kpi.people import people
from kinerja_pipeline.kpi.subjects import answers_by_subject
from kinerja_pipeline.kpi.targets import employee_plan

POLICY = POLICIES["manokwari"]


def test_m1_standards_are_judged_in_quality_quantity_and_time() -> None:
    """Attainment per aspect of a person, and an aspect without evidence is not computable."""
    done = tasks(
        POLICY,
        {"task_id": "good", "completed_at": "2026-04-08 10:00", "quantity_done": 8.0, "quality_score": 90.0},
        {"task_id": "overdue", "status_code": "in_progress"},
        {"task_id": "cancelled", "status_code": "cancelled"},
        nip="ani",
        opened_at="2026-04-06 08:00",
        due_at="2026-04-10 16:00",
        quantity_planned=10.0,
    )
    seen = figures(POLICY, {"task_outcome": done}, staff("ani", "budi"))
    aspects = {name: seen["ani", name] for name in ("task_on_time", "task_quantity", "task_quality", "task_cost")}
    assert [row["aspect_code"] for row in aspects.values()] == ["time", "quantity", "quality", "cost"]
    # On time 1 of 2 (the cancelled one is out, the overdue one is in) against 85; 8 of 10; 90 against 80.
    assert [row["actual"] for row in aspects.values()] == [50.0, 80.0, 90.0, None]
    assert [row["achievement"] for row in aspects.values()] == [pytest.approx(50 / 0.85), 80.0, 112.5, None]
    assert (aspects["task_cost"]["status_code"], aspects["task_cost"]["reason"]) == ("not_computable", "no_evidence")
    assert seen["budi", "task_quality"]["reason"] == "no_evidence"


def test_m2_requests_are_done_on_time_and_the_unit_s_survey_stands_beside() -> None:
    """The share of requests done by their due time, or within the standard of 22.5 working hours where none was given;
    their duration in working hours, and beside it what the unit's public says about time and product."""
    done = tasks(
        POLICY,
        {"task_id": "on time", "completed_at": "2026-04-13 08:30"},
        {"task_id": "late", "completed_at": "2026-04-14 08:30"},
        {"task_id": "overdue", "status_code": "open"},
        {"task_id": "no complaint is a request", "task_type": "complaint", "completed_at": "2026-04-13 08:30"},
        {"task_id": "by the standard", "due_at": None, "completed_at": "2026-04-15 14:30"},
        {"task_id": "beyond it", "due_at": None, "completed_at": "2026-04-15 14:31"},
        {"task_id": "overdue by it", "due_at": None, "status_code": "open"},
        {"task_id": "no standard", "due_at": None, "task_type": "routine", "completed_at": "2026-04-13 08:30"},
        opened_at="2026-04-10 15:00",
        due_at="2026-04-13 16:00",
    )
    # Friday 15:00-16:30 and Monday 07:30-08:30.
    fate = rows_by(done, "task_id")
    assert fate["on time"]["duration_hours"] == 2.5
    # 1.5 hours on Friday, 7.5 on Monday, 7.5 on Tuesday, and 6 on Wednesday with the break at noon; in Manokwari
    # (UTC+9) that is 14:30.
    assert POLICY.tasks.standard_hours == {"service_request": 22.5}
    assert fate["beyond it"]["due_at"].isoformat() == "2026-04-15T05:30:00+00:00"
    assert fate["by the standard"]["duration_hours"] == 22.5
    assert [fate[name]["is_on_time"] for name in ("by the standard", "beyond it", "overdue by it")] == [
        True,
        *[False] * 2,
    ]
    assert (fate["no standard"]["due_at"], fate["no standard"]["is_on_time"]) == (None, None)
    said = answers_by_subject(
        answers("dinas", [4, 4, 3, 4, 2], [4, 4, 4, 4, 2]).vstack(answers("elsewhere", [1, 1, 1, 1, 1]))
    )
    figure = figures(POLICY, {"task_outcome": done, "feedback_answer": said})
    # Two of six: one by its own due time, one by the standard.
    assert figure["dinas", "request_on_time"]["actual"] == pytest.approx(200 / 6)
    assert figure["dinas", "service_time_satisfaction"]["actual"] == 87.5
    assert figure["dinas", "product_satisfaction"]["actual"] == 50.0
    assert ("ani", "product_satisfaction") not in figure


def test_m3_every_civil_servant_has_a_measurable_goal_or_is_listed() -> None:
    """The share of employees with a measurable target of their own, and by name those who have none."""
    agreed = given(
        "indicator_target",
        {"subject_id": "ani", "indicator_id": "task_on_time", "period": "2026-Q2", "target": 90.0},
        # Nobody measures that, and last quarter's goal is none of this month's.
        {"subject_id": "budi", "indicator_id": "mood", "period": MONTH, "target": 1.0},
        {"subject_id": "citra", "indicator_id": "task_on_time", "period": "2026-Q1", "target": 90.0},
        subject_kind="employee",
    )
    everybody = staff("ani", "budi", "citra")
    plan = employee_plan(agreed, people(everybody, LATER, LATER), POLICY.indicators, MONTH)
    seen = figures(POLICY, {"employee_plan": plan}, everybody)
    assert seen["dinas", "measurable_target"]["actual"] == pytest.approx(100 / 3)
    assert seen["dinas", "measurable_target"]["target"] == 100.0
    assert [nip for nip in ("ani", "budi", "citra") if seen[nip, "measurable_target"]["actual"] == 0] == [
        "budi",
        "citra",
    ]


def test_m4_a_health_service_reaches_its_target() -> None:
    """Attainment of the measured coverage against its target, per unit and for the region."""
    reports = measured(
        "immunisation_coverage",
        {"subject_id": "wosi", "numerator": 114.0, "denominator": 120.0},
        {"subject_id": "prafi", "numerator": 57.0, "denominator": 76.0},
        {"subject_id": "empty", "numerator": 0.0, "denominator": 0.0},
    )
    seen = figures(POLICY, {"indicator_measurement": reports})
    reached = {unit: seen[unit, "immunisation_coverage"] for unit in ("wosi", "prafi", "manokwari", "empty")}
    assert [row["actual"] for row in reached.values()] == [95.0, 75.0, pytest.approx(100 * 171 / 196), None]
    assert [row["achievement"] for row in reached.values()][:2] == [100.0, pytest.approx(100 * 75 / 95)]
    assert reached["empty"]["reason"] == "denominator_zero"


def test_m5_evaluation_is_complete_per_unit_and_period_or_says_who_waits() -> None:
    """How many of a unit's people have been evaluated in a period, how many officially, and why somebody has not."""
    ratings = given(
        "performance_rating",
        {"subject_id": "ani", "behaviour_rating": "sesuai", "predicate": "baik"},
        {"subject_id": "budi", "behaviour_rating": "sesuai"},
        subject_kind="employee",
        period_kind="month",
        period=MONTH,
    )
    scores = [{"subject_id": nip, "score": 100.0} for nip in ("ani", "budi", "citra")]
    shared = {"subject_kind": "employee", "unit_id": "dinas", "period_kind": "month", "period": MONTH, "weight": 1.0}
    judged = evaluation(
        published("kpi", *scores, **shared, indicator_id="task_on_time", status_code="computed", policy_version="1"),
        ratings,
        POLICY.evaluation,
    )
    (unit,) = unit_evaluation(judged, ratings, POLICY.evaluation).to_dicts()
    counts = ("unit_id", "period", "employee_count", "evaluated_count", "official_count")
    assert [unit[name] for name in counts] == ["dinas", MONTH, 3, 2, 1]
    assert rows_by(judged, "nip")["citra"]["reason"] == "behaviour_not_rated"


def test_m5_constructive_feedback_is_counted_and_its_delay_told() -> None:
    """How many notes that say what to do next a person was given, and the days from the work seen to the telling, of
    the person and the unit. Praise alone is none of them, and no note enters a survey or the result."""
    notes = given(
        "feedback_response",
        {"response_id": "1", "subject_id": "ani", "shared_at": "2026-04-07 09:00", "score": 2.0},
        {"response_id": "2", "subject_id": "ani", "shared_at": "2026-04-10 09:00", "score": 2.0},
        {"response_id": "praise", "subject_id": "ani", "shared_at": "2026-04-26 09:00", "score": 1.0},
        {"response_id": "3", "subject_id": "budi", "shared_at": "2026-04-12 21:00", "score": 2.0},
        survey_code="feedback_note",
        element_code="saran",
        subject_kind="employee",
        role_code="superior",
        scale_max=2,
        observed_at="2026-04-06 09:00",
        submitted_at="2026-04-26 10:00",
    )
    everybody = staff("ani", "budi", "citra")
    facts = {"feedback_answer": answers_by_subject(notes, people(everybody, LATER, LATER))}
    seen = figures(POLICY, facts, everybody)
    # One day and four days; six and a half.
    assert [seen[nip, "feedback_count"]["actual"] for nip in ("ani", "budi", "citra")] == [2.0, 1.0, None]
    assert [seen[nip, "feedback_days"]["actual"] for nip in ("ani", "budi", "citra")] == [2.5, 6.5, None]
    assert seen["citra", "feedback_count"]["reason"] == "no_evidence"
    unit = seen["dinas", "feedback_days"]
    assert (unit["evidence_count"], unit["actual"]) == (3, pytest.approx(11.5 / 3))
    assert {seen["ani", name]["weight"] for name in POLICY.promises["M5"].indicators} == {0.0}
    assert ("dinas", "satisfaction") not in seen
    assert satisfaction_index(notes, units({"unit_id": "dinas"}), POLICY, MONTH, LATER).is_empty()


def test_m6_falling_performance_leads_to_coaching_with_its_evidence() -> None:
    """Who fell below 90 in two months running and ten points under the three months before is named with the figures;
    who is on study leave is excluded, whose past is unknown not computable; the weakest aspect names a training."""
    five = ["2025-12", "2026-01", "2026-02", "2026-03", MONTH]
    courses = {
        "ani": (100, 96, 98, 85, 80),
        "steady": (92, 92, 92, 85, 84),
        "better": (100, 100, 100, 85, 91),
        "student": (100, 96, 98, 85, 80),
        "new": (None, None, None, 85, 80),
    }
    known = [(n, m, float(s)) for n, course in courses.items() for m, s in zip(five, course, strict=True) if s]
    away = published("attendance_day", {"nip": "student", "work_date": "2026-04-01", "status_code": "study"})
    seen = advice(POLICY, "decline", evaluations=results(*known), attendance_day=away)
    assert fates(seen) == {
        "ani": ("recommended", "declined"),
        "student": ("excluded", "study"),
        "new": ("not_computable", "earlier_months_missing"),
    }
    assert (seen["ani"]["action_code"], seen["ani"]["evidence"]) == (
        "coaching",
        "result 85.0 in 2026-03, 80.0 in 2026-04; mean of the 3 months before: 98.0",
    )
    scored = [{"aspect_code": "time", "score": 60.0}, {"aspect_code": "quality", "score": 75.0}]
    shared = {
        "subject_kind": "employee",
        "subject_id": "ani",
        "period": MONTH,
        "weight": 0.3,
        "status_code": "computed",
    }
    trained = advice(POLICY, "training", kpi=published("kpi", *scored, **shared, indicator_id="any"))
    assert (trained["ani"]["reason"], trained["ani"]["programme_id"]) == ("weak_time", "DIK-WAKTU")


def test_m7_too_few_staff_is_said_of_the_unit_and_of_no_person() -> None:
    """Positions filled against those needed, of units alone; an unknown need is not computable."""
    needed = units(
        {"unit_id": "puskesmas", "needed_headcount": 5},
        {"unit_id": "nearly full", "needed_headcount": 2},
        {"unit_id": "never analysed"},
    )
    working = staff("ani", "budi", unit="puskesmas").vstack(staff("citra", "dedi", unit="nearly full"))
    seen = advice(POLICY, "staffing", employees=working.vstack(staff("eka", unit="never analysed")), org_units=needed)
    assert fates(seen) == {
        "puskesmas": ("recommended", "staffing_gap"),
        "never analysed": ("not_computable", "needed_headcount_missing"),
    }
    assert seen["puskesmas"]["evidence"] == "2 of 5 positions filled"
    assert {row["subject_kind"] for row in seen.values()} == {"unit"}


def test_m8_a_public_that_gives_no_feedback_is_flagged() -> None:
    """Answers against the required sample (Krejcie and Morgan), the flag on the index, and the silent units."""
    served = units(
        {"unit_id": "ptsp", "population_served": 100},
        {"unit_id": "silent", "population_served": 100},
        {"unit_id": "inner office"},
    )
    index = satisfaction_index(answers("ptsp", *[[3] * 9] * 5), served, POLICY, MONTH, LATER)
    # 3.841 * 100 * 0.25 / (0.0025 * 99 + 3.841 * 0.25) = 96.025 / 1.20775 = 79.5
    (row,) = index.to_dicts()
    assert (row["respondent_count"], row["required_count"]) == (5, 80)
    assert "low_response" in row["flag_codes"].split(",")
    seen = advice(POLICY, "feedback", satisfaction=index, org_units=served)
    assert {unit: (r["reason"], r["evidence"]) for unit, r in seen.items()} == {
        "ptsp": ("low_response", "skm: 5 of 80 answers"),
        "silent": ("no_response", "0 of 80 answers"),
    }


def test_m9_reaching_beyond_the_target_is_nominated_with_ties_and_exclusions() -> None:
    """The best of a unit above expectation, ties listed; unexcused days and open objections exclude with the reason."""
    scores = [("ani", 115.0), ("budi", 115.0), ("second", 112.0), ("absentee", 119.0), ("exactly 110", 110.0)]
    judged = results(*((nip, MONTH, score) for nip, score in scores)).vstack(
        results(("objector", MONTH, 118.0), objection_code="open")
    )
    clean = ({"nip": nip, "unexcused_year_count": 0} for nip in ("ani", "budi", "second", "exactly 110"))
    days = months({"nip": "absentee", "unexcused_year_count": 1}, *clean, period=MONTH)
    seen = advice(POLICY, "reward", evaluations=judged, attendance_month=days)
    assert fates(seen) == {
        "ani": ("recommended", "best_of_unit"),
        "budi": ("recommended", "best_of_unit"),
        "absentee": ("excluded", "unexcused_days"),
        "objector": ("excluded", "objection_open"),
    }
    assert seen["ani"]["evidence"] == "result 115.0, behaviour sesuai, tied with 1 others"
