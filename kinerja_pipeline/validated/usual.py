"""Whether a month of a feed has about as many rows as the months before it.

Here: counts and the contract's bounds -> a verdict in words. Not here: counting (validated/split), whether files came
at all (landing/freshness), Dagster.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from kinerja_pipeline.contracts.model import ROWS_USUAL, Bound, Contract
from kinerja_pipeline.facts.periods import add_months

MONTHS, FEWEST = 6, 3
"""The months before that say what is usual, and how few of them do not."""
DEFAULT = Bound(ROWS_USUAL, 0.5, 2.0, "warning", "rows of a month, as a share of the median of up to six months before")
"""Of a feed whose page says nothing else."""


class Volume(NamedTuple):
    """Rows of a month against the `median` of the `months` before it, None where these are too few."""

    rows: int
    months: tuple[str, ...]
    median: float | None
    bound: Bound
    is_usual: bool
    is_complete: bool

    @property
    def share(self) -> float | None:
        return self.rows / self.median if self.median else None


def rows_by_feed(tally: pl.DataFrame) -> dict[str, int]:
    """Rows that came, by feed: believed or not, each once however often it was delivered."""
    whole = tally.filter(pl.col("rule_id") == "all").group_by("feed")
    return dict(whole.agg(pl.col("valid_count").sum() + pl.col("rejected_count").sum()).iter_rows())


def volume(contract: Contract, month: str, rows: int, earlier: Mapping[str, int], is_complete: bool) -> Volume:
    """`earlier` are the rows of months that have been computed. While files may still come (not `is_complete`), a month
    can have too many rows and not too few."""
    bound = contract.bound(ROWS_USUAL) or DEFAULT
    before = [m for m in (add_months(month, -n) for n in range(MONTHS, 0, -1)) if m in earlier]
    median = statistics.median(earlier[m] for m in before) if len(before) >= FEWEST else None
    is_few = bool(median) and is_complete and rows < bound.low * (median or 0)
    is_many = bool(median) and rows > bound.high * (median or 0)
    return Volume(rows, tuple(before), median or None, bound, not is_few and not is_many, is_complete)


def sentence(found: Volume, contract: Contract, month: str) -> str:
    """The verdict in words, with what to do."""
    if found.share is None:
        return f"{found.rows} rows; fewer than {FEWEST} earlier months with rows say what is usual."
    usual = f"{found.rows} rows of {month}, {found.share:.0%} of the median of {len(found.months)} months before"
    told = f"{usual} ({found.median:g}); usual are {found.bound.low:.0%} to {found.bound.high:.0%}."
    if found.is_usual:
        return told if found.is_complete else f"{told} More files may come."
    if found.rows > found.bound.high * (found.median or 0):
        return (
            f"{told} Look whether a file was delivered for two regions or with an older export inside; if the rows are "
            "right, nothing need be done."
        )
    return (
        f"{told} Ask {contract.owner or 'the supplier'} whether a file, a device or a unit is missing; what comes is "
        "taken in and the month computed again."
    )
