"""Mamuju's promises (methods), each with Mamuju's own policy in a world of a few rows."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from promise_world import (
    LATER,
    MONTH,
    POLICIES,
    advice,
    answers,
    days,
    fates,
    figures,
    given,
    kpi_table,
    marks,
    measured,
    months,
    published,
    results,
    rows_by,
    staff,
    tasks,
    units,
)

from kinerja_pipeline.facts.appraisal import appraisal
from kinerja_pipeline.facts.attendance import attendance_month
from kinerja_pipeline.facts.satisfaction import satisfaction_index
from kinerja_pipeline.facts.training import training_year
from kinerja_pipeline.kpi.allowance import allowance
from kinerja_pipeline.kpi.evaluation import evaluation
from kinerja_pipeline.kpi.indicators import MEASURE_SCHEMA
from kinerja_pipeline.kpi.subjects import answers_by_subject
from kinerja_pipeline.kpi.training_effect import training_effect

POLICY = POLICIES["mamuju"]
ROUND = "perilaku_2026_1"


def test_a1_results_public_and_peers_are_mixed_as_configured_and_no_rater_is_told() -> None:
    """Results and behaviour 60/40 where peers counted, behaviour half superior and half peers; two peers are too few:
    their mean is told nowhere and the score waits. The public judges the unit, not the person."""
    said = marks(
        ROUND,
        "2026-03-10 09:00",
        ("ani", "superior", [{"kompeten": 4.5}]),
        ("ani", "peer", [{"kompeten": 3}, {"kompeten": 4}, {"kompeten": 5}]),
        ("ani", "self", [{"kompeten": 5}]),
        ("budi", "superior", [{"kompeten": 4.5}]),
        ("budi", "peer", [{"kompeten": 1}, {"kompeten": 2}]),
    )
    register = staff("ani", "budi", "citra", "dedi", "eka", supervisor_nip="kepala").vstack(staff("kepala"))
    tables = appraisal(said, register, POLICY.appraisal, "2026-03", dt.date(2026, 3, 28))
    roles = rows_by(tables["appraisal_role"], "nip", "role_code")
    assert (roles["ani", "peer"]["rater_count"], roles["ani", "peer"]["mean_score"]) == (3, 4.0)
    assert (roles["budi", "peer"]["mean_score"], roles["budi", "peer"]["is_suppressed"]) == (None, True)
    # Superior 4.5 of 5 = 90, peers 80: 85; with a result of 100 it is 0.6 * 100 + 0.4 * 85.
    scores = [{"subject_id": nip, "score": 100.0} for nip in ("ani", "budi")]
    shared = {"subject_kind": "employee", "indicator_id": "x", "period_kind": "month", "period": "2026-03"}
    kpi = published("kpi", *scores, **shared, unit_id="dinas", weight=1.0, status_code="computed", policy_version="1")
    judged = rows_by(evaluation(kpi, given("performance_rating"), POLICY.evaluation, tables["behaviour_score"]), "nip")
    assert (judged["ani"]["behaviour_score"], judged["ani"]["numeric_score"]) == (85.0, 94.0)
    assert (judged["budi"]["behaviour_score"], judged["budi"]["reason"]) == (None, "appraisal_pending")
    (index,) = satisfaction_index(answers("dinas", [3] * 9), units(), POLICY, MONTH, LATER).to_dicts()
    assert (index["unit_id"], index["index_value"]) == ("dinas", 75.0)


def test_a2_month_quarter_semester_and_year_come_from_the_same_facts() -> None:
    """Longer periods add up numerators and denominators: never a mean of the months' percentages."""
    course = {"2026-01": (1, 0), "2026-02": (0, 3), MONTH: (1, 0)}
    facts = {
        month: {
            "task_outcome": tasks(
                POLICY,
                *({"task_id": f"{month}-{n}", "completed_at": f"{month}-08 10:00"} for n in range(good)),
                *({"task_id": f"{month}-{n}", "status_code": "open"} for n in range(good, good + bad)),
                month=month,
                nip="ani",
                opened_at=f"{month}-06 08:00",
                due_at=f"{month}-12 16:00",
            )
        }
        for month, (good, bad) in course.items()
    }
    quarter = {month: facts[month] for month in list(facts)[:2]}
    seen = {
        "2026-02": figures(POLICY, facts["2026-02"], staff("ani"), period="2026-02"),
        "2026-Q1": figures(POLICY, quarter, staff("ani"), period="2026-Q1"),
        "2026-S1": figures(POLICY, facts, staff("ani"), period="2026-S1"),
        "2026": figures(POLICY, facts, staff("ani"), period="2026"),
    }
    rows = {period: found["ani", "task_on_time"] for period, found in seen.items()}
    assert {p: (r["numerator"], r["denominator"], r["actual"]) for p, r in rows.items()} == {
        "2026-02": (0.0, 3.0, 0.0),
        "2026-Q1": (1.0, 4.0, 25.0),
        "2026-S1": (2.0, 5.0, 40.0),
        "2026": (2.0, 5.0, 40.0),
    }
    assert {r["period_kind"] for r in rows.values()} == {"month", "quarter", "semester", "year"}


