"""A slow reading of landed rows by a contract, row by row in plain Python and SQLite: what the split is held to.

It shares the reading of single cells (validated/parsing) with the split, and nothing else.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Mapping
from typing import Any

import polars as pl

from kinerja_pipeline.contracts.model import Contract, Rule
from kinerja_pipeline.contracts.validation import ALL, ROW_UNREADABLE, Rows, delivered
from kinerja_pipeline.validated.parsing import cleaned, parsed

Row = dict[str, Any]
SEPARATED = re.compile(r"^([0-9]{1,2})[/-]([0-9]{1,2})[/-][0-9]{4}")


class SlowReading:
    """All rows of a feed with the rules that each of them breaks."""

    def __init__(
        self, contract: Contract, landed: pl.DataFrame, zone: str, references: Mapping[str, pl.DataFrame]
    ) -> None:
        self.contract = contract
        self.texts = landed.with_columns(cleaned(c).alias(c.name) for c in contract.columns).to_dicts()
        self.rows = landed.with_columns(parsed(c, zone).alias(c.name) for c in contract.columns).to_dicts()
        self.known = {name: set(map(tuple, frame.rows())) for name, frame in references.items()}
        self.fields = {name: frame.columns for name, frame in references.items()}
        self.sqlite = sqlite3.connect(":memory:")
        self.sqlite.execute("PRAGMA case_sensitive_like = ON")
        self.swapped = {c.name: self._swapped(c.name) for c in contract.columns if c.kind in ("date", "timestamp")}
        for name, deliveries in self.swapped.items():
            for text, row in zip(self.texts, self.rows, strict=True):
                if row["_delivery_id"] in deliveries and SEPARATED.match(text[name] or ""):
                    row[name] = None
        self.broken = [self._broken(place) for place in range(len(self.rows))]
        self._add_conflicts()

    def _swapped(self, name: str) -> set[str]:
        """The deliveries whose separated dates were written month first."""
        parts: dict[str, list[tuple[int, int]]] = {}
        for text in self.texts:
            if found := SEPARATED.match(text[name] or ""):
                parts.setdefault(text["_delivery_id"], []).append((int(found[1]), int(found[2])))
        return {d for d, ps in parts.items() if any(s > 12 for _, s in ps) and not any(f > 12 for f, _ in ps)}

    def _broken(self, place: int) -> set[str]:
        return {r.name for r in self.contract.rules if r.what != "conflict" and self._breaks(r, place)}

    def _is_doubtful(self, place: int, name: str) -> bool:
        return self.texts[place][name] is not None and self.rows[place][name] is None

    def _breaks(self, rule: Rule, place: int) -> bool:
        name, column = rule.columns[0], self.contract.column(rule.columns[0])
        row, text = self.rows[place], self.texts[place][name]
        value = row[name]
        is_swapped = (
            name in self.swapped
            and row["_delivery_id"] in self.swapped[name]
            and SEPARATED.match(text or "") is not None
        )
        match rule.what:
            case "missing":
                return text is None
            case "unreadable":
                return self._is_doubtful(place, name) and not is_swapped
            case "month_first":
                return is_swapped
            case "row":
                return not any(self._is_doubtful(place, c) for c in rule.columns) and self._holds(rule, row)
            case "reference":
                assert rule.reference is not None
                table, columns = rule.reference
                known = {tuple(r[self.fields[table].index(c)] for c in columns) for r in self.known[table]}
                ours = tuple(row[c] for c in rule.columns)
                return None not in ours and ours not in known
            case "month":
                # Text that is no period breaks the pattern, not the month.
                return value is not None and month_of(value) not in (None, row["_month"])
        if value is None:
            return False
        match rule.what:
            case "pattern":
                return re.search(column.pattern or "", value) is None
            case "length":
                return not (column.min_length or 0) <= len(value) <= (column.max_length or 10**9)
            case "range":
                low, high = column.minimum, column.maximum
                return (low is not None and value < low) or (high is not None and value > high)
            case "code":
                return value not in column.codes
            case _:
                raise AssertionError(rule.what)

    def _holds(self, rule: Rule, row: Row) -> bool:
        cells = {c: v.isoformat(sep=" ") if isinstance(v, dt.datetime) else v for c, v in row.items()}
        cells = {c: v.isoformat() if isinstance(v, dt.date) else v for c, v in cells.items()}
        named = ", ".join(f":{c} AS {c}" for c in rule.columns)
        (held,) = self.sqlite.execute(f"SELECT {rule.predicate} FROM (SELECT {named})", cells).fetchone()
        return bool(held)

    def _add_conflicts(self) -> None:
        rules = [r for r in self.contract.rules if r.what == "conflict"]
        errors = {r.name for r in self.contract.rules if r.severity == "error"}
        said: dict[tuple[Any, ...], set[tuple[Any, ...]]] = {}
        good = [i for i, row in enumerate(self.rows) if row["_problem"] is None and not self.broken[i] & errors]
        for place in good:
            row = self.rows[place]
            said.setdefault(self._key(row), set()).add(tuple(row[c] for c in self.contract.names))
        for place in good if rules else []:
            if len(said[self._key(self.rows[place])]) > 1:
                self.broken[place].add(rules[0].name)

    def _key(self, row: Row) -> tuple[Any, ...]:
        return (row["_delivery_id"], *(row[c] for c in self.contract.key))

    def recount(self, month: str | None) -> Rows:
        """The rows of a month that can be asked, to be counted by an engine; rules without a native twin are answered
        row by row here."""
        inside = [i for i, row in enumerate(self.rows) if month is None or row["_month"] == month]
        whole = [i for i in inside if self.rows[i]["_problem"] is None]
        errors = {r.name for r in self.contract.rules if r.severity == "error"}
        rejected = [i for i in inside if self.rows[i]["_problem"] is not None or self.broken[i] & errors]
        kinds = {c.name: parsed(c, "UTC") for c in self.contract.columns}
        empty = pl.DataFrame(schema=dict.fromkeys(self.contract.names, pl.String)).select(
            e.alias(name) for name, e in kinds.items()
        )
        columns: dict[str, pl.Series] = {}
        for c in self.contract.columns:
            columns[delivered(c)] = pl.Series([self.texts[i][c.name] for i in whole], dtype=pl.String)
            columns[c.name] = pl.Series([self.rows[i][c.name] for i in whole], dtype=empty.schema[c.name])
        for rule in self.contract.rules:
            columns[f"breaks {rule.name}"] = pl.Series([rule.name in self.broken[i] for i in whole], dtype=pl.Boolean)
        return Rows(
            pl.DataFrame(columns),
            {r.name: pl.col(f"breaks {r.name}") for r in self.contract.rules},
            {ALL: (len(rejected), len(inside)), ROW_UNREADABLE: (len(inside) - len(whole), len(inside))},
        )


def month_of(value: Any) -> str | None:
    """The month that an instant, a day or a period text belongs to."""
    if isinstance(value, dt.date):
        return f"{value:%Y-%m}"
    if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", value):
        return str(value)
    if found := re.fullmatch(r"([0-9]{4})(?:-([QS])([1-4]))?", value):
        year, kind, number = found.groups()
        if kind is None:
            return f"{year}-12"
        if kind == "Q" or int(number) <= 2:
            return f"{year}-{int(number) * (3 if kind == 'Q' else 6):02}"
    return None
