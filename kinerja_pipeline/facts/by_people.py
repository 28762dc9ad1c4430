"""A region's people, some at a time: what is computed of them takes no more memory where there are many.

Here: which stretches of names (NIPs) are taken together. Not here: reading their rows (orchestration/storage), what is
computed of them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import polars as pl

PEOPLE_AT_ONCE = 25_000


class Stretch(NamedTuple):
    """Names from `first` on and before `until`, as texts compare; None where there is no bound."""

    first: str | None
    until: str | None

    def holds(self, column: str) -> pl.Expr:
        """True for the rows whose name is one of the stretch; rows without a name belong to none."""
        name, is_inside = pl.col(column), pl.col(column).is_not_null()
        if self.first is not None:
            is_inside = is_inside & (name >= pl.lit(self.first))
        if self.until is not None:
            is_inside = is_inside & (name < pl.lit(self.until))
        return is_inside


def stretches(names: pl.Series, at_once: int = PEOPLE_AT_ONCE) -> list[Stretch]:
    """Stretches that follow one another and together hold every name there is, each with no more than `at_once` of the
    given ones."""
    ordered = names.unique().sort().drop_nulls()
    bounds = [None, *ordered.gather_every(at_once).slice(1), None]
    return [Stretch(first, until) for first, until in pairwise(bounds)]