def test_a3_teachers_are_observed_and_told_soon() -> None:
    """Score of observed lessons, their number, and the days until the teacher was told."""
    parts = ("persiapan", "penyampaian", "pengelolaan_kelas", "penilaian")
    sheets = {"1": ((3, 3, 4, 2), "2026-04-08 20:00"), "2": ((4, 4, 4, 4), None)}
    rows = [
        {"response_id": sheet, "element_code": part, "score": float(score), "shared_at": shared}
        for sheet, (scores, shared) in sheets.items()
        for part, score in zip(parts, scores, strict=True)
    ]
    seen_at = {"subject_kind": "employee", "subject_id": "guru", "role_code": "superior", "scale_max": 4}
    sheet = given("feedback_response", *rows, **seen_at, survey_code="observation", observed_at="2026-04-07 08:00")
    other = given("feedback_response", {"response_id": "3", "element_code": "u1", "score": 1.0}, **seen_at)
    fact = answers_by_subject(sheet.vstack(other.with_columns(survey_code=pl.lit("skm"))))
    seen = figures(POLICY, {"feedback_answer": fact}, staff("guru", "unseen"))
    # 12 + 16 of 2 * 16; the second sheet's feedback has not been shared.
    assert seen["guru", "observation_score"]["actual"] == 87.5
    assert seen["guru", "observation_count"]["actual"] == 2.0
    assert seen["guru", "observation_feedback_days"]["actual"] == 1.5
    assert seen["unseen", "observation_score"]["reason"] == "no_evidence"


def test_a4_hours_of_training_stand_against_twenty_a_year() -> None:
    """Hours of the year so far against 20 for every employee, and the unit's; a study visit is no training."""
    held = given(
        "training_record",
        {"programme_id": "DIK-DIGITAL", "completed_date": "2026-01-20", "hours": 8.0},
        {"programme_id": "DIK-MUTU", "completed_date": "2026-04-10", "hours": 6.0},
        {"programme_id": "DIK-BANDING", "completed_date": "2026-04-11", "hours": 12.0, "is_training": False},
        {"programme_id": "DIK-MUTU", "completed_date": "2026-05-10", "hours": 5.0},
        nip="ani",
    )
    everybody = staff("ani", "budi")
    year = training_year(held, everybody, POLICY, MONTH, ["2026-01", "2026-02", "2026-03", MONTH])
    people = rows_by(year, "nip")
    assert {n: (r["hours"], r["expected_hours"], r["hours_share"]) for n, r in people.items()} == {
        "ani": (14.0, 20.0, pytest.approx(0.7)),
        "budi": (0.0, 20.0, 0.0),
    }
    seen = figures(POLICY, {"training_year": year}, everybody)
    # April: 6 hours of the 2 * 20 / 12 that two people are expected to have in a month.
    assert seen["dinas", "training_hours"]["actual"] == 180.0


