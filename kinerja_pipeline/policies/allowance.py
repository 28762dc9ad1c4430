"""The composition of the allowance (TPP) as a policy declares it.

Here: the keys under `allowance`. Not here: what a day's attendance costs (`deductions`), computing shares
(kpi/allowance), rupiah.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from kinerja_pipeline.policies.terms import PREDICATES, Model, Predicate

Share = Annotated[float, Field(ge=0, le=1)]


class ScoreBand(Model):
    """From this result score on (until the next band): the share of the productivity part that is earned."""

    from_score: Annotated[float, Field(ge=0)]
    share: Share


class Productivity(Model):
    """How much of the productivity part is earned: by the official predicate, by bands of the result score, or in
    proportion to it, whole from `full_score` on. Exactly one; a recommended predicate earns nothing.

    Regions differ (100/100/85/60/60, 100/90/70/50/30, ...): there is no national rule, and no default for who has no
    predicate or score.
    """

    by_predicate: dict[Predicate, Share] | None = None
    by_score: list[ScoreBand] = []
    full_score: Annotated[float, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Productivity:
        if sum(map(bool, (self.by_predicate, self.by_score, self.full_score))) != 1:
            raise ValueError("declare exactly one of by_predicate, by_score and full_score")
        if self.by_predicate and (missing := [p for p in PREDICATES if p not in self.by_predicate]):
            raise ValueError(f"by_predicate says nothing of {', '.join(missing)}")
        if self.by_score and self.by_score[0].from_score != 0:
            raise ValueError("the first band of by_score begins at from_score 0: every score has a share")
        if any(band.from_score <= before.from_score for before, band in pairwise(self.by_score)):
            raise ValueError("the bands of by_score are listed from the lowest to the highest")
        return self


class Allowance(Model):
    """What part of the allowance (TPP) hangs on discipline (attendance) and what on productivity: 0.4 and 0.6, 0.3 and
    0.7, ... A deduction is of the whole allowance or of its attendance part, as its rule table says (`base`); the
    attendance part is `discipline_weight` of the whole."""

    discipline_weight: Annotated[float, Field(gt=0, lt=1)]
    productivity_weight: Annotated[float, Field(gt=0, lt=1)]
    productivity: Productivity
    source: str

    @model_validator(mode="after")
    def _whole(self) -> Allowance:
        if abs(self.discipline_weight + self.productivity_weight - 1) > 1e-9:
            total = self.discipline_weight + self.productivity_weight
            raise ValueError(f"discipline_weight and productivity_weight sum to {total:g}, not 1")
        return self
