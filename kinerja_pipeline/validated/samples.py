"""Rows to look at where a rule is broken, as much of them as everybody may see.

Here: rejected rows -> file, line and cells, masked by the contract's classification. Not here: whole rows for those who
may see them (verdict_workbook, the quarantine).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from kinerja_pipeline.contracts.model import Column, Contract, Rule

SAMPLES = 3
LONGEST = 24
EMPTY = "(empty)"
_TIME = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T][\d:.]+)?")
_MOST_DIGITS = 8
"""A NIP, a NIK, a phone number have more; a day has eight."""


class Sample(NamedTuple):
    """A row that breaks a rule: where it stands, and the cells that the rule looks at."""

    rule_id: str
    file: str
    line: int
    cells: Mapping[str, str]


def samples(contract: Contract, rejected: pl.DataFrame, files: Mapping[str, str]) -> list[Sample]:
    """The first rows of each reason for which rows were rejected. `files` names the deliveries.

    Cells of personal columns are shown as a shape (Xxx 999). So are all cells of a row that its reader could not take
    apart or whose own personal cells are wrong: they may stand one column further than they belong, and so may what
    looks like somebody's number or several words, and words where a number or a day belongs.
    """
    rules = {r.name: r for r in contract.rules}
    each = (
        rejected.select("_reasons", "_delivery_id", pl.col("_source_row").cast(pl.Int64))
        .with_row_index("_at")
        .explode("_reasons")
        .sort("_reasons", "_delivery_id", "_source_row")
        .group_by("_reasons", maintain_order=True)
        .head(SAMPLES)
    )
    shown: list[Sample] = []
    for reason, at, delivery, line in each.select("_reasons", "_at", "_delivery_id", "_source_row").iter_rows():
        row = rejected.row(at, named=True)
        rule = rules.get(reason)
        names = _shown(contract, rule) if rule else ()
        is_doubtful = any(_is_about_a_person(contract, rules.get(r)) for r in row["_reasons"])
        cells = {
            name: told(row[name], is_open=not is_doubtful and _may_be_open(contract.column(name), row[name]))
            for name in names
        }
        shown.append(Sample(reason, files.get(delivery, delivery[:12]), line, cells))
    return shown


def told(text: str | None, *, is_open: bool) -> str:
    """A cell as it may be shown: as delivered, or its shape."""
    if text is None or not text.strip():
        return EMPTY
    return text[:LONGEST] if is_open and is_harmless(text) else shape(text)


def shape(text: str) -> str:
    """What a text looks like and nothing of what it says: digits are 9, letters x or X."""
    drawn = "".join("9" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in text)
    return drawn[:LONGEST] + ("..." if len(drawn) > LONGEST else "")


def _shown(contract: Contract, rule: Rule) -> tuple[str, ...]:
    """The columns that say which row it is, and those that the rule looks at."""
    return tuple(dict.fromkeys([*contract.key, *rule.columns]))


def _is_about_a_person(contract: Contract, rule: Rule | None) -> bool:
    """Whether the reason says that a personal cell itself is wrong, or comes from the reader."""
    if rule is None:
        return True
    is_of_the_cell = rule.what not in ("reference", "row", "month", "conflict")
    return is_of_the_cell and any(contract.column(name).is_personal for name in rule.columns)


def _may_be_open(column: Column, text: str | None) -> bool:
    """A word where a number or a day belongs is no slip of a code, but what somebody wanted to say."""
    is_word = column.kind not in ("string", "boolean") and any(c.isalpha() for c in (text or "").replace("T", ""))
    return not column.is_personal and not is_word


def is_harmless(text: str) -> bool:
    if len(text) > LONGEST or "@" in text:
        return False
    if _TIME.fullmatch(text.strip()):
        return True
    is_one_word = len(text.split()) == 1
    return is_one_word and sum(c.isdigit() for c in text) <= _MOST_DIGITS
