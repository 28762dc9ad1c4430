"""The tables of public satisfaction agree with the slow oracle, value by value, on random small surveys."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import polars as pl
import pytest
import satisfaction_oracle as oracle
from facts_world import day, frame, label, local, make_policy
from hypothesis import given, settings
from hypothesis import strategies as st

from kinerja_pipeline.facts.satisfaction import satisfaction_element, satisfaction_index
from kinerja_pipeline.policies.model import Policy

PLAIN = make_policy()
START = local("2026-03-31 23:58")
UNITS = ("A", "B")
LATER = dt.date(2026, 6, 1)
World = dict[str, tuple[list[oracle.Response], int | None]]
"""unit -> the responses about it, the population it serves"""


@st.composite
def questionnaires(draw: st.DrawFn) -> oracle.Questionnaire:
    """SKM with its printed weights, and surveys of other lengths and scales."""
    count = draw(st.sampled_from([9, 9, 1, 3, 4]))
    weights = [Fraction(1, count), Fraction(1, count), Fraction(f"{1 / count - 0.0005:.3f}")]
    weight = draw(st.sampled_from([*weights, Fraction("0.111"), Fraction("0.11")]))
    elements = draw(st.permutations([f"u{n}" for n in range(1, count + 1)]))
    return oracle.Questionnaire(elements, draw(st.sampled_from([4, 4, 5, 10])), min(weight, Fraction(1, count)))


@st.composite
def worlds(draw: st.DrawFn) -> tuple[oracle.Questionnaire, World]:
    """Responses minutes, seconds or nothing apart, some along a line, some with gaps, a few on a stray scale."""
    asked, world = draw(questionnaires()), {}
    for unit in UNITS:
        responses, at = [], START
        gaps = draw(st.sampled_from([[15], [14, 15, 16], [0, 16, 60, 3600, 86400], [0, 3600]]))
        for _ in range(draw(st.integers(0, 8))):
            at += dt.timedelta(seconds=draw(st.sampled_from(gaps)))
            scale = asked.scale if draw(st.integers(0, 9)) else asked.scale + 1
            score = st.integers(1, scale)
            kind, same = draw(st.sampled_from(["line", "line", "free", "free", "gaps"])), draw(score)
            scores = {
                e: same if kind == "line" else draw(score)
                for e in asked.elements
                if kind != "gaps" or draw(st.booleans())
            }
            if scores:
                responses.append(oracle.Response(at, scores, scale))
        world[unit] = (responses, draw(st.none() | st.integers(0, 12) | st.integers(0, 2_000_000)))
    return asked, world


def policy_of(asked: oracle.Questionnaire) -> Policy:
    weight = None if asked.weight == Fraction(1, len(asked.elements)) else float(asked.weight)
    changed = {"elements": {e: label(e) for e in asked.elements}, "scale_max": asked.scale, "element_weight": weight}
    return PLAIN.model_copy(update={"surveys": {"skm": PLAIN.surveys["skm"].model_copy(update=changed)}})


def frames(world: World) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = [
        (f"{unit}-{n}", element, "skm", response.at, "unit", unit, "public", float(score), response.scale)
        for unit, (responses, _) in world.items()
        for n, response in enumerate(responses)
        for element, score in response.scores.items()
    ]
    answers = frame(
        rows[::-1],
        response_id=pl.String,
        element_code=pl.String,
        survey_code=pl.String,
        submitted_at=pl.Datetime("us"),
        subject_kind=pl.String,
        subject_id=pl.String,
        role_code=pl.String,
        score=pl.Float64,
        scale_max=pl.Int64,
    )
    units = frame(
        [(unit, day("2020-01-01"), None, served) for unit, (_, served) in world.items()],
        unit_id=pl.String,
        valid_from=pl.Date,
        valid_to=pl.Date,
        population_served=pl.Int64,
    )
    return answers, units


def of_period(responses: list[oracle.Response], period: str) -> list[oracle.Response]:
    first, last = {"2026-04": ("2026-04-01", "2026-05-01"), "2026-Q1": ("2026-01-01", "2026-04-01")}[period]
    return [r for r in responses if local(first) <= r.at < local(last)]


def near(value: Fraction | float | None) -> Any:
    return None if value is None else pytest.approx(float(value), rel=1e-12, abs=1e-12)


@settings(max_examples=40)
@given(worlds(), st.sampled_from(["2026-04", "2026-04", "2026-Q1"]))
def test_index_class_sample_interval_and_flags_are_those_of_the_oracle(
    drawn: tuple[oracle.Questionnaire, World], period: str
) -> None:
    asked, world = drawn
    answers, units = frames(world)
    seen = satisfaction_index(answers, units, policy_of(asked), period, LATER)
    held = {unit: (own, served) for unit, (all_, served) in world.items() if (own := of_period(all_, period))}
    assert seen["unit_id"].to_list() == sorted(held)
    for row in seen.iter_rows(named=True):
        responses, served = held[row["unit_id"]]
        index, margin = oracle.index(responses, asked), oracle.margin(responses, asked)
        has_interval = index is not None and margin is not None
        assert row == {
            "unit_id": row["unit_id"],
            "survey_code": "skm",
            "period": period,
            "respondent_count": len(oracle.scored(responses, asked)),
            "required_count": None if served is None else oracle.required(served),
            "index_value": None if index is None else float(oracle.rounded(index)),
            "index_value_raw": near(index),
            "class_code": None if index is None else oracle.class_of(index),
            "ci_low": near(float(index) - margin) if has_interval else None,
            "ci_high": near(float(index) + margin) if has_interval else None,
            "element_weight": float(asked.weight),
            "flag_codes": row["flag_codes"],
            "status_code": "not_computable" if index is None else "computed",
        }
        assert set((row["flag_codes"] or "").split(",")) - {""} == oracle.flags(responses, asked, served)


@settings(max_examples=20)
@given(worlds())
def test_every_element_has_the_oracles_count_and_mean(drawn: tuple[oracle.Questionnaire, World]) -> None:
    asked, world = drawn
    answers, units = frames(world)
    seen = satisfaction_element(answers, units, policy_of(asked), "2026-04", LATER)
    held = {unit: own for unit, (all_, _) in world.items() if (own := of_period(all_, "2026-04"))}
    expected = []
    for unit, element in ((unit, element) for unit in sorted(held) for element in sorted(asked.elements)):
        said = oracle.answers(held[unit], asked, element)
        mean = Fraction(sum(said), len(said)) if said else None
        weighted = None if mean is None else mean * asked.weight
        expected.append((unit, "skm", element, len(said), near(mean), near(weighted), "2026-04"))
    assert seen.rows() == expected
