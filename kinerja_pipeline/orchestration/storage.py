"""The lake: one Parquet file per table, region and month, and JSON documents, written beside and then renamed.

Here: paths, reading and writing whole files or their parts. Not here: what is landed
(landing keeps its own files under lake/landing) and anything about databases.
"""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, TypeVar

import polars as pl
from polars.io.plugins import register_io_source

T = TypeVar("T")
PART_ROWS = 2_000_000
"""Rows that are read together where a table is read in parts."""


@dataclass(frozen=True, slots=True)
class Lake:
    """The Parquet files of a home, by room, table, region and month (None for what has no months)."""

    root: Path

    def path(self, room: str, table: str, region: str, month: str | None = None) -> Path:
        place = self.root / room / table
        return place / region / f"{month}.parquet" if month else place / f"{region}.parquet"

    def write(self, frame: pl.DataFrame, room: str, table: str, region: str, month: str | None = None) -> Path:
        """Writes the whole frame beside the old file, then renames: a reader sees all of the old or all of the new."""
        target = self.path(room, table, region, month)
        with whole_file(target) as file:
            frame.write_parquet(file, compression="zstd", statistics=True)
        return target

    def write_parts(
        self,
        parts: Iterable[pl.DataFrame],
        told: Callable[[pl.DataFrame], T],
        room: str,
        table: str,
        region: str,
        month: str | None = None,
    ) -> list[T]:
        """Writes the rows of all parts, one after the other, as `write` writes a frame; no more than a few parts stand
        in memory. Returns what `told` says of each part. All parts but the first are made in another thread; what
        goes wrong there is raised here as it is, since who is told of it and whether a run tries again goes by it."""
        following = iter(parts)
        first = next(following)
        remembered: list[T] = []
        faults: list[Exception] = []

        def each(*_: object) -> Iterator[pl.DataFrame]:
            try:
                for part in chain([first], following):
                    remembered.append(told(part))
                    yield part
            except Exception as fault:
                faults.append(fault)
                raise

        with whole_file(self.path(room, table, region, month)) as file:
            try:
                register_io_source(each, schema=first.schema).sink_parquet(file, compression="zstd", statistics=True)
            except Exception as error:
                raise (faults or [error])[0] from None
        return remembered

    def document_path(self, room: str, name: str, region: str, month: str | None = None) -> Path:
        return self.path(room, name, region, month).with_suffix(".json")

    def write_document(
        self, document: Mapping[str, Any], room: str, name: str, region: str, month: str | None = None
    ) -> Path:
        """Writes a JSON document as `write` writes a frame; the same content gives the same bytes."""
        target = self.document_path(room, name, region, month)
        with whole_file(target) as file:
            file.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
        return target

    def document_months(self, room: str, name: str, region: str) -> list[str]:
        """The months that have a document, in order."""
        return sorted(p.stem for p in (self.root / room / name / region).glob("[0-9]*.json"))

    def read_document(self, room: str, name: str, region: str, month: str | None = None) -> dict[str, Any]:
        """The document; raises FileNotFoundError when there is none."""
        document: dict[str, Any] = json.loads(self.document_path(room, name, region, month).read_bytes())
        return document

    def months(self, room: str, table: str, region: str) -> list[str]:
        """The months that have a file, in order."""
        return sorted(p.stem for p in (self.root / room / table / region).glob("[0-9]*.parquet"))

    def has(self, room: str, table: str, region: str, month: str | None = None) -> bool:
        return self.path(room, table, region, month).is_file()

    def read(
        self,
        room: str,
        table: str,
        region: str,
        months: str | Iterable[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """The rows of the given months that have a file (of the region's one file when None), or only some columns.

        Raises FileNotFoundError when there is none of them: an empty partition has a file too.
        """
        wanted_columns = None if columns is None else list(columns)
        files = self._files(room, table, region, months)
        return pl.concat([pl.read_parquet(p, columns=wanted_columns) for p in files], how="vertical")

    def scan(self, room: str, table: str, region: str, months: str | Iterable[str] | None = None) -> pl.LazyFrame:
        """The same rows, read when they are collected: of a table that is ordered by what is asked for (people by
        NIP) only the stretches of the file that can hold it. Raises FileNotFoundError like `read`."""
        return pl.concat(
            [pl.scan_parquet(p, glob=False, hive_partitioning=False) for p in self._files(room, table, region, months)],
            how="vertical",
        )

    def read_parts(
        self,
        room: str,
        table: str,
        region: str,
        months: str | Iterable[str] | None = None,
        columns: Sequence[str] | None = None,
    ) -> Iterator[pl.DataFrame]:
        """The same rows in the same order, PART_ROWS of them at a time; at least one part, which may be empty.
        Raises FileNotFoundError like `read`."""
        rows = self.scan(room, table, region, months)
        rows = rows if columns is None else rows.select(columns)
        count = rows.select(pl.len()).collect().item()
        for start in range(0, max(count, 1), PART_ROWS):
            yield rows.slice(start, PART_ROWS).collect()

    def _files(self, room: str, table: str, region: str, months: str | Iterable[str] | None) -> list[Path]:
        wanted: list[str | None] = [None] if months is None else [months] if isinstance(months, str) else list(months)
        files = [p for m in wanted if (p := self.path(room, table, region, m)).is_file()]
        if not files:
            raise FileNotFoundError(
                f"{room}/{table} of {region} has no data for {', '.join(m or 'the region' for m in wanted)}; "
                f"materialize {room}/{table} for it first"
            )
        return files


@contextmanager
def whole_file(target: Path) -> Iterator[IO[bytes]]:
    """A file beside the target that takes its place when all is written; a failure leaves the old file and no other."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(target.parent)) from error
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}.", suffix=".tmp")
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
