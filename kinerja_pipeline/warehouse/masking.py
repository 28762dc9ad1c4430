"""The analysts' copy: the warehouse as one SQLite file in which nobody can be named, and everybody still joins.

Here: reading, replacing, writing, searching the finished file. Not here: what of a table is replaced and by which
pseudonym (warehouse/pseudonyms), where the key comes from (home), PostgreSQL's roles (warehouse/access).
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.contracts.tables import warehouse_tables
from kinerja_pipeline.warehouse.bulk import insert_rows
from kinerja_pipeline.warehouse.database import migrate, open_warehouse, reading_published, writing
from kinerja_pipeline.warehouse.outgoing import outgoing_schema
from kinerja_pipeline.warehouse.pseudonyms import NO_NAME, How, how_masked, pseudonym

_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]{18}(?![0-9A-Za-z])")


class MaskingError(Exception):
    """No copy was made; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What an export wrote: rows per table, and how many people have a pseudonym."""

    row_counts: Mapping[str, int]
    person_count: int


def export_masked(url: str, file: Path, key: str) -> Copied:
    """Writes the masked copy of the warehouse at `url` to the new `file`: every table and view, from one snapshot.

    Rows are sorted by their masked keys: their order in the file tells nothing. The file appears when it is complete
    and was searched for every NIP of the warehouse; on any error there is none.
    """
    if file.exists():
        raise MaskingError(f"{file} is there already; name another file.")
    if not file.parent.is_dir():
        raise MaskingError(f"{file}: there is no folder {file.parent}.")
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    copy = open_warehouse(f"sqlite:///{part}")
    try:
        with reading_published(url) as connection:
            people = _people(connection)
            migrate(copy)
            counts = _copied(connection, copy, people, key)
        _closed(copy)
        if found := _left(part, people.numbers):
            raise MaskingError(f"{found} NIPs would have been left in {file}; no copy was made. Please report this.")
        part.rename(file)
    finally:
        copy.dispose()
        for left in (part, *(part.with_name(f"{part.name}{end}") for end in ("-wal", "-shm", "-journal"))):
            with suppress(FileNotFoundError):
                left.unlink()
    return Copied(counts, len(people.numbers))


@dataclass(frozen=True, slots=True)
class _People:
    """Every NIP and name that the warehouse holds anywhere: what no text of the copy may quote."""

    numbers: frozenset[str]
    names: tuple[str, ...]


def _people(connection: sa.Connection) -> _People:
    found: dict[How, set[str]] = {"number": set(), "name": set()}
    for contract, table in _tables(connection.dialect.name):
        for column, how in how_masked(contract).items():
            if how not in ("number", "subject", "name"):
                continue
            query = sa.select(table.c[column]).distinct().where(table.c[column].is_not(None))
            if how == "subject":
                query = query.where(table.c.subject_kind == "employee")
            found["name" if how == "name" else "number"] |= set(connection.execute(query).scalars())
    # Titles are left out where people are quoted: "Agus Wanggai, S.Sos." is Agus Wanggai too.
    plain = {name.partition(",")[0].strip() for name in found["name"]}
    return _People(frozenset(found["number"]), tuple(sorted((found["name"] | plain) - {""}, key=len, reverse=True)))


def _tables(dialect: str) -> Iterator[tuple[Contract, sa.Table]]:
    outgoing = load_contracts().outgoing
    tables = {table.name: table for table in warehouse_tables(outgoing, dialect).sorted_tables}
    for name, contract in outgoing.items():
        yield contract, tables[name]


def _copied(connection: sa.Connection, copy: sa.Engine, people: _People, key: str) -> dict[str, int]:
    targets = {contract.name: table for contract, table in _tables("sqlite")}
    counts: dict[str, int] = {}
    with writing(copy) as target:
        for contract, table in _tables(connection.dialect.name):
            counts[contract.name] = 0
            regions = connection.execute(sa.select(table.c.region).distinct().order_by(table.c.region)).scalars()
            for region in regions.all():
                query = sa.select(*(table.c[c] for c in contract.names)).where(table.c.region == region)
                rows = [tuple(row) for row in connection.execute(query)]
                frame = pl.DataFrame(rows, schema=_read_schema(contract, connection.dialect.name), orient="row")
                insert_rows(target, targets[contract.name], masked(contract, frame, people.numbers, people.names, key))
                counts[contract.name] += len(rows)
    return counts


def _read_schema(contract: Contract, dialect: str) -> dict[str, Any]:
    schema: dict[str, Any] = dict(outgoing_schema(contract))
    if dialect == "sqlite":
        # SQLite hands back the UTC instant without its zone.
        schema |= {c.name: pl.Datetime("us") for c in contract.columns if c.kind == "timestamp"}
    return schema


def masked(
    contract: Contract, frame: pl.DataFrame, numbers: Collection[str], names: Collection[str], key: str
) -> pl.DataFrame:
    """The frame with nobody in it who can be named, in the order of its masked keys."""
    changed: list[pl.Series] = []
    for column, how in how_masked(contract).items():
        match how:
            case "name":
                changed.append(_replaced(frame[column], lambda _: NO_NAME))
            case "number":
                changed.append(_replaced(frame[column], lambda number: pseudonym(key, number)))
            case "subject":
                own = _replaced(frame[column], lambda number: pseudonym(key, number))
                is_person = frame["subject_kind"] == "employee"
                changed.append(own.zip_with(is_person, frame[column]))
            case "led":
                # It begins with the row's subject_id, whose pseudonym takes its place.
                own = _replaced(frame["subject_id"], lambda number: pseudonym(key, number))
                rest = frame.select(pl.col(column).str.slice(pl.col("subject_id").str.len_chars())).to_series()
                changed.append((own + rest).zip_with(frame["subject_kind"] == "employee", frame[column]).alias(column))
            case "text":
                changed.append(_swept(frame[column], numbers, names, key))
            case _:
                pass
    return frame.with_columns(changed).sort(contract.key)


def _replaced(values: pl.Series, new: Callable[[str], str]) -> pl.Series:
    """Each different value replaced once."""
    old = values.drop_nulls().unique()
    return values.replace_strict(old, pl.Series([new(v) for v in old], dtype=pl.String), default=None)


def _swept(texts: pl.Series, numbers: Collection[str], names: Collection[str], key: str) -> pl.Series:
    """Texts without the numbers and names that they quote; the few that quote any are looked at one by one."""
    known = [*numbers, *names]
    different = texts.drop_nulls().unique()
    is_suspect = different.str.contains("[0-9]{18}")
    if known:
        is_suspect |= (
            different.to_frame().select(pl.nth(0).str.contains_any(known, ascii_case_insensitive=True)).to_series()
        )
    suspects = different.filter(is_suspect)
    if suspects.is_empty():
        return texts
    return texts.replace(suspects, pl.Series([_clean(t, numbers, names, key) for t in suspects], dtype=pl.String))


def _clean(text: str, numbers: Collection[str], names: Collection[str], key: str) -> str:
    clean = _NUMBER.sub(lambda found: pseudonym(key, found.group()), text)
    for number in {m.group(1) for m in re.finditer("(?=([0-9]{18}))", clean)} & set(numbers):
        clean = clean.replace(number, pseudonym(key, number))
    for name in names:
        if name.lower() in clean.lower():
            clean = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", NO_NAME, clean, flags=re.IGNORECASE)
    return clean


def _closed(copy: sa.Engine) -> None:
    """One file, readable from a medium that cannot be written: no write-ahead log beside it, no free pages in it."""
    driver: Any = copy.raw_connection()
    try:
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        driver.execute("PRAGMA journal_mode = DELETE")
        driver.execute("VACUUM")
    finally:
        driver.close()
        copy.dispose()


def _left(file: Path, numbers: Collection[str]) -> int:
    """How many of the numbers stand in the bytes of the file."""
    wanted = {number.encode() for number in numbers}
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return len({m.group(1) for m in re.finditer(rb"(?=([0-9]{18}))", content)} & wanted)
