"""Pariaman's promises (key performance indicators), each with Pariaman's own policy in a world of a few rows."""

from __future__ import annotations

import polars as pl
import pytest
from promise_world import (
    CONTRACTS,
    LATER,
    MONTH,
    POLICIES,
    advice,
    answers,
    fates,
    figures,
    given,
    kpi_table,
    measured,
    months,
    results,
    staff,
    tasks,
    units,
)

from kinerja_pipeline.facts.satisfaction import satisfaction_index
from kinerja_pipeline.kpi.evaluation import evaluation
from kinerja_pipeline.kpi.follow_up_units import accepted, mistakes
from kinerja_pipeline.kpi.subjects import answers_by_subject
from kinerja_pipeline.validated.split import TALLY_SCHEMA
from kinerja_pipeline.warehouse.registers import data_quality

POLICY = POLICIES["pariaman"]


def test_p1_iku_go_from_service_quality_to_budget_efficiency() -> None:
    """Attainment where more is better, where less is better and within a range, and output over budget."""
    done = tasks(
        POLICY,
        {"task_id": "1", "quantity_done": 9.0, "cost_spent": 50.0},
        {"task_id": "2", "quantity_done": 12.0, "cost_spent": 90.0},
        {"task_id": "no budget", "quantity_done": 1.0, "cost_planned": None},
        opened_at="2026-04-06 07:30",
        completed_at="2026-04-08 11:30",
        quantity_planned=10.0,
        cost_planned=100.0,
    )
    absorbed = measured(
        "budget_absorption",
        {"subject_id": "dinas", "numerator": 95.0, "denominator": 100.0},
        {"subject_id": "saver", "numerator": 85.0, "denominator": 100.0},
        {"subject_id": "overspent", "numerator": 130.0, "denominator": 100.0},
    )
    facts = {
        "task_outcome": done,
        "indicator_measurement": absorbed,
        "feedback_answer": answers_by_subject(answers("dinas", [3] * 9)),
    }
    seen = figures(POLICY, facts)
    # 75 percent of the highest score against 80.
    assert seen["dinas", "satisfaction"]["achievement"] == 93.75
    # 7.5 + 7.5 + 4 working hours against 40: 100 * (80 - 19) / 40, counted as 120 at most.
    hours = seen["dinas", "document_hours"]
    assert (hours["actual"], hours["achievement"], hours["score"]) == (19.0, 152.5, 120.0)
    # 90 to 100: 100 inside; 5 of 10 outside is half; 30 of 10 outside is nothing.
    absorption = [seen[unit, "budget_absorption"]["achievement"] for unit in ("dinas", "saver", "overspent")]
    assert absorption == [100.0, 50.0, 0.0]
    # 90 and 120 percent of the output over 50 and 90 percent of the budget; what has no budget is no evidence.
    assert seen["dinas", "cost_efficiency"]["actual"] == pytest.approx(100 * 210 / 140)
    assert seen["dinas", "cost_efficiency"]["evidence_count"] == 2


def test_p2_processing_time_of_documents_is_told_by_share_median_and_percentile() -> None:
    """The share of documents done on time, and their duration in working hours: the median, and within what nine of
    ten are done."""
    done = tasks(
        POLICY,
        {"task_id": "1", "completed_at": "2026-04-06 09:30"},
        {"task_id": "2", "completed_at": "2026-04-06 14:00"},
        {"task_id": "3", "completed_at": "2026-04-07 09:30"},
        {"task_id": "open", "status_code": "in_progress"},
        {"task_id": "complaint", "task_type": "complaint", "completed_at": "2026-04-06 08:30"},
        opened_at="2026-04-06 07:30",
        due_at="2026-04-06 16:00",
    )
    seen = figures(POLICY, {"task_outcome": done})
    # 2 hours; 4.5 before and 1 after the break; 7.5 and 2.
    assert {name: seen["dinas", name]["actual"] for name in POLICY.promises["P2"].indicators} == {
        "document_on_time": 50.0,
        "document_hours": 5.5,
        "document_hours_p90": 9.5,
    }
    assert seen["pariaman", "document_hours"]["actual"] == 5.5