def test_a4_the_indicator_concerned_is_told_before_and_after_a_workshop() -> None:
    """An IT workshop is about tasks done on time: over the two months before and the two after, of the people who have
    both, the share of all their tasks. Two people are too few to tell of a programme, and a competency for which the
    policy names no indicator is not compared."""
    took = given(
        "training_record",
        *({"nip": nip, "programme_id": "DIK-DIGITAL", "competency_code": "adaptif"} for nip in ("ani", "budi", "eka")),
        {"nip": "new", "programme_id": "DIK-DIGITAL", "competency_code": "adaptif"},
        *({"nip": nip, "programme_id": "DIK-MUTU", "competency_code": "akuntabel"} for nip in ("ani", "budi")),
        {"nip": "ani", "programme_id": "DIK-HARMONI", "competency_code": "harmonis"},
        {"nip": "ani", "programme_id": "DIK-BANDING", "competency_code": "adaptif", "is_training": False},
        completed_date="2026-04-10",
        hours=6.0,
    )
    # Tasks on time of those due: February and March, May and June; April is neither before nor after.
    done = {
        "ani": ((1, 2), (1, 2), (0, 9), (3, 4), (4, 4)),
        "budi": ((5, 10), (4, 10), (0, 9), (6, 10), (5, 10)),
        "eka": ((2, 4), (2, 4), (0, 9), (2, 4), (2, 4)),
        "new": ((0, 0), (0, 1), (0, 9), (9, 9), (9, 9)),
    }
    rows = [
        ("employee", nip, "task_on_time", month, on_time * 10_000, due * 10_000, due)
        for nip, course in done.items()
        for month, (on_time, due) in zip(("2026-02", "2026-03", MONTH, "2026-05", "2026-06"), course, strict=True)
        if due
    ]
    measures = pl.DataFrame(rows, schema=MEASURE_SCHEMA, orient="row")
    table = training_effect(took, given("training_plan"), measures, POLICY, "2026-06", "1")
    seen = rows_by(table, "programme_id", "subject_id")
    workshop = seen["DIK-DIGITAL", "DIK-DIGITAL"]
    # 2 of 4, 9 of 20 and 4 of 8: 15 of 32; then 7 of 8, 11 of 20 and 4 of 8: 22 of 36.
    assert (workshop["indicator_id"], workshop["completed_period"]) == ("task_on_time", MONTH)
    assert (workshop["participant_count"], workshop["person_count"]) == (4, 3)
    assert (workshop["before_count"], workshop["after_count"]) == (32, 36)
    assert workshop["before_value"] == pytest.approx(100 * 15 / 32)
    assert workshop["after_value"] == pytest.approx(100 * 22 / 36)
    assert workshop["change_value"] == pytest.approx(100 * (22 / 36 - 15 / 32))
    ani = seen["DIK-DIGITAL", "ani"]
    assert (ani["before_value"], ani["after_value"], ani["change_value"]) == (50.0, 87.5, 37.5)
    reasons = {key: row["reason"] for key, row in seen.items() if row["reason"]}
    assert reasons == {
        ("DIK-DIGITAL", "new"): "too_little_evidence_before",
        ("DIK-MUTU", "DIK-MUTU"): "too_few_people",
        ("DIK-HARMONI", "DIK-HARMONI"): "competency_not_mapped",
        ("DIK-HARMONI", "ani"): "competency_not_mapped",
    }
    silent = seen["DIK-MUTU", "DIK-MUTU"]
    assert [silent[name] for name in ("before_value", "after_value", "change_value")] == [None] * 3


def test_a5_projects_done_well_awards_and_what_attendance_costs_of_the_allowance() -> None:
    """Projects done on time, reward nominations, and what attendance costs as a share with its lines, never rupiah."""
    done = tasks(
        POLICY,
        {"task_id": "1", "completed_at": "2026-04-08 10:00"},
        {"task_id": "2", "completed_at": "2026-04-29 10:00"},
        {"task_id": "routine", "task_type": "routine", "status_code": "open"},
        task_type="project",
        opened_at="2026-04-06 08:00",
        due_at="2026-04-10 16:00",
    )
    assert figures(POLICY, {"task_outcome": done})["dinas", "project_on_time"]["actual"] == 50.0
    clean = months(*({"nip": nip, "unexcused_year_count": 0} for nip in ("ani", "budi")))
    judged = results(("ani", MONTH, 112.0), ("budi", MONTH, 108.0))
    named = advice(POLICY, "reward", evaluations=judged, attendance_month=clean)
    assert fates(named) == {"ani": ("recommended", "best_of_unit")}
    # 40 minutes late; no out-tap; absent, for Budi came and the scanner worked.
    taps = [("ani", "2026-04-06 08:10"), ("ani", "2026-04-06 16:00"), ("ani", "2026-04-07 07:30")]
    taps += [("budi", f"2026-04-0{day} {at}") for day in (6, 7, 8) for at in ("07:25", "16:05")]
    worked = days(POLICY, taps, "ani", "budi")
    own = rows_by(worked.filter(worked["nip"] == "ani"), "work_date")
    assert [own[dt.date(2026, 4, day)]["deduction_rule"] for day in (6, 7, 8)] == [
        "TL2 31-60 min 1.00 %, rules of 2025-01",
        "missing out-tap 1.50 %, rules of 2025-01",
        "absent 3.00 %, rules of 2025-01",
    ]
    month = rows_by(attendance_month(worked, POLICY, MONTH), "nip")
    assert (month["ani"]["deduction_share"], month["ani"]["deduction_base_code"]) == (0.055, "attendance_part")
    assert month["budi"]["deduction_share"] == 0.0


