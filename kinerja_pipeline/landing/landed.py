"""Landed rows in the lake: where they lie, and reading them back.

Here: the rows of a feed and month, in parts, with those of other months that share a key. Not here: landing files
(landing/deliveries), the ledger's lines (landing/ledger), and whether a row is right (validated/).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
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
    """The hashes of the keys in landed files, each once; a key of which a cell is missing is none."""
    hashes = (
        _key_rows(file, contract).select(_hash_of(pl.col(f"_key_{name}") for name in contract.key)) for file in files
    )
    return pl.concat([_no_hashes(), *(each.to_series() for each in hashes)]).drop_nulls().unique()


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


def months_sharing_keys(home: Home, region: str, line: Delivery, landed: Sequence[Delivery]) -> frozenset[str]:
    """The months in which other deliveries have rows with a key of this one's: only one of two versions may stand, in
    whichever month it lies. None where all deliveries of the feed add up. `landed` are the region's, as in force."""
    if line.status_code != "landed" or not line.row_count:
        return frozenset()
    contract = load_contracts().incoming[line.feed]
    files = [landed_file(home, region, line, month) for month, count in line.months.items() if count]
    keys = pl.concat([_key_rows(file, contract) for file in files if file.is_file()] or [_no_keys(contract)])
    return months_with(home, region, line, contract, keys, landed)


def months_with(
    home: Home, region: str, line: Delivery, contract: Contract, keys: pl.DataFrame, landed: Sequence[Delivery]
) -> frozenset[str]:
    """As `months_sharing_keys`, of a delivery whose `keys` (see keys_as_text) need not have landed yet."""
    current = [d for d in landed if d.feed == line.feed]
    if DATED in line.months or all(d.delivery_mode == "append" for d in (*current, line)):
        return frozenset()
    wanted, found = keys.unique(), set()
    for month in {m for d in current for m, count in d.months.items() if count} - set(line.months):
        files = [landed_file(home, region, d, month) for d in current if d.months.get(month)]
        rows = pl.concat([_key_rows(file, contract) for file in files])
        if len(rows.join(wanted, on=wanted.columns, how="semi")):
            found.add(month)
    return frozenset(found)


def keys_as_text(contract: Contract) -> list[pl.Expr]:
    """The cells of a key as they compare: without what the contract strips, each named `_key_` and its column."""
    return [_key_text(contract, name) for name in contract.key]


def _key_hash(contract: Contract) -> pl.Expr:
    """One number for a landed row's key, null where a cell of it is missing."""
    return _hash_of(keys_as_text(contract))


def _hash_of(cells: Iterable[pl.Expr]) -> pl.Expr:
    each = list(cells)
    mixed = reduce(operator.xor, (cell.hash(seed) for seed, cell in enumerate(each)))
    return pl.when(pl.all_horizontal(cell.is_not_null() for cell in each)).then(mixed).alias("_hash")


def _key_rows(file: Path, contract: Contract) -> pl.DataFrame:
    columns = pl.read_parquet_schema(file)
    return pl.read_parquet(file, columns=[n for n in contract.key if n in columns], glob=False).select(
        _key_text(contract, name) if name in columns else pl.lit(None, pl.String).alias(f"_key_{name}")
        for name in contract.key
    )


def _no_keys(contract: Contract) -> pl.DataFrame:
    return pl.DataFrame(schema={f"_key_{name}": pl.String for name in contract.key})


def _key_text(contract: Contract, name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars()
    for character in contract.column(name).strip:
        text = text.str.replace_all(character, "", literal=True)
    return text.alias(f"_key_{name}")
