"""What every reader shares: which columns a mapping needs, how a header is found, and why a file or row is unreadable.

Here: the bounds, the errors people read, the numbers that should have been text. Not here: any file format.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.plain import visible
from kinerja_pipeline.policies.mapping import FileMapping

MAX_COLUMNS = 10_000
MAX_CELL = 1_000_000
MAX_UNPACKED = 2 * 1024**3
SMALL_UNPACKED = 16 * 1024**2
MAX_RATIO = 400
"""How many times its size a packed file may hold, once that is no longer small; tables come to 5 to 50."""
HEADER_ROWS = 30
RAW_LENGTH = 2_000
NUL_SHOWN = "\u2400"
"""Stands for a NUL inside a cell: PostgreSQL takes none in a text."""

OWN_COLUMNS = ("_source_row", "_problem", "_raw")


class UnreadableFile(Exception):
    """A file that cannot be read as a whole: which file, where in it, what is wrong, what to do."""

    def __init__(self, path: str, place: str, problem: str, remedy: str) -> None:
        super().__init__(path, place, problem, remedy)
        self.path, self.place, self.problem, self.remedy = path, place, problem, remedy

    def __str__(self) -> str:
        end = "" if self.remedy.endswith("?") else "."
        return visible(f"{self.path}, {self.place}: {self.problem}. {self.remedy}{end}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The source columns a mapping reads: `needed` must be in the file, `welcome` are taken where they are.

    `feeds` says which contract columns a source column becomes; source columns outside it (lookup keys, set-aside
    columns) are read but never kept, not even in `_raw`.
    """

    needed: tuple[str, ...]
    welcome: tuple[str, ...]
    feeds: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.needed, *(w for w in self.welcome if w not in self.needed))


def wanted_columns(path: str, mapping: FileMapping, contract: Contract) -> Wanted:
    """What the mapping reads from a file of this feed. Raises UnreadableFile when mapping and contract disagree."""
    for place, names in (("columns", mapping.columns), ("constants", mapping.constants), ("codes", mapping.codes)):
        for name in names:
            if name not in contract.names:
                raise mapping_fault(
                    path, f"{place} names '{name}', which {contract.name} does not have", name, contract.names
                )
    made: set[str] = {new for lookup in mapping.lookup for new in lookup.take}
    made |= {mapping.sheet_as} if mapping.sheet_as else set()
    read = [a.column for a in mapping.set_aside.values()]
    for position, lookup in enumerate(mapping.lookup):
        earlier = {new for before in mapping.lookup[:position] for new in before.take}
        read += [] if lookup.on in earlier else [lookup.on]
    # What a contract column is called before the mapping's steps renamed it: {name after the steps: names in the file}.
    before: dict[str, list[str]] = {}
    if mapping.unpivot is not None:
        before = {mapping.unpivot.value_to: list(mapping.unpivot.columns), mapping.unpivot.code_to: []}
        read += list(mapping.unpivot.columns)
    if mapping.fold is not None:
        before = {name: [take.column] for name, take in mapping.fold.take.items()}
        read += [c for c in mapping.fold.by if c not in made]
        for take in mapping.fold.take.values():
            read += [c for c in (take.column, *take.where) if c not in made]
        for name in mapping.columns.values():
            if name not in before and name not in mapping.fold.by:
                text = f"columns names '{name}', which the fold does not keep"
                raise mapping_fault(path, text, name, (*before, *mapping.fold.by))
    feeds: dict[str, list[str]] = {}
    welcome: list[str] = []
    for column in contract.columns:
        if column.name in mapping.constants:
            continue
        name = mapping.columns.get(column.name, column.name)
        if name in before:
            sources = before[name]
        elif mapping.fold is not None and name not in mapping.fold.by:
            if column.is_required:
                text = f"nothing becomes the required column '{column.name}': the fold does not keep it"
                raise mapping_fault(path, text, column.name, before)
            continue
        elif name in made:
            continue
        else:
            sources = [name]
            if column.name in mapping.columns or column.is_required:
                read.append(name)
            else:
                welcome.append(name)
        for source in sources:
            if source not in made:
                feeds.setdefault(source, []).append(column.name)
    read = [name for name in read if name != mapping.sheet_as]
    return Wanted(tuple(dict.fromkeys(read)), tuple(welcome), {k: tuple(v) for k, v in feeds.items()})


def mapping_fault(path: str, problem: str, name: str, known: Iterable[str]) -> UnreadableFile:
    return UnreadableFile(path, "its mapping in the policy", problem, f"Correct the mapping{nearest(name, known)}")


def nearest(name: str, known: Iterable[str]) -> str:
    # No file is read with more columns, and comparing with a million names takes long.
    folded = {k.casefold()[:100]: k[:100] for k in itertools.islice(known, MAX_COLUMNS) if k}
    near = difflib.get_close_matches(name.casefold(), folded, 1)
    return f"; did you mean '{folded[near[0]]}'?" if near else ""


def missing_column(path: str, place: str, name: str, present: Sequence[str]) -> UnreadableFile:
    # Only a near name is shown: in a file without header the "header" is a person's row.
    return UnreadableFile(
        path,
        place,
        f"there is no column '{name}'",
        f"Deliver the column, or correct the mapping's columns or header_row{nearest(name, present)}",
    )


