"""Landed rows in the lake: where they lie, and reading them back.

Here: the rows of a feed and month, in parts, with those of other months that share a key. Not here: landing files
(landing/deliveries), the ledger's lines (landing/ledger), and whether a row is right (validated/).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import TypeVar

import polars as pl

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.ledger import Delivery, in_force, read_ledger

T = TypeVar("T")
DATED = "dated"
"""In a month's place: the rows of feeds that have no months."""
KEYS_AT_ONCE = 16_000_000
"""Keys of arriving rows that are looked for together in what has landed."""
PART_CELLS = 8_000_000
"""Landed cells (rows times columns of the contract) that are read together: what text takes in memory does not grow
with the month."""


def region_folder(home: Home, region: str) -> Path:
    """Where a region's files are delivered. Raises ValueError for what is no region's id."""
    if re.fullmatch(r"[a-z][a-z0-9_]*", region) is None:
        raise ValueError(f"'{region}' is not a region's id: lower-case letters, digits and _")
    return home.landing / region


def landed_file(home: Home, region: str, delivery: Delivery, month: str) -> Path:
    """Where the rows lie that a delivery has in a month."""
    return home.lake / "landing" / delivery.feed / region / month / f"{delivery.delivery_id}.parquet"


def landed_months(home: Home, region: str, feed: str) -> list[str]:
    """The months (or `dated`) that hold landed rows of the feed, in order."""
    current = [d for d in _current(home, region) if d.feed == feed]
    return sorted({month for d in current for month, count in d.months.items() if count})


def scan_landed(home: Home, region: str, feed: str, month: str | None) -> pl.DataFrame:
    """The landed rows of a feed and month (of all months when None), with `_month`; only what the ledger names.

    Where a delivery of the feed is `delta` or `full`, rows of other months whose key also stands in this month come
    too: a row delivered again may have moved to another month, and only one of the two may stand.
    """
    return pl.concat(landed_parts(home, region, feed, month))


def landed_parts(home: Home, region: str, feed: str, month: str | None) -> Iterator[pl.DataFrame]:
    """The rows of scan_landed in parts that follow one another in the order of the deliveries, each with all rows of
    its own: no more cells of a month at a time than PART_CELLS or one delivery."""
    contract = load_contracts().incoming[feed]
    current = sorted((d for d in _current(home, region) if d.feed == feed), key=lambda d: d.sequence)
    most = PART_CELLS // len(contract.names)
    if month is None:
        for part in _together([(d, sum(d.months.values())) for d in current], most):
            yield _read(home, region, part, contract, lambda _: True)
        return
    is_replacing = any(d.delivery_mode != "append" for d in current)
    shared = _shared_keys(home, region, current, contract, month) if is_replacing else _no_hashes()
    own = [(d, d.months.get(month, 0)) for d in current if d.months.get(month) or len(shared)]
    for part in _together(own, most):
        rows = _read(home, region, part, contract, lambda m: m == month)
        if len(shared):
            # Where two keys have one hash a row more is read, of a key that no row of this month has: it decides
            # nothing.
            has_shared = _key_hash(contract).is_in(shared.implode())
            rows = pl.concat([rows, _read(home, region, part, contract, lambda m: m != month, has_shared)])
        yield rows


def _together(each: Iterable[tuple[T, int]], most: int) -> list[list[T]]:
    """What is read together, of things with their numbers of rows: so many rows at most, or one thing. There is at
    least one list, which may be empty."""
    parts: list[list[T]] = [[]]
    rows = 0
    for thing, count in each:
        if parts[-1] and rows + count > most:
            parts.append([])
            rows = 0
        parts[-1].append(thing)
        rows += count
    return parts


def _shared_keys(home: Home, region: str, current: Sequence[Delivery], contract: Contract, month: str) -> pl.Series:
    """The hashes of keys that stand in a month and in another one."""
    files = [(landed_file(home, region, d, m), m, count) for d in current for m, count in d.months.items() if count]
    elsewhere = [(file, count) for file, m, count in files if m != month]
    if not elsewhere:
        return _no_hashes()
    own = _hashes([file for file, m, _ in files if m == month], contract)
    # As many rows as the month has at a time: each time all of its own are gone through.
    found = (own.filter(own.is_in(_hashes(batch, contract).implode())) for batch in _together(elsewhere, len(own)))
    return pl.concat([_no_hashes(), *found]).unique()


def _hashes(files: Iterable[Path], contract: Contract) -> pl.Series:
    return key_hashes((_key_rows(file, contract) for file in files), contract)


def _no_hashes() -> pl.Series:
    return pl.Series("_hash", dtype=pl.UInt64)


def _landed_schema(contract: Contract) -> dict[str, pl.DataType]:
    own: dict[str, pl.DataType] = {"_source_row": pl.UInt32(), "_problem": pl.String(), "_raw": pl.String()}
    text: dict[str, pl.DataType] = {name: pl.String() for name in contract.names}
    return {**text, "_delivery_id": pl.String(), **own, "_month": pl.String()}


