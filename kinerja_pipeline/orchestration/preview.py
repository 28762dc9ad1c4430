"""A look at the rows of a table for whoever may open the UI: everybody.

Here: frame + contract -> a table of a few values, masked by classification. Not here: rows that break a rule
(validated/samples), the analysts' copy in which people have pseudonyms (warehouse/masking).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl
from dagster import MetadataValue

from kinerja_pipeline.contracts.model import Column, Contract
from kinerja_pipeline.validated.samples import is_harmless

SHOWN = 3
LOOKED_AT = 60
UNIT = "unit_id"
FEWEST_PEOPLE = 5
"""Of fewer nothing is shown: among them a day or a number alone may say who it is."""


def preview(contract: Contract, frame: pl.DataFrame) -> dict[str, MetadataValue[Any]]:
    """A line per column. Rows only of a table about neither people nor units, for a unit may be one person; of the
    others each column's values by themselves and sorted, so that no row can be put together. Personal columns are named
    and not shown, and nor are texts that might name somebody; nothing at all where there are too few people."""
    columns = [c for c in contract.columns if c.name in frame.columns]
    personal = [c.name for c in columns if c.is_personal]
    if frame.is_empty() or (personal and frame[personal[0]].n_unique() < FEWEST_PEOPLE):
        return {}
    is_by_row = not personal and UNIT not in contract.names
    rows = frame.head(SHOWN) if is_by_row else frame.gather_every(max(1, len(frame) // LOOKED_AT)).head(LOOKED_AT)
    titles = [f"row {n + 1}" for n in range(len(rows))] if is_by_row else ["for example"]
    lines = [f"| column | {' | '.join(titles)} |", f"|---{'|---' * len(titles)}|"]
    for column in columns:
        if column.is_personal:
            cells = [f"*{column.classification}*"]
        elif is_by_row:
            cells = [told(value, column) for value in rows[column.name].to_list()]
        else:
            cells = [", ".join(dict.fromkeys(told(v, column) for v in _spread(rows[column.name].to_list())))]
        lines.append(f"| {column.name} | {' | '.join(cells)} |")
    return {"preview": MetadataValue.md("\n".join(lines))}


def told(value: Any, column: Column) -> str:
    """A cell; of texts only codes, days and single short words."""
    match value:
        case None:
            return ""
        case str() if value in column.codes or is_harmless(value):
            return value.replace("|", "\\|")
        case dt.datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}"
        case int() | dt.date():
            return str(value)
        case _:
            return "*text*"


def _spread(values: Sequence[Any]) -> list[Any]:
    """The lowest, the middle one and the highest of what is there."""
    found = sorted({value for value in values if value is not None})
    return found if len(found) <= SHOWN else [found[0], found[len(found) // 2], found[-1]]