def test_p3_superior_and_public_judge_side_by_side_and_are_not_mixed() -> None:
    """The superior's rating of a person and the public's index of the unit: the public's answers change no person's
    result, for no rule declares that they do."""
    done = tasks(
        POLICY,
        {"task_id": "1", "completed_at": "2026-04-07 10:00", "quantity_done": 1.0, "quality_score": 80.0},
        nip="ani",
        opened_at="2026-04-06 08:00",
        due_at="2026-04-10 16:00",
        quantity_planned=1.0,
    )
    said = answers("dinas", [1] * 9, [1] * 9)
    rating = {"subject_kind": "employee", "subject_id": "ani", "period_kind": "month", "period": MONTH}
    ratings = given("performance_rating", rating, behaviour_rating="di_atas", predicate="sangat_baik")
    facts = {"task_outcome": done}
    alone, beside = (
        evaluation(kpi_table(POLICY, given_facts, staff("ani")), ratings, POLICY.evaluation)
        for given_facts in (facts, {**facts, "feedback_answer": answers_by_subject(said)})
    )
    assert alone.equals(beside)
    (person,) = beside.to_dicts()
    # On time 100/85, quantity 100, quality 100: (0.3 * 117.647 + 0.3 * 100 + 0.2 * 100) / 0.8
    assert (person["result_score"], person["coverage_share"]) == (106.62, pytest.approx(0.8))
    assert (person["recommended_predicate"], person["official_predicate"]) == ("baik", "sangat_baik")
    assert person["is_different"]
    (index,) = satisfaction_index(said, units(), POLICY, MONTH, LATER).to_dicts()
    assert (index["unit_id"], index["index_value"], index["class_code"]) == (person["unit_id"], 25.0, "D")


def test_p4_cleaning_crews_have_tonnes_and_the_residents_opinion() -> None:
    """Tonnes against the target, told by day and added up over days and months, and the residents' satisfaction once
    enough have answered. A month's own figure stands for its days."""
    tonnes = {MONTH: 198.0, "2026-05": 230.0, "2026-06": 242.0}
    facts = {
        month: {"indicator_measurement": measured("waste_collected", {"subject_id": "crew", "value": t}, period=month)}
        for month, t in tonnes.items()
    }
    april = figures(POLICY, facts[MONTH])["crew", "waste_collected"]
    assert (april["actual"], april["target"], april["achievement"]) == (198.0, 220.0, 90.0)
    quarter = figures(POLICY, facts, period="2026-Q2")["crew", "waste_collected"]
    assert (quarter["actual"], quarter["target"]) == (670.0, 660.0)
    daily = measured(
        "waste_collected",
        *({"subject_id": "crew", "period": f"{MONTH}-{day:02d}", "value": 9.5} for day in range(1, 23)),
        {"subject_id": "crew", "period": f"{MONTH}-23", "value": 0.0},
        {"subject_id": "told twice", "period": f"{MONTH}-01", "value": 9.5},
        {"subject_id": "told twice", "period": MONTH, "value": 176.0},
    )
    by_day = figures(POLICY, {"indicator_measurement": daily})
    # 22 days of 9.5 tonnes, and one on which the lorry stood.
    crew = by_day["crew", "waste_collected"]
    assert (crew["actual"], crew["achievement"], crew["evidence_count"]) == (209.0, 95.0, 23)
    assert by_day["told twice", "waste_collected"]["actual"] == 176.0
    # Four questions each: seven residents are 28 answers, eight are 32; 30 are needed.
    said = answers("crew", *[[3, 3, 4, 2]] * 8, survey="residents", elements="k")
    said = said.vstack(answers("other crew", *[[4] * 4] * 7, survey="residents", elements="k"))
    seen = figures(POLICY, {"feedback_answer": answers_by_subject(said)})
    assert seen["crew", "area_satisfaction"]["actual"] == 75.0
    assert seen["other crew", "area_satisfaction"]["reason"] == "below_minimum_evidence"


