"""Two programs written from one page agree on every round one can think of, and neither tells a rater."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Mapping
from fractions import Fraction

import polars as pl
import pytest
from appraisal_oracle import behaviour_rating, behaviour_scores, numeric_score, role_means
from appraisal_world import AFTER, MONTH, Said, answers, rules_of, staff
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kinerja_pipeline.facts.appraisal import appraisal
from kinerja_pipeline.kpi.evaluation import evaluation
from kinerja_pipeline.policies.model import Evaluation

REGISTER = staff(
    ("kepala", "u", "pengawas", "bupati"),
    *((f"staf{n}", "u", "pelaksana", "kepala") for n in range(4)),
    ("camat", "v", "pengawas", "bupati"),
    *((f"lurah{n}", "v", "pelaksana", "camat") for n in range(3)),
)
PEOPLE = ("kepala", "staf0", "staf1", "staf2", "camat", "lurah0", "lurah1")
ASKED = {"kepala": 4, "camat": 3}
COMPETENCIES = ("a", "b", "c")
PUBLISHED = ("appraisal_role", "competency_profile", "rater_unit", "behaviour_score")
MARK = st.integers(1, 5).map(float)
Groups = dict[tuple[str, str], list[dict[str, float]]]


@st.composite
def rounds(draw: st.DrawFn) -> list[Said]:
    """Any number of raters per person and role, each answering some of the competencies."""
    said: list[Said] = []
    for nip in draw(st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=5, unique=True)):
        for role, most in (("superior", 1), ("peer", 5), ("subordinate", 5), ("self", 1)):
            for n in range(draw(st.integers(0, most))):
                some = draw(st.lists(st.sampled_from(COMPETENCIES), min_size=1, max_size=3, unique=True))
                all_ = draw(st.booleans())
                scores = {c: draw(MARK) for c in (COMPETENCIES if all_ else some)}
                said.append((nip, role, f"{nip}-{role}-{n}", scores))
    assume(said)
    return said


def published(said: list[Said], on_missing: str, **more: object) -> dict[str, pl.DataFrame]:
    rules = rules_of(COMPETENCIES, on_missing=on_missing)
    return appraisal(answers(*said), REGISTER, rules, MONTH, AFTER, **more)  # type: ignore[arg-type]


@settings(max_examples=50)
@given(rounds(), st.sampled_from(["pending", "renormalise"]))
def test_the_tables_say_what_plain_python_says(said: list[Said], on_missing: str) -> None:
    tables = published(said, on_missing)
    means = role_means(said, ASKED)
    for row in tables["appraisal_role"].iter_rows(named=True):
        mean = means.get((row["nip"], row["role_code"]))
        assert row["is_suppressed"] == (mean is None), row
        assert row["mean_score"] == (None if mean is None else pytest.approx(float(mean))), row
    expected = behaviour_scores(means, ASKED, renormalise=on_missing == "renormalise")
    seen = dict(tables["behaviour_score"].select("nip", "behaviour_score").rows())
    assert seen == {nip: None if s is None else pytest.approx(float(s)) for nip, s in expected.items()}


@settings(max_examples=30)
@given(rounds(), st.integers(0, 12_000))
def test_ratings_and_numeric_scores_say_what_plain_python_says(said: list[Said], hundredths: int) -> None:
    tables, means = published(said, "pending"), role_means(said, ASKED)
    scores = behaviour_scores(means, ASKED, renormalise=False)
    kpi = pl.DataFrame(
        [("employee", nip, "month", MONTH, "u", hundredths / 100, 1.0, "computed", "v") for nip in scores],
        schema=["subject_kind", "subject_id", "period_kind", "period", "unit_id", "score", "weight", "status_code",
                "policy_version"],
        orient="row",
    )  # fmt: skip
    ratings = pl.DataFrame(
        schema={
            **dict.fromkeys(("subject_kind", "subject_id", "period_kind", "period", "behaviour_rating"), pl.String),
            **dict.fromkeys(("predicate", "decision_code"), pl.String),
            "has_new_idea": pl.Boolean,
            **dict.fromkeys(("received_at", "objected_at", "decided_at"), pl.Datetime("us")),
        }
    )
    rows = evaluation(kpi, ratings, Evaluation(), tables["behaviour_score"])
    for row in rows.iter_rows(named=True):
        score = scores[row["nip"]]
        others = any(means.get((row["nip"], role)) is not None for role in ("peer", "subordinate"))
        if score is None:
            assert (row["behaviour_rating"], row["numeric_score"]) == (None, None)
            assert row["reason"] == "appraisal_pending"
            continue
        assert row["behaviour_rating"] == behaviour_rating(score)
        mixed = numeric_score(Fraction(hundredths, 100), score, others_counted=others)
        assert row["numeric_score"] == pytest.approx(float(mixed), abs=0.0051)


def suppressed_cells(said: list[Said]) -> set[tuple[str, str, str]]:
    """Person, role, competency of which nothing may be known, by the oracle's own counting."""
    means = role_means(said, ASKED)
    cells = {(nip, role, c) for nip, role, _, scores in said for c in scores}
    few = {
        cell
        for cell in cells
        if sum(cell == (nip, role, c) for nip, role, _, scores in said for c in scores)
        < (3 if cell[1] in ("peer", "subordinate") else 1)
    }
    return few | {cell for cell in cells if means[cell[0], cell[1]] is None}