def _read(
    home: Home,
    region: str,
    current: Sequence[Delivery],
    contract: Contract,
    takes: Callable[[str], bool],
    wanted: pl.Expr | None = None,
) -> pl.DataFrame:
    """The landed rows of deliveries, of the months that `takes` names; only those `wanted`, when that is said."""
    schema = _landed_schema(contract)
    parts = [pl.DataFrame(schema=schema)]
    for delivery in sorted(current, key=lambda d: d.sequence):
        for month in sorted(m for m, count in delivery.months.items() if count and takes(m)):
            part = pl.scan_parquet(landed_file(home, region, delivery, month), glob=False, hive_partitioning=False)
            columns = part.collect_schema()
            absent = [pl.lit(None, kind).alias(name) for name, kind in schema.items() if name not in columns]
            part = part.with_columns(absent).with_columns(pl.lit(month).alias("_month"))
            part = part.select(pl.col(n).cast(k) for n, k in schema.items())
            parts.append((part if wanted is None else part.filter(wanted)).collect())
    return pl.concat(parts)


def _current(home: Home, region: str) -> list[Delivery]:
    return [d for d in in_force(read_ledger(region_folder(home, region))) if d.status_code == "landed"]


def months_sharing_keys(
    home: Home, region: str, lines: Sequence[Delivery], landed: Sequence[Delivery]
) -> list[frozenset[str]]:
    """For each line the months in which other deliveries have rows with a key of its own: only one of two versions may
    stand, in whichever month it lies. None where all deliveries of the feed add up. `landed` are the region's, as in
    force."""

    def keys_of(line: Delivery) -> pl.Series:
        files = (landed_file(home, region, line, month) for month, count in line.months.items() if count)
        return _hashes([file for file in files if file.is_file()], load_contracts().incoming[line.feed])

    return months_with(home, region, lines, keys_of, landed)


def months_with(
    home: Home,
    region: str,
    lines: Sequence[Delivery],
    keys_of: Callable[[Delivery], pl.Series],
    landed: Sequence[Delivery],
) -> list[frozenset[str]]:
    """As `months_sharing_keys`, of deliveries that need not have landed yet; `keys_of` gives the hashes of a line's
    keys (see key_hashes). What has landed is gone through once for many lines. Where two keys have one hash a month is
    named too many."""
    found: list[set[str]] = [set() for _ in lines]
    for feed in dict.fromkeys(line.feed for line in lines if line.status_code == "landed" and line.row_count):
        current = [d for d in landed if d.feed == feed]
        if all(d.delivery_mode == "append" for d in current):
            asked = [n for n, line in enumerate(lines) if line.feed == feed and line.delivery_mode != "append"]
        else:
            asked = [n for n, line in enumerate(lines) if line.feed == feed]
        asked = [n for n in asked if lines[n].row_count and DATED not in lines[n].months]
        for batch in _together([(n, lines[n].row_count or 0) for n in asked], KEYS_AT_ONCE):
            for number, month in _hits(home, region, {n: lines[n] for n in batch}, keys_of, current):
                found[number].add(month)
    return [frozenset(months) for months in found]


def _hits(
    home: Home,
    region: str,
    lines: Mapping[int, Delivery],
    keys_of: Callable[[Delivery], pl.Series],
    current: Sequence[Delivery],
) -> Iterator[tuple[int, str]]:
    """Lines of one feed by number, and the months beside their own that hold a key of theirs."""
    arriving = [keys_of(line).to_frame().with_columns(_line=pl.lit(n, pl.Int64)) for n, line in lines.items()]
    for month in {m for d in current for m, count in d.months.items() if count}:
        if all(month in line.months for line in lines.values()):
            continue
        files = [landed_file(home, region, d, month) for d in current if d.months.get(month)]
        there = _hashes(files, load_contracts().incoming[current[0].feed]).implode()
        for number in pl.concat(each.filter(pl.col("_hash").is_in(there)) for each in arriving)["_line"].unique():
            if month not in lines[number].months:
                yield number, month


def key_hashes(rows: Iterable[pl.DataFrame], contract: Contract) -> pl.Series:
    """The hashes of the keys of landed rows, each once; a key of which a cell is missing is none."""
    hashes = (each.select(_key_hash(contract)).to_series() for each in rows)
    return pl.concat([_no_hashes(), *hashes]).drop_nulls().unique()


def _key_hash(contract: Contract) -> pl.Expr:
    """One number for a landed row's key, null where a cell of it is missing."""
    return _hash_of(_key_text(contract, name) for name in contract.key)


def _hash_of(cells: Iterable[pl.Expr]) -> pl.Expr:
    each = list(cells)
    mixed = reduce(operator.xor, (cell.hash(seed) for seed, cell in enumerate(each)))
    return pl.when(pl.all_horizontal(cell.is_not_null() for cell in each)).then(mixed).alias("_hash")


def _key_rows(file: Path, contract: Contract) -> pl.DataFrame:
    """The columns of the key; a file of an older contract may not have them all."""
    columns = pl.read_parquet_schema(file)
    rows = pl.read_parquet(file, columns=[n for n in contract.key if n in columns], glob=False)
    return rows.with_columns(pl.lit(None, pl.String).alias(name) for name in contract.key if name not in columns)


def _key_text(contract: Contract, name: str) -> pl.Expr:
    """A cell of a key as it compares: without what the contract strips."""
    text = pl.col(name).str.strip_chars()
    for character in contract.column(name).strip:
        text = text.str.replace_all(character, "", literal=True)
    return text