def test_a5_the_allowance_is_composed_of_discipline_and_productivity() -> None:
    """40 percent of the allowance hang on attendance, 60 on the official predicate; a deduction of the attendance part
    costs two fifths of itself of the whole. Without a predicate nothing is computed, and nothing is rupiah."""
    work = months(
        {"nip": "ani", "deduction_share": 0.055},
        {"nip": "budi", "deduction_share": 0.0},
        {"nip": "unrated", "deduction_share": 0.0},
        period=MONTH,
        unit_id="dinas",
        workday_count=20,
        not_recorded_count=0,
        deduction_base_code="attendance_part",
    )
    rated = {"ani": "baik", "budi": "butuh_perbaikan", "unrated": None}
    judged = published(
        "evaluation",
        *({"nip": nip, "official_predicate": predicate} for nip, predicate in rated.items()),
        period=MONTH,
        period_kind="month",
        recommended_predicate="sangat_baik",
    )
    seen = rows_by(allowance(work, judged, POLICY, MONTH, "1"), "nip")
    # 0.4 * 0.055 = 0.022 of the whole; taken as a share of the whole it would be 0.055.
    ani = seen["ani"]
    assert (ani["discipline_weight"], ani["productivity_weight"]) == (0.4, 0.6)
    assert ani["deduction_of_allowance_share"] == pytest.approx(0.022)
    assert [ani[f"{part}_share"] for part in ("discipline", "productivity")] == [pytest.approx(0.945), 1.0]
    assert ani["allowance_share"] == pytest.approx(0.978)
    assert ani["explanation"] == (
        "40.00 % discipline - 2.20 % (5.50 % of the attendance part) + 60.00 % productivity x 100.00 % (predicate baik)"
    )
    # 0.4 + 0.6 * 0.85
    assert seen["budi"]["allowance_share"] == pytest.approx(0.91)
    waiting = seen["unrated"]
    assert (waiting["status_code"], waiting["reason"]) == ("not_computable", "official_predicate_missing")
    assert (waiting["productivity_share"], waiting["allowance_share"]) == (None, None)


def test_a6_complaints_are_answered_quickly_and_repeats_are_seen() -> None:
    """First response, resolution time in working hours, the share within the service level, and repeated complaints."""
    done = tasks(
        POLICY,
        {"task_id": "1", "first_response_at": "2026-04-06 10:00", "completed_at": "2026-04-06 11:00"},
        {
            "task_id": "2",
            "requester_key": "lain",
            "first_response_at": "2026-04-06 14:00",
            "completed_at": "2026-04-07 10:30",
        },
        {"task_id": "3", "opened_at": "2026-04-20 08:00", "due_at": "2026-04-21 16:00", "status_code": "open"},
        {
            "task_id": "request",
            "task_type": "service_request",
            "first_response_at": "2026-04-06 08:30",
            "completed_at": "2026-04-06 08:30",
        },
        {"task_id": "cancelled", "status_code": "cancelled", "requester_key": "other"},
        task_type="complaint",
        opened_at="2026-04-06 08:00",
        due_at="2026-04-06 16:00",
        service_code="air",
        requester_key="warga",
    )
    rows = {row: done.filter(done["task_id"] == row) for row in ("1", "3")}
    assert (rows["1"]["is_repeat"].item(), rows["3"]["is_repeat"].item()) == (False, True)
    seen = {name: figures(POLICY, {"task_outcome": done})["dinas", name] for name in POLICY.promises["A6"].indicators}
    assert {name: row["actual"] for name, row in seen.items()} == {
        "first_response": 4.0,  # 2 and 6 calendar hours; the third waits
        "complaint_hours": 6.5,  # the median of 3 working hours and 7 + 3 of two days
        "complaint_resolved_in_time": pytest.approx(100 / 3),
        "repeated_complaints": pytest.approx(100 / 3),  # the same person about the same service a fortnight later
    }


def test_a7_access_to_a_puskesmas_is_visits_per_member_of_staff() -> None:
    """Visits per member of staff of each puskesmas, and of the region from the sums."""
    reports = measured(
        "visits_per_staff",
        {"subject_id": "binanga", "numerator": 1300.0, "denominator": 20.0},
        {"subject_id": "rangas", "numerator": 400.0, "denominator": 10.0},
    )
    table = kpi_table(POLICY, {"indicator_measurement": reports})
    seen = rows_by(table.filter(table["indicator_id"] == "visits_per_staff"), "subject_id")
    assert {unit: row["actual"] for unit, row in seen.items()} == {
        "binanga": 65.0,
        "rangas": 40.0,
        "mamuju": pytest.approx(1700 / 30),
    }
    assert seen["rangas"]["achievement"] == pytest.approx(100 * 40 / 60)
