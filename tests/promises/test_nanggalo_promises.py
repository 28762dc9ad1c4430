"""Nanggalo's promises (evaluation), each with Nanggalo's own policy in a world of a few rows."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from promise_world import (
    MONTH,
    POLICIES,
    advice,
    all_advice,
    answers,
    days,
    figures,
    given,
    kpi_table,
    marks,
    months,
    rows_by,
    staff,
    tasks,
)

from kinerja_pipeline.facts.appraisal import appraisal
from kinerja_pipeline.facts.training import training_programme, training_year
from kinerja_pipeline.kpi.evaluation import evaluation
from kinerja_pipeline.kpi.follow_up import training_needs
from kinerja_pipeline.kpi.subjects import answers_by_subject

POLICY = POLICIES["nanggalo"]
ROUND, HELD = "penilaian_2026_1", "2026-06"


def round_of(register: pl.DataFrame, said: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return appraisal(said, register, POLICY.appraisal, HELD, dt.date(2026, 7, 1))


def test_n1_satisfaction_tasks_on_time_and_participation_are_the_indicators() -> None:
    """The three per unit, and tasks on time and participation per employee too. These alone weigh: what all regions
    compute stands beside them, and changes no result."""
    everybody = staff("ani", "budi")
    done = tasks(
        POLICY,
        {"task_id": "1", "nip": "ani", "completed_at": "2026-04-07 10:00"},
        {"task_id": "2", "nip": "budi", "status_code": "open"},
        {"task_id": "3", "nip": "budi", "completed_at": "2026-04-07 10:00"},
        {"task_id": "4", "nip": "ani", "task_type": "routine", "status_code": "open"},
        opened_at="2026-04-06 08:00",
        due_at="2026-04-10 16:00",
        quality_score=100.0,
    )
    held = given(
        "training_record",
        {"nip": "ani", "programme_id": "DIK-MUTU", "completed_date": "2026-02-10", "hours": 12.0},
        {
            "nip": "budi",
            "programme_id": "DIK-BANDING",
            "completed_date": "2026-02-10",
            "hours": 12.0,
            "is_training": False,
        },
    )
    facts = {
        "feedback_answer": answers_by_subject(answers("dinas", [3] * 9, [4] * 9)),
        "task_outcome": done,
        "training_year": training_year(held, everybody, POLICY, MONTH, [f"2026-0{n}" for n in range(1, 5)]),
    }
    table = kpi_table(POLICY, facts, everybody)
    seen = rows_by(table)
    names = POLICY.promises["N1"].indicators
    assert names == ["satisfaction", "task_on_time", "training_participation"]
    assert [seen["dinas", name]["actual"] for name in names] == [87.5, 50.0, 50.0]
    assert [seen["ani", name]["actual"] for name in names[1:]] == [50.0, 100.0]
    assert [seen["budi", name]["actual"] for name in names[1:]] == [50.0, 0.0]
    assert ("ani", "satisfaction") not in seen
    weighing = {subject: {n for (s, n), row in seen.items() if s == subject and row["weight"]} for subject, _ in seen}
    assert (weighing["dinas"], weighing["ani"]) == (set(names), set(names[1:]))
    result = rows_by(evaluation(table, given("performance_rating"), POLICY.evaluation), "nip")
    # Against 85 and 80: Ani 50 / 0.85 and 125, capped at 120, so 0.8 * 58.8235 + 0.2 * 120; Budi 0.8 * 58.8235. That
    # what Ani did was done well moves nothing.
    assert {nip: (row["result_score"], row["coverage_share"]) for nip, row in result.items()} == {
        "ani": (71.06, 1.0),
        "budi": (47.06, 1.0),
    }
    assert (seen["ani", "task_quality"]["score"], seen["ani", "task_quality"]["weight"]) == (120.0, 0.0)
    # That Budi has been to no programme is no weakness that a programme covers; his time is.
    assert {r["reason"] for r in advice(POLICY, "training", kpi=table).values()} == {"weak_time"}


def test_n2_superior_and_peers_judge_and_raters_are_watched_by_unit() -> None:
    """How many of the raters asked have answered, and how lenient and how far apart a unit's raters are against the
    region; of a unit with one person judged it is not told. A missing role renormalises here."""

    def alike(nip: str, peers: int, superior: int) -> list[tuple[str, str, list[dict[str, int]]]]:
        return [(nip, "superior", [{"communication": superior}]), (nip, "peer", [{"communication": peers}] * 3)]

    register = staff("ani", "budi", "citra", "dedi", unit="kurao", supervisor_nip="kepala")
    register = register.vstack(staff("kepala", unit="kurao", position_level="pengawas"))
    register = register.vstack(staff("eka", "fajar", "gani", "hadi", unit="lapai", supervisor_nip="camat"))
    judged = [*alike("ani", 4, 4), *alike("budi", 3, 4), *alike("citra", 5, 4), *alike("eka", 2, 2)]
    alone = ("dedi", "superior", [{"communication": 3}])
    tables = round_of(register, marks(ROUND, "2026-06-10 09:00", *judged))
    raters = rows_by(tables["rater_unit"], "unit_id")
    # Kurao: 12 answered of 4 superiors and 3 peers each for four people, and 4 subordinates of the head.
    assert (raters["kurao"]["rater_count"], raters["kurao"]["expected_count"]) == (12, 20)
    # Its marks are 80 on average, the region's (12 * 80 + 4 * 40) / 16 = 70; six of twelve lie 20 off: 2400 / 11.
    assert raters["kurao"]["leniency"] == pytest.approx(10.0)
    assert raters["kurao"]["spread"] == pytest.approx((2400 / 11) ** 0.5)
    assert (raters["lapai"]["leniency"], raters["lapai"]["is_suppressed"]) == (None, True)
    behaviour = rows_by(tables["behaviour_score"], "nip")
    assert (behaviour["budi"]["behaviour_score"], behaviour["budi"]["has_opinion"]) == (70.0, True)
    single = round_of(register, marks(ROUND, "2026-06-10 09:00", alone))["behaviour_score"].row(0, named=True)
    assert (single["behaviour_score"], single["has_opinion"], single["is_pending"]) == (60.0, False, False)


def test_n3_strong_in_communication_and_weak_in_time_leads_to_a_training() -> None:
    """Strengths and weaknesses against the unit's mean, lateness beside them, and the programme for the weakest
    competency."""
    said = []
    for nip, talk, time in (("ani", 5, 2), ("budi", 4, 4), ("citra", 4, 4)):
        mark = {"communication": talk, "time_management": time}
        said += [(nip, "superior", [mark]), (nip, "peer", [mark] * 3)]
    register = staff("ani", "budi", "citra", "dedi", unit="kurao")
    profile = round_of(register, marks(ROUND, "2026-06-10 09:00", *said))["competency_profile"]
    ani = rows_by(profile.filter(pl.col("nip") == "ani"), "competency_code")
    # 100 beside a mean of 86.67, and 40 beside 66.67.
    talk, time = ani["communication"], ani["time_management"]
    assert (talk["score"], talk["gap"], talk["is_strength"]) == (100.0, pytest.approx(40 / 3), True)
    assert (time["score"], time["gap"], time["is_weakness"]) == (40.0, pytest.approx(-80 / 3), True)
    assert ani["teamwork"]["is_suppressed"]
    late = days(POLICY, [("ani", "2026-06-08 08:00"), ("ani", "2026-06-08 16:05")], "ani", month=HELD)
    seen = figures(POLICY, {"attendance_day": late}, staff("ani"), period=HELD)
    assert seen["ani", "punctuality"]["actual"] == 0.0
    scores = profile.drop_nulls("score").select("nip", "competency_code", "score")
    trained = advice(POLICY, "training", month=HELD, competencies=scores)
    assert {n: (r["reason"], r["programme_id"]) for n, r in trained.items()} == {
        "ani": ("weak_time_management", "DIK-WAKTU")
    }
    competencies = POLICY.appraisal.competencies_of(POLICY.appraisal.rounds[ROUND])
    assert set(competencies) <= set(POLICY.follow_up["training"].programmes)  # type: ignore[union-attr]


def test_n4_a_units_trend_and_its_adoption_are_seen() -> None:
    """A unit's results month by month from the same facts, and whether its attendance is recorded at all."""
    course = {"2026-02": (1, 3), "2026-03": (2, 2), MONTH: (3, 1)}
    facts = {
        month: {
            "task_outcome": tasks(
                POLICY,
                *({"task_id": f"{n}", "completed_at": f"{month}-11 10:00"} for n in range(good)),
                *({"task_id": f"{n}", "status_code": "open"} for n in range(good, good + bad)),
                month=month,
                opened_at=f"{month}-09 08:00",
                due_at=f"{month}-12 16:00",
            )
        }
        for month, (good, bad) in course.items()
    }
    trend = [figures(POLICY, own, period=month)["dinas", "task_on_time"]["actual"] for month, own in facts.items()]
    assert trend == [25.0, 50.0, 75.0]
    days_of = [
        {"nip": "ani", "unit_id": "reluctant", "workday_count": 16, "not_recorded_count": 4},
        {"nip": "budi", "unit_id": "adopted", "workday_count": 19, "not_recorded_count": 1},
    ]
    seen = advice(POLICY, "completeness", attendance_month=months(*days_of))
    assert {unit: row["evidence"] for unit, row in seen.items()} == {"reluctant": "4 of 20 person-days not recorded"}