@settings(max_examples=50)
@given(rounds(), st.sampled_from(["pending", "renormalise"]), st.data())
def test_nothing_published_depends_on_what_was_said_in_a_suppressed_cell(
    said: list[Said], on_missing: str, data: st.DataObject
) -> None:
    """Whoever solves equations in everything published, with whatever he knows beside it, finds the same either way."""
    hidden = suppressed_cells(said)
    assume(hidden)
    other = [
        (nip, role, response, {c: data.draw(MARK) if (nip, role, c) in hidden else s for c, s in scores.items()})
        for nip, role, response, scores in said
    ]
    one, two = published(said, on_missing), published(other, on_missing)
    for table in PUBLISHED:
        assert one[table].equals(two[table]), table


@settings(max_examples=30)
@given(rounds(), st.sampled_from(["pending", "renormalise"]))
def test_a_suppressed_role_cannot_be_solved_for(said: list[Said], on_missing: str) -> None:
    """The attack itself: the score and competencies less the roles that are told leave nothing of the one that is not.

    Of a person of whom one role is suppressed, what is published must be what the told roles alone would give.
    """
    tables, means = published(said, on_missing), role_means(said, ASKED)
    weights = {"superior": 0.5, "peer": 0.3, "subordinate": 0.2}
    told = tables["appraisal_role"].filter(~pl.col("is_suppressed") & (pl.col("role_code") != "self"))
    for nip, score in tables["behaviour_score"].drop_nulls("behaviour_score").select("nip", "behaviour_score").rows():
        own = weights if nip in ASKED else {"superior": 0.5, "peer": 0.5}
        rows = {r: m for n, r, m in told.select("nip", "role_code", "mean_score").rows() if n == nip and r in own}
        residue = score * sum(own[r] for r in rows) - sum(own[r] * 20 * m for r, m in rows.items())
        assert residue == pytest.approx(0, abs=1e-9)
        assert all(means.get((nip, r)) is not None for r in rows)


@settings(max_examples=30)
@given(rounds(), MARK, st.sampled_from(PEOPLE), st.sampled_from(["superior", "peer", "subordinate"]))
def test_two_published_states_never_differ_by_one_answer(said: list[Said], mark: float, nip: str, role: str) -> None:
    """A file that comes after the round was computed changes no published number, so there is no difference to take."""
    first = published(said, "renormalise", delivery_ids=["d1"])
    more: list[Said] = [*said, (nip, role, "one more", dict.fromkeys(COMPETENCIES, mark))]
    rules = rules_of(COMPETENCIES, on_missing="renormalise")
    later = dt.date(2026, 5, 1)
    second = appraisal(answers(*more), REGISTER, rules, MONTH, later, delivery_ids=["d1", "d2"], before=first)
    third = appraisal(answers(*said[1:]), REGISTER, rules, MONTH, later, before=second)
    for table, frame in first.items():
        assert second[table].equals(frame), table
        assert third[table].equals(frame), table


@settings(max_examples=30)
@given(rounds())
def test_whoever_is_told_stands_in_a_group(said: list[Said]) -> None:
    """Each published mean of an anonymous role is over three answers or more to every competency it contains."""
    tables = published(said, "renormalise")
    told = tables["appraisal_role"].filter(
        ~pl.col("is_suppressed") & pl.col("role_code").is_in(["peer", "subordinate"])
    )
    for nip, role in told.select("nip", "role_code").rows():
        counts = [sum(n == nip and r == role and c in s for n, r, _, s in said) for c in COMPETENCIES]
        assert max(counts) >= 3
    few = tables["rater_unit"].filter(~pl.col("is_suppressed"))
    unit_of: Mapping[str, str] = dict(REGISTER.select("nip", "unit_id").iter_rows())
    for unit in few["unit_id"]:
        people = {nip for nip, _ in told.select("nip", "role_code").rows() if unit_of[nip] == unit}
        assert len(people) >= 3


def test_the_order_of_answers_changes_nothing() -> None:
    said: list[Said] = [
        ("staf0", role, f"{role}-{n}", {"a": 1.0 + n, "b": 5.0 - n, "c": 0.1 * n + 1})
        for role, n in itertools.product(("superior", "peer", "self"), range(4))
    ]
    one, two = published(said, "pending"), published(said[::-1], "pending")
    assert all(one[table].equals(two[table]) for table in one)
