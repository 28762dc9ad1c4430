"""The public's satisfaction in plain Python, from DOMAIN sections 3, 8 and 9 alone, in exact fractions.

Here: loops over responses of one unit, survey and period. Not here: anything of kinerja_pipeline; the two programs meet
only in a test.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, sqrt


@dataclass(frozen=True)
class Response:
    """When it was sent, the score of every element it answers, and the scale it was given on."""

    at: dt.datetime
    scores: Mapping[str, int]
    scale: int


@dataclass(frozen=True)
class Questionnaire:
    elements: Sequence[str]
    scale: int
    weight: Fraction


def index(responses: Sequence[Response], asked: Questionnaire) -> Fraction | None:
    """100/scale (SKM: 25) times the sum of mean times weight; an element that nobody answered leaves no index."""
    total = Fraction()
    for element in asked.elements:
        said = answers(responses, asked, element)
        if not said:
            return None
        total += Fraction(sum(said), len(said)) * asked.weight
    return total * 100 / asked.scale


def answers(responses: Sequence[Response], asked: Questionnaire, element: str) -> list[int]:
    return [r.scores[element] for r in scored(responses, asked) if element in r.scores]


def scored(responses: Sequence[Response], asked: Questionnaire) -> list[Response]:
    """Responses with a scored answer; a score on another scale is none."""
    return [r for r in responses if r.scale == asked.scale and r.scores]


def rounded(value: Fraction) -> Fraction:
    return Fraction(floor(value * 100 + Fraction(1, 2)), 100)


def class_of(value: Fraction) -> str | None:
    """D 25.00-64.99, C 65.00-76.60, B 76.61-88.30, A 88.31-100.00, of the rounded value."""
    for code, low in (("A", "88.31"), ("B", "76.61"), ("C", "65.00"), ("D", "25.00")):
        if rounded(value) >= Fraction(low):
            return code
    return None


def required(population: int) -> int:
    """Krejcie and Morgan."""
    chi = Fraction("3.841") * Fraction("0.25")
    return floor(chi * population / (Fraction("0.0025") * (population - 1) + chi) + Fraction(1, 2))


def margin(responses: Sequence[Response], asked: Questionnaire) -> float | None:
    """1.96 standard errors of the complete responses' own indices; none below two of them."""
    own = [
        Fraction(100, asked.scale) * Fraction(sum(r.scores.values()), len(r.scores))
        for r in scored(responses, asked)
        if set(r.scores) == set(asked.elements)
    ]
    if len(own) < 2:
        return None
    mean = sum(own, Fraction()) / len(own)
    variance = sum(((x - mean) ** 2 for x in own), Fraction()) / (len(own) - 1)
    return 1.96 * sqrt(variance) / sqrt(len(own))


def flags(responses: Sequence[Response], asked: Questionnaire, population: int | None) -> set[str]:
    found = set()
    counted = scored(responses, asked)
    if population is not None and len(counted) < required(population):
        found.add("low_response")
    # Of a single answer nobody can say that it was given along a line.
    several = [r for r in counted if len(r.scores) > 1]
    equal = [r for r in several if len(set(r.scores.values())) == 1]
    if several and Fraction(len(equal), len(several)) > Fraction(1, 2):
        found.add("straight_lining")
    for first in responses:
        if sum(dt.timedelta(0) <= other.at - first.at <= dt.timedelta(seconds=60) for other in responses) >= 5:
            found.add("burst")
    for n, one in enumerate(counted):
        if any(other.at == one.at and other.scores == one.scores for other in counted[:n]):
            found.add("exact_repeat")
    if any(r.scale != asked.scale for r in responses):
        found.add("other_scale")
    return found
