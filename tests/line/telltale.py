"""Finds marked texts in whatever a deployment leaves behind: unpacked and unescaped.

Here: bytes of any kind -> their texts -> which marks stand there. Not here: what is marked and where it may stand.
"""

from __future__ import annotations

import base64
import contextlib
import html
import io
import json
import re
import sqlite3
import urllib.parse
import zipfile
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import polars as pl

_ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})|\\+x([0-9a-fA-F]{2})|_x([0-9a-fA-F]{4})_")
_INLINE = re.compile(r";base64,([A-Za-z0-9+/=]+)")
_PACKED = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b")


class Search:
    """Which of the marks stand in a text, however the text writes them."""

    def __init__(self, marks: Iterable[str]) -> None:
        marks = {mark.casefold(): mark for mark in marks}
        assert marks, "a search for nothing finds nothing"
        self._marks = marks
        self._pattern = re.compile("|".join(re.escape(m) for m in sorted(marks, key=len, reverse=True)))

    def of_text(self, text: str) -> set[str]:
        return {self._marks[m] for form in _forms(text) for m in self._pattern.findall(form.casefold())}

    def of_bytes(self, content: bytes) -> set[str]:
        """Marks in the bytes themselves and in what they unpack to."""
        found: set[str] = set()
        for text in _decoded(content):
            found |= self.of_text(text)
            for inline in _INLINE.findall(text):
                found |= self.of_bytes(base64.b64decode(inline))
        for packed in _unpacked(content):
            found |= self.of_bytes(packed)
        return found

    def of_file(self, file: Path) -> set[str]:
        """Marks in the file's bytes, its name, and in the cells of a table or database."""
        found = self.of_text(file.name) | self.of_bytes(file.read_bytes())
        for cells in columns_of(file).values():
            found |= self.of_cells(cells)
        return found

    def of_cells(self, cells: Collection[str | bytes]) -> set[str]:
        found: set[str] = set()
        for cell in cells:
            found |= self.of_text(cell) if isinstance(cell, str) else self.of_bytes(cell)
        return found

    def of_folder(self, folder: Path) -> dict[str, set[str]]:
        """The files below the folder that hold marks, and which."""
        files = sorted(file for file in folder.rglob("*") if file.is_file())
        found = {str(file.relative_to(folder)): self.of_file(file) for file in files}
        return {file: marks for file, marks in found.items() if marks}


def columns_of(file: Path) -> dict[str, list[str | bytes]]:
    """The different texts of each column of a Parquet file or SQLite database; nothing of another kind of file."""
    with file.open("rb") as opened:
        head = opened.read(16)
    if head.startswith(b"PAR1"):
        frame = pl.read_parquet(file)
        return {name: _cells(frame[name]) for name in frame.columns}
    if head.startswith(b"SQLite format 3"):
        return dict(_of_database(file))
    return {}


def _cells(values: pl.Series) -> list[str | bytes]:
    if values.dtype == pl.String:
        return values.drop_nulls().unique().to_list()
    return [json.dumps(v, default=str, ensure_ascii=False) for v in values.drop_nulls().to_list()]


def _of_database(file: Path) -> Iterator[tuple[str, list[str | bytes]]]:
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall():
            for column in [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]:
                cells = connection.execute(
                    f'SELECT DISTINCT "{column}" FROM "{table}" WHERE typeof("{column}") IN (\'text\', \'blob\')'
                )
                yield f"{table}.{column}", [cell for (cell,) in cells]


def _decoded(content: bytes) -> Iterator[str]:
    yield content.decode("utf-8", errors="replace")
    if b"\0" in content[:100_000]:
        for start in (0, 1):
            yield content[start:].decode("utf-16-le", errors="replace")
            yield content[start:].decode("utf-16-be", errors="replace")


def _unpacked(content: bytes) -> Iterator[bytes]:
    if content.startswith(b"PK"):
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield archive.read(name)
    if content.startswith(_PACKED):
        with contextlib.suppress(zlib.error):
            yield zlib.decompress(content, wbits=47)


def _forms(text: str) -> Iterator[str]:
    """The text as it stands and as its reader sees it: escapes of HTML, addresses, JSON undone, and those in them."""
    yield text
    for _ in range(3):
        plain = _ESCAPE.sub(lambda m: chr(int(m.group(1) or m.group(2) or m.group(3), 16)), text)
        plain = urllib.parse.unquote(html.unescape(plain), errors="replace")
        if plain == text:
            return
        yield plain
        text = plain