def test_n5_what_training_was_planned_held_paid_and_still_needed() -> None:
    """Planned against realised hours and places, the cost of an hour, the provider, and for how many a recommended
    programme has not been held."""
    plan = {"programme_id": "DIK-WAKTU", "year": 2026, "planned_hours": 8.0, "places": 10, "cost": 4_500_000.0}
    held = given(
        "training_record",
        {"nip": "budi", "cost": 400_000.0},
        {"nip": "citra", "cost": 600_000.0},
        # Nobody recorded what this place cost: it was not free.
        {"nip": "dedi"},
        programme_id="DIK-WAKTU",
        completed_date="2026-05-12",
        hours=8.0,
    )
    weak = pl.DataFrame(
        {"nip": ["ani", "budi"], "competency_code": ["time_management"] * 2, "score": [40.0, 45.0]},
    )
    needs = training_needs(all_advice(POLICY, month=HELD, competencies=weak))
    (row,) = training_programme(given("training_plan", plan, provider="BPSDM"), held, needs).to_dicts()
    assert (row["planned_hours"], row["realised_hours"]) == (80.0, 24.0)
    assert (row["planned_places"], row["realised_places"], row["provider"]) == (10, 3, "BPSDM")
    assert (row["planned_cost"], row["realised_cost"]) == (4_500_000.0, 1_000_000.0)
    assert row["cost_per_hour"] == 62_500.0
    # Ani still needs it; Budi has been.
    assert row["unmet_count"] == 1