def test_p5_health_visits_grow_against_the_same_month_last_year() -> None:
    """Visits, and their growth against the same month last year; without that month it is not computable."""
    now, before = (
        measured("health_visits", *({"subject_id": unit, "value": v} for unit, v in visits.items()), period=month)
        for month, visits in ((MONTH, {"puskesmas": 1060.0, "new": 500.0}), ("2025-04", {"puskesmas": 1000.0}))
    )
    seen = figures(POLICY, {"indicator_measurement": now}, year_before={"indicator_measurement": before})
    assert (seen["puskesmas", "health_visits"]["actual"], seen["puskesmas", "health_visits"]["target"]) == (1060, 1000)
    growth = seen["puskesmas", "health_visit_growth"]
    assert (growth["actual"], growth["numerator"], growth["denominator"]) == (106.0, 1060.0, 1000.0)
    assert growth["achievement"] == pytest.approx(100 * 106 / 103)
    assert seen["new", "health_visit_growth"]["reason"] == "no_base_year"


def test_p6_the_best_of_every_unit_are_nominated() -> None:
    """One nomination per unit, all who are tied, and nobody for results as expected."""
    clean = months(*({"nip": nip, "unexcused_year_count": 0} for nip in ("ani", "budi", "citra", "dedi")))
    judged = results(("ani", MONTH, 114.0), ("budi", MONTH, 113.0)).vstack(
        results(("citra", MONTH, 111.0), ("dedi", MONTH, 111.0), ("eka", MONTH, 100.0), unit_id="rsud")
    )
    seen = advice(POLICY, "reward", evaluations=judged, attendance_month=clean)
    assert fates(seen) == dict.fromkeys(("ani", "citra", "dedi"), ("recommended", "best_of_unit"))
    assert seen["ani"]["evidence"] == "result 114.0, behaviour sesuai"
    assert {row["action_code"] for row in seen.values()} == {"reward"}


def test_p7_who_misunderstands_the_indicators_is_shown_by_their_mistakes() -> None:
    """Rejected rows per unit with their share and the most frequent reasons, and the rejected share per feed."""
    rejected = pl.DataFrame(
        {
            "unit_id": ["dinas", "dinas", "dinas", "rsud", None],
            "_delivery_id": ["d1"] * 5,
            "_source_row": [2, 3, 4, 5, 6],
            "_reasons": [["due_at__missing"], ["due_at__missing", "nip__pattern"], ["task_type__code"], ["a"], ["a"]],
        }
    )
    register = units({"unit_id": "dinas"}, {"unit_id": "rsud"})
    found = mistakes({"task_record": rejected}, staff("ani"), register)
    # Of the unit's own rows five are valid, and through its employee four more: 3 of 12.
    valid = {
        "task_record": pl.DataFrame(
            {"unit_id": ["dinas"] * 5 + ["rsud"] * 3, "nip": None}, {"unit_id": pl.String, "nip": pl.String}
        ),
        "leave_permit": pl.DataFrame({"nip": ["ani"] * 4}),
    }
    right = accepted({name: rows.lazy() for name, rows in valid.items()}, staff("ani"), register)
    seen = advice(POLICY, "mistakes", mistakes=found, accepted=right)
    assert {unit: row["evidence"] for unit, row in seen.items()} == {
        "dinas": "3 of 12 rows rejected (25.0 %): 2 due_at__missing in task_record, 1 nip__pattern in task_record, "
        "1 task_type__code in task_record"
    }
    shared = {"feed": "task_record", "delivery_id": "d1", "rule_id": "all", "severity_code": "error"}
    counts = {"landed_count": 20, "valid_count": 15, "rejected_count": 5, "superseded_count": 0}
    (quality,) = data_quality([pl.DataFrame([shared | counts], TALLY_SCHEMA)], CONTRACTS.incoming, MONTH).to_dicts()
    assert (quality["rejected_share"], quality["unit_id"]) == (0.25, "all")
