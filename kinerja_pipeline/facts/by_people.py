"""A region's people, some at a time: what is computed of them takes no more memory where there are many.

Here: which stretches of names (NIPs) are taken together, and which rows of a table are whose. Not here: reading a part
of a file (orchestration/storage), what is computed of people.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import polars as pl

PEOPLE_AT_ONCE = 12_500
"""Of 25,000 the days take a tenth of a gigabyte more, and none are computed while others are written."""


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


def parted(rows: pl.DataFrame, column: str, shares: Sequence[Stretch]) -> list[pl.DataFrame]:
    """The rows of each stretch, in their order: all of them at once, where filtering would compare every name with the
    bounds of every stretch."""
    named = rows.filter(pl.col(column).is_not_null())
    if len(shares) == 1:
        return [named]
    bounds = pl.Series([share.first for share in shares[1:]], dtype=pl.String)
    places = bounds.search_sorted(named[column], side="right")
    parts = named.with_columns(_place=places).partition_by(
        "_place", as_dict=True, include_key=False, maintain_order=True
    )
    return [parts.get((place,), named.clear()) for place in range(len(shares))]
