"""Answers and measurements name their employee or their unit; what colleagues said in a round is not among them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from kinerja_pipeline.kpi.subjects import answers_by_subject, measurements_by_subject

SUBJECTS = {"subject_kind": ["employee", "unit", "region"], "subject_id": ["ani", "dinkes", "salor"]}
ANSWER = {
    **dict.fromkeys(("response_id", "element_code", "round_id", "role_code", "subject_kind", "subject_id"), pl.String),
    **dict.fromkeys(("observed_at", "shared_at"), pl.Datetime("us")),
}


def answers(*rows: dict[str, Any]) -> pl.DataFrame:
    base = {"response_id": "r1", "element_code": "u1", "role_code": "superior", "subject_kind": "employee"}
    return pl.DataFrame([{**dict.fromkeys(ANSWER), **base, "subject_id": "ani", **row} for row in rows], schema=ANSWER)


def test_a_row_names_the_subject_it_is_about_and_no_other() -> None:
    rows = [dict(zip(SUBJECTS, pair, strict=True)) for pair in zip(*SUBJECTS.values(), strict=True)]
    named = [("ani", None), (None, "dinkes"), (None, None)]
    assert answers_by_subject(answers(*rows)).select("nip", "unit_id").rows() == named
    measured = pl.DataFrame(SUBJECTS).with_columns(indicator_id=pl.lit("visits"), period=pl.lit("2026-03"))
    assert measurements_by_subject(measured).select("nip", "unit_id").rows() == named


def test_what_is_said_to_an_employee_counts_in_the_unit_they_are_in() -> None:
    people = pl.DataFrame({"nip": ["ani"], "unit_id": ["dinkes"]})
    given = answers({}, {"subject_id": "gone"}, {"subject_kind": "unit", "subject_id": "rsud"})
    named = answers_by_subject(given, people).select("nip", "unit_id").rows()
    assert named == [("ani", "dinkes"), ("gone", None), (None, "rsud")]


def test_answers_of_a_round_never_become_an_indicator() -> None:
    given = answers(
        {"response_id": "kept"},
        {"response_id": "of a round", "round_id": "perilaku_2026_1"},
        *({"response_id": role, "role_code": role} for role in ("peer", "subordinate", "self")),
        {"response_id": "of the public", "role_code": "public"},
    )
    assert answers_by_subject(given)["response_id"].to_list() == ["kept", "of the public"]


def test_one_row_of_each_response_counts_the_response() -> None:
    given = answers({"element_code": "b"}, {"element_code": "a"}, {"response_id": "r2", "element_code": "b"})
    assert answers_by_subject(given)["is_response"].to_list() == [False, True, True]


def test_the_days_to_feedback_are_those_between_observing_and_sharing() -> None:
    seen = dt.datetime.fromisoformat("2026-03-02 08:00")
    given = answers(
        {"observed_at": seen, "shared_at": dt.datetime.fromisoformat("2026-03-03 20:00")}, {"observed_at": seen}
    )
    assert answers_by_subject(given)["feedback_days"].to_list() == [1.5, None]
