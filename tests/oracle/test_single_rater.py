"""Whoever solves for one rater's answer in everything that is published of a round, and knows who answered which
question, finds that it could have been any other.

Here: the attack as linear algebra, over all tables, changed weights and a later run at once.
Not here: suppressed cells, on which nothing depends (test_appraisal_oracle).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
import pytest
from appraisal_world import AFTER, MONTH, Said, answers, rules_of, staff

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.facts.appraisal import appraisal
from kinerja_pipeline.kpi.subjects import answers_by_subject

REGISTER = staff(
    ("kepala", "u", "pengawas", "bupati"),
    *((f"staf{n}", "u", "pelaksana", "kepala") for n in range(4)),
    ("camat", "v", "pengawas", "bupati"),
    *((f"lurah{n}", "v", "pelaksana", "camat") for n in range(4)),
)
NUMBERS = {
    "appraisal_role": ("mean_score",),
    "competency_profile": ("score", "unit_mean", "gap"),
    "rater_unit": ("leniency",),
    "behaviour_score": ("behaviour_score",),
}
"""What is published of a round and is a sum of answers; the spread is none."""
Answer = tuple[int, str]
Pattern = Callable[[int, int], Sequence[str]]


def round_of(pattern: Pattern) -> list[Said]:
    """Colleagues of three people of two units: three each, and a fourth of the first person; `pattern` says which
    competencies a rater answered."""
    people = [*(f"staf{n}" for n in range(3)), *(f"lurah{n}" for n in range(3))]
    return [
        (nip, "peer", f"{nip}-{rater}", {c: float(1 + (3 * at + 2 * rater + ord(c)) % 5) for c in pattern(at, rater)})
        for at, nip in enumerate(people)
        for rater in range(3 if at else 4)
        if pattern(at, rater)
    ] + [(nip, "superior", f"{nip}-s", {"a": 4.0, "b": 3.0}) for nip in people[:2]]


def published(said: list[Said]) -> np.ndarray:
    """Every number that the round ever leads to, restated by other weights too. With a role missing and nothing
    renormalised it would be fewer."""
    found: list[float] = []
    weights = {"superior": 0.7, "peer": 0.3, "subordinate": 0.0}
    for by_position in ({}, {"pelaksana": weights}):
        rules = rules_of(("a", "b"), on_missing="renormalise", by_position=by_position)
        tables = appraisal(answers(*said), REGISTER, rules, MONTH, AFTER)
        for table, columns in NUMBERS.items():
            found += [v for c in columns for v in tables[table][c].cast(pl.Float64).fill_null(0.0).fill_nan(0.0)]
    return np.array(found)


def told(said: list[Said]) -> set[tuple[str, str]]:
    """The anonymous answers that can be solved for: (response, competency)."""
    base = published(said)
    each = [(at, c) for at, (_, _, _, scores) in enumerate(said) for c in scores]
    columns = []
    for at, competency in each:
        nip, role, response, scores = said[at]
        other = [*said[:at], (nip, role, response, {**scores, competency: scores[competency] + 1.0}), *said[at + 1 :]]
        columns.append(published(other) - base)
    equations = np.column_stack(columns)
    # An answer is determined when no change that leaves every published number as it is changes this answer.
    _, sizes, directions = np.linalg.svd(equations, full_matrices=True)
    rank = int((sizes > 1e-9).sum())
    free = np.abs(directions[rank:]).max(axis=0) > 1e-6
    return {
        (said[at][2], c) for (at, c), is_free in zip(each, free, strict=True) if not is_free and said[at][1] == "peer"
    }


@pytest.mark.parametrize(
    "pattern",
    [
        lambda at, rater: "ab",
        # One of all raters left out a question: their mark weighs otherwise than those of the others.
        lambda at, rater: "a" if (at, rater) == (0, 3) else "ab",
        lambda at, rater: "ab"[rater % 2] if at == 0 else "ab",
    ],
)
def test_no_answer_of_a_colleague_can_be_solved_for(pattern: Pattern) -> None:
    assert told(round_of(pattern)) == set()


def test_the_attack_finds_what_two_published_states_would_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A round computed twice, before and after one more answer, tells that answer; it is computed once."""
    whole = [said for said in round_of(lambda at, rater: "ab") if said[0] == "staf0"]
    late = next(at for at, said in enumerate(whole) if said[2] == "staf0-3")
    own = published

    def both(said: list[Said]) -> np.ndarray:
        return np.concatenate([own(said), own(said[:late] + said[late + 1 :])])

    monkeypatch.setattr(f"{__name__}.published", both)
    assert told(whole) == {("staf0-3", "a"), ("staf0-3", "b")}


def test_a_run_after_more_answers_or_a_change_of_the_register_adds_no_equation() -> None:
    whole = round_of(lambda at, rater: "ab")
    rules = rules_of(("a", "b"), on_missing="renormalise")
    first = appraisal(answers(*whole[:-1]), REGISTER, rules, MONTH, AFTER)
    moved = REGISTER.with_columns(unit_id=pl.lit("elsewhere"))
    later = appraisal(answers(*whole), moved, rules, MONTH, dt.date(2026, 6, 1), before=first)
    assert all(later[table].equals(frame) for table, frame in first.items())
    for month in ("2026-02", "2026-04"):
        assert all(frame.is_empty() for frame in appraisal(answers(*whole), REGISTER, rules, month, AFTER).values())


def test_answers_of_a_round_reach_no_indicator_and_no_longer_period() -> None:
    """So no difference between periods, units or views contains them: the tables of a round have its month alone."""
    rows = answers(*round_of(lambda at, rater: "ab")).with_columns(
        observed_at=pl.lit(None, pl.Datetime("us")), shared_at=pl.lit(None, pl.Datetime("us"))
    )
    assert answers_by_subject(rows).is_empty()
    assert answers_by_subject(rows.with_columns(round_id=pl.lit(None, pl.String))).filter(role_code="peer").is_empty()


def test_nothing_published_says_who_answered_a_survey() -> None:
    """A unit with one answer in a period shows that answer (PermenPANRB 14/2017 has every unit's index published), as
    does the difference of two periods; whose it was is in no table, for nobody's name, key or moment is."""
    of_respondents = {f"feedback_response.{c}" for c in ("response_id", "submitted_at")} | {"task_record.requester_key"}
    for contract in load_contracts().outgoing.values():
        for column in contract.columns:
            if of_respondents & set(column.sources):
                assert column.kind != "timestamp", (contract.name, column.name)
                assert column.name in {
                    *("period", "respondent_count", "answer_count", "mean_score", "index_value_raw"),
                    *("ci_low", "ci_high", "flag_codes", "is_repeat"),
                } or contract.name not in ("satisfaction_index", "satisfaction_element"), (contract.name, column.name)
    assert {"response_id", "requester_key", "submitted_at"} & {
        name for contract in load_contracts().outgoing.values() for name in contract.names
    } == set()