def refuse_huge_cells(source: pl.DataFrame, path: str) -> None:
    names = [c for c in source.columns if c not in OWN_COLUMNS]
    for name in names:
        if (source.select(pl.col(name).str.len_bytes().max()).item() or 0) > MAX_CELL:
            rows = source.filter(pl.col(name).str.len_chars() > MAX_CELL)["_source_row"]
            if len(rows):
                raise huge_cell(path, f"row {rows[0]}, column '{name}'")


def huge_cell(path: str, place: str) -> UnreadableFile:
    return UnreadableFile(
        path, place, f"a cell holds more than {MAX_CELL:,} characters", "Look for a quote that never closes"
    )


def refuse_many_columns(path: str, place: str, count: int) -> None:
    if count > MAX_COLUMNS:
        raise UnreadableFile(path, place, f"{count:,} columns; at most {MAX_COLUMNS:,} are read", "Check the delimiter")


def is_bomb(unpacked: int, packed: int) -> bool:
    """Whether this is more than fits into memory, or than a table of that packed size can come to."""
    return unpacked > MAX_UNPACKED or (unpacked > SMALL_UNPACKED and unpacked > MAX_RATIO * packed)


def refuse_bomb(path: str, unpacked: int, packed: int) -> None:
    if is_bomb(unpacked, packed):
        problem = f"it unpacks to {unpacked / 1024**2:,.0f} MB, {unpacked / max(1, packed):,.0f} times its size"
        raise UnreadableFile(path, "the whole file", problem, "Deliver the table in smaller files, or as CSV")


def title(cell: str | None) -> str:
    return " ".join((cell or "").replace("\ufeff", "").split())


def find_header(top: Sequence[tuple[int, list[str]]], stated: int, path: str, unit: str, wanted: Wanted) -> int:
    """The row that names the columns: the stated one, or the first within 30 that has all that the mapping needs."""

    def fits(cells: list[str]) -> bool:
        return set(wanted.needed) <= set(cells) and (bool(wanted.needed) or any(w in cells for w in wanted.welcome))

    ordered = sorted(top, key=lambda row: (row[0] != stated, row[0]))
    found = next((row for row, cells in ordered if fits(cells)), None)
    if found is not None:
        return found
    best = max(ordered, key=lambda row: len(set(wanted.names) & set(row[1])), default=(stated, []))
    name = next((n for n in wanted.needed if n not in best[1]), "")
    if not name:
        remedy = f"Deliver a header row with the columns {', '.join(wanted.names)}"
        raise UnreadableFile(path, f"{unit} {stated}", "no row names a column of the mapping", remedy)
    raise missing_column(path, f"{unit} {best[0]} (header)", name, best[1])


def positions_of(names: Sequence[str], path: str, place: str, wanted: Wanted) -> dict[str, int]:
    """Where each wanted column stands. Raises UnreadableFile for one that is missing or stands there twice."""
    found: dict[str, int] = {}
    for name in wanted.names:
        count = names.count(name)
        if count > 1:
            raise UnreadableFile(
                path, place, f"the column '{name}' stands there {count} times", "Rename or drop one of them"
            )
        if count == 1:
            found[name] = names.index(name)
        elif name in wanted.needed:
            raise missing_column(path, place, name, names)
    return found


def with_numeric(
    frame: pl.DataFrame, marks: Mapping[str, Sequence[int]], contract: Contract, wanted: Wanted
) -> pl.DataFrame:
    """`_problem` and `_raw` for rows where a number stands in a text column that needs more than 15 digits."""
    problems: list[pl.Expr] = []
    for source, rows in marks.items():
        for name in wanted.feeds.get(source, ()):
            column = contract.column(name)
            if column.kind != "string" or not rows:
                continue
            hit = pl.col("_source_row").is_in(pl.Series(list(rows), dtype=pl.UInt32).implode())
            if not (column.is_personal and "{18}" in (column.pattern or "")):
                hit = hit & (pl.col(source).str.len_chars() > 15) & ~pl.col(source).str.contains(".", literal=True)
            problems.append(pl.when(hit & pl.col(source).is_not_null()).then(pl.lit(f"{name}__numeric")))
    kept = [c for c in frame.columns if c in wanted.feeds]
    raw = pl.concat_str([pl.col(c).fill_null("") for c in kept], separator="\t") if kept else pl.lit(None, pl.String)
    frame = frame.with_columns((pl.coalesce(problems) if problems else pl.lit(None, pl.String)).alias("_problem"))
    frame = frame.with_columns(
        pl.when(pl.col("_problem").is_not_null()).then(raw.str.slice(0, RAW_LENGTH)).alias("_raw")
    )
    text = [c for c in frame.columns if c not in OWN_COLUMNS]
    absent = [n for n in wanted.welcome if n not in frame.columns]
    return frame.with_columns(
        *(pl.col(c).str.replace_all("\0", NUL_SHOWN, literal=True) for c in text),
        *(pl.lit(None, pl.String).alias(n) for n in absent),
    )
