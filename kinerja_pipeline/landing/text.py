"""Text tables: attlog.dat of attendance devices, and CSV as offices write it.

Here: encodings, lines, quotes, short and long rows. Not here: what the columns mean (landing/reshape).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

import polars as pl

from kinerja_pipeline.landing.source import (
    HEADER_ROWS,
    MAX_CELL,
    NUL_SHOWN,
    RAW_LENGTH,
    UnreadableFile,
    Wanted,
    find_header,
    huge_cell,
    mapping_fault,
    missing_column,
    positions_of,
    refuse_many_columns,
    title,
)
from kinerja_pipeline.policies.mapping import FileMapping

MAX_ROW_LINES = 200
CHUNK = 50_000
HEADER_LINES = 100 + MAX_ROW_LINES
_COUNTS = {"_source_row": pl.UInt32, "n": pl.UInt32}

ATTLOG_COLUMNS = ("pin", "tapped_at", "device_number", "state_code", "verify_code", "work_code")


def _lines(data: bytes) -> pl.DataFrame:
    """One row per physical line of UTF-8 text: `line` without its line end, `_source_row` from 1."""
    lines = pl.read_lines(data, name="line")
    return lines.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("_source_row"))


def utf8(data: bytes, path: str, encoding: str) -> bytes:
    """The text as UTF-8 without byte order mark. Raises UnreadableFile where it is not of the stated encoding."""
    if encoding == "utf-16":
        return _decoded(data, path, "utf-16")
    data = data.rstrip(b"\0")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data.count(0) * 4 > len(data):
        raise UnreadableFile(
            path,
            "line 1",
            f"the text is UTF-16, not {encoding}",
            "State encoding: utf-16 in the mapping, or save as UTF-8",
        )
    if encoding == "windows-1252" and not data.startswith(b"\xef\xbb\xbf"):
        try:
            # Text of another encoding is practically never valid UTF-8 by chance: the supplier has switched to it.
            data.decode("utf-8")
        except UnicodeDecodeError:
            return _decoded(data, path, "cp1252")
    data = data.removeprefix(b"\xef\xbb\xbf")
    _decoded(data, path, "utf-8")
    return data


def _decoded(data: bytes, path: str, codec: str) -> bytes:
    name = {"cp1252": "windows-1252"}.get(codec, codec)
    try:
        text = data.decode(codec)
    except UnicodeError as error:
        line = data[: getattr(error, "start", 0)].count(b"\n") + 1
        other = "windows-1252" if codec == "utf-8" else "utf-8"
        remedy = f"Save the file as UTF-8, or state its encoding (perhaps {other}) in the mapping"
        raise UnreadableFile(path, f"line {line}", f"the bytes are not {name} text", remedy) from None
    return data if codec == "utf-8" else text.removeprefix("\ufeff").rstrip("\0").encode()


def read_attlog(data: bytes, path: str, wanted: Wanted) -> pl.DataFrame:
    """attlog.dat of ZKTeco and Solution devices: PIN (right-aligned), local time, device, state, verify, work code.

    A line that is cut, or has NULs before its end (its beginning was overwritten), is one row `line__unreadable`.
    """
    for name in wanted.needed:
        if name not in ATTLOG_COLUMNS:
            raise missing_column(path, "the attlog layout", name, ATTLOG_COLUMNS)
    if data.startswith((b"\xff\xfe", b"\xfe\xff", b"PK\x03\x04")):
        raise UnreadableFile(path, "line 1", "this is not an attlog.dat", "Copy the file from the device again")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if (regular := _regular_attlog(data)) is not None:
        return regular
    try:
        lines = _lines(data)
    except pl.exceptions.ComputeError:
        lines = _lines(data.decode("utf-8", "replace").encode())
    text = pl.col("line").str.strip_chars_end(" \r\0\x1a")
    lines = lines.filter(pl.col("line").str.strip_chars(" \t\r\0\x1a") != "").with_columns(text)
    cells = lines.select("_source_row", "line", pl.col("line").str.split("\t").alias("cells"))
    count = pl.col("cells").list.len()
    # Some firmware writes no work code; a file is read with the width most of the layout says, never line by line.
    width = 6 if cells.select((count >= 6).any()).item() else 5
    stripped = [
        pl.col("cells").list.get(i, null_on_oob=True).str.strip_chars(" ").alias(n)
        for i, n in enumerate(ATTLOG_COLUMNS)
    ]
    bad = (
        (count < width)
        | pl.col("line").str.contains("\0", literal=True)
        | (pl.col("pin") == "")
        | (pl.col("tapped_at") == "")
    )
    rows = cells.with_columns(stripped).with_columns(bad.alias("_bad"))
    if len(rows) and rows["_bad"].all():
        raise UnreadableFile(
            path,
            f"line {rows['_source_row'][0]}",
            "no line has the tab-separated cells of an attlog.dat",
            "Copy the file from the device again, or name its reader in the mapping",
        )
    raw = pl.col("line").str.slice(0, RAW_LENGTH).str.replace_all("\0", NUL_SHOWN, literal=True)
    return rows.select(
        *(pl.when(~pl.col("_bad")).then(n).alias(n) for n in ATTLOG_COLUMNS),
        "_source_row",
        pl.when("_bad").then(pl.lit("line__unreadable")).alias("_problem"),
        pl.when("_bad").then(raw).alias("_raw"),
    )


def _regular_attlog(data: bytes) -> pl.DataFrame | None:
    """The rows of a file whose every line has exactly its six cells, all filled: most files, and twice as fast."""
    rows = data.count(b"\n") + (not data.endswith(b"\n"))
    if 0 in data or b"\x1a" in data or data.count(b"\t") != 5 * rows:
        return None
    schema = dict.fromkeys(ATTLOG_COLUMNS, pl.String)
    try:
        cells = pl.read_csv(data, has_header=False, separator="\t", quote_char=None, schema=schema, infer_schema=False)
    except pl.exceptions.PolarsError:
        return None
    # Five tabs a line on average and a sixth cell in every line: five tabs in every line.
    if cells.height != rows or any(column.null_count() for column in cells):
        return None
    none = pl.lit(None, pl.String)
    cells = cells.with_columns(
        pl.col(ATTLOG_COLUMNS).str.strip_chars(" "),
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("_source_row"),
        none.alias("_problem"),
        none.alias("_raw"),
    )
    is_odd = (pl.col("pin") == "") | (pl.col("tapped_at") == "") | pl.col("work_code").str.ends_with("\r")
    return None if cells.select(is_odd.any()).item() else cells


def read_csv(data: bytes, path: str, mapping: FileMapping, wanted: Wanted) -> pl.DataFrame:
    """CSV as offices write it: lines without quotes are split at once, only lines with quotes take the csv module.

    A row with too few cells is `row__short`, with too many `row__long`; a quote that never closes costs its line only.
    """
    if len(mapping.delimiter) != 1 or mapping.delimiter in '"\r\n':
        raise mapping_fault(path, f"delimiter {mapping.delimiter!r} is not one character", mapping.delimiter, ())
    text = utf8(data, path, mapping.encoding)
    if b"\n" not in text:
        text = text.replace(b"\r", b"\n")
    lines = _lines(text)
    names, start = _csv_header(lines["line"].head(HEADER_LINES).to_list(), path, mapping, wanted)
    refuse_many_columns(path, f"line {start}", len(names))
    positions = positions_of(names, path, f"line {start}" if start else "column_names", wanted)
    padding = " \t\r\0\x1a".replace(mapping.delimiter, "")
    body = lines.slice(start)
    rows = _csv_rows(body, mapping.delimiter, path)
    rows = rows.filter(
        pl.col("cells").is_null() | pl.col("cells").list.eval(pl.element().str.strip_chars(padding) != "").list.any()
        if _has_hollow(rows, padding, mapping.delimiter)
        else pl.lit(True)
    )
    count = pl.col("cells").list.len()
    refuse_many_columns(path, "a row", rows.select(count.max()).item() or 0)
    problem = (
        pl.when(pl.col("cells").is_null())
        .then(pl.lit("line__unreadable"))
        .when(count < len(names))
        .then(pl.lit("row__short"))
        .when(count > len(names))
        .then(pl.lit("row__long"))
    )
    kept = [i for i, name in enumerate(names) if positions.get(name) == i and name in wanted.feeds]
    is_open = len(kept) < len(names)
    # In a row with a cell too many, the cells after the first column nobody mapped may be that column's: they may hold
    # what must never enter the lake.
    safe = next((i for i in range(len(names)) if i not in kept), len(names))
    cells = [
        pl.when((count <= len(names)) | (at < safe)).then(pl.col("cells").list.get(at, null_on_oob=True)).alias(name)
        if is_open
        else pl.col("cells").list.get(at, null_on_oob=True).alias(name)
        for name, at in positions.items()
    ]
    frame = rows.with_columns(problem.alias("_problem")).select(*cells, "_source_row", "_problem", "line", "cells")
    frame = _csv_raw(frame, names, kept, safe, is_open, mapping.delimiter)
    if 0 in text:
        frame = frame.with_columns(pl.col(*positions, "_raw").str.replace_all("\0", NUL_SHOWN, literal=True))
    return frame.with_columns(pl.lit(None, pl.String).alias(n) for n in wanted.welcome if n not in positions)


def _csv_raw(
    frame: pl.DataFrame, names: list[str], kept: list[int], safe: int, is_open: bool, delimiter: str
) -> pl.DataFrame:
    """`_raw` of the rows with a problem: the whole text where every column is mapped, else the mapped cells alone."""
    raw = []
    wrong = frame.filter(pl.col("_problem").is_not_null())
    for line, cells in zip(wrong["line"].to_list(), wrong["cells"].to_list(), strict=True):
        if not is_open:
            raw.append((line if cells is None else delimiter.join(c or "" for c in cells))[:RAW_LENGTH])
        elif cells is None:
            raw.append(None)
        else:
            known = [i for i in kept if i < len(cells) and (len(cells) <= len(names) or i < safe)]
            raw.append(delimiter.join(cells[i] or "" for i in known)[:RAW_LENGTH] or None)
    texts = pl.DataFrame({"_source_row": wrong["_source_row"], "_raw": pl.Series(raw, dtype=pl.String)})
    return frame.drop("line", "cells").join(texts, on="_source_row", how="left", maintain_order="left")


def _has_hollow(rows: pl.DataFrame, padding: str, delimiter: str) -> bool:
    """Whether any line holds nothing but delimiters, quotes and blanks: cheap to ask, and nearly always no."""
    return bool(rows.select((pl.col("line").str.strip_chars(padding + delimiter + '"') == "").any()).item())


def _csv_header(lines: Sequence[str], path: str, mapping: FileMapping, wanted: Wanted) -> tuple[list[str], int]:
    """The column names, and how many lines stand before the first row."""
    if mapping.column_names:
        return list(mapping.column_names), min(mapping.header_row, len(lines))
    top: list[tuple[int, list[str], int]] = []
    at = 0
    while at < min(len(lines), max(HEADER_ROWS, mapping.header_row)):
        cells, taken = _quoted_row(lines, at, mapping.delimiter)
        if cells is not None:
            refuse_many_columns(path, f"line {at + 1}", len(cells))
            top.append((at + 1, [title(c) for c in cells], at + taken))
        at += taken
    found = find_header([(line, cells) for line, cells, _ in top], mapping.header_row, path, "line", wanted)
    return next((cells, after) for line, cells, after in top if line == found)


def _csv_rows(body: pl.DataFrame, delimiter: str, path: str) -> pl.DataFrame:
    """`line`, `_source_row`, `cells` of every row; cells are null where a quote never closes."""
    longest = body.select(pl.col("line").str.len_bytes().max()).item() or 0
    split = body.with_columns(pl.col("line").str.split(delimiter).alias("cells"))
    if longest > MAX_CELL:
        long = split.filter(pl.col("line").str.len_bytes() > MAX_CELL).explode("cells")
        row = long.filter(pl.col("cells").str.len_chars() > MAX_CELL)["_source_row"]
        if len(row):
            raise huge_cell(path, f"line {row[0]}")
    quoted = body["line"].str.contains('"', literal=True).arg_true()
    if not len(quoted):
        return split
    lines = body["line"].to_list()
    first = int(body["_source_row"][0])
    taken_rows: list[int] = []
    places: list[int] = []
    read: list[list[str] | None] = []
    parts: list[pl.DataFrame] = []
    free = 0
    for at in quoted.to_list():
        if at < free:
            continue
        cells, taken = _quoted_row(lines, at, delimiter)
        free = at + taken
        taken_rows.extend(range(first + at, first + free))
        places.append(first + at)
        read.append(cells)
        if len(places) == CHUNK:
            parts.append(_own_rows(places, read))
            places, read = [], []
    own = pl.concat([*parts, _own_rows(places, read)]).join(body, on="_source_row", how="left", maintain_order="left")
    plain = split.join(
        pl.DataFrame({"_source_row": pl.Series(taken_rows, dtype=pl.UInt32)}), on="_source_row", how="anti"
    )
    return pl.concat([plain.select(split.columns), own.select(split.columns)]).sort("_source_row")


def _own_rows(places: list[int], read: list[list[str] | None]) -> pl.DataFrame:
    # Built flat and grouped: a column made of Python lists costs a Series per row.
    whole = [(place, cells) for place, cells in zip(places, read, strict=True) if cells is not None]
    counts = pl.DataFrame({"_source_row": [p for p, _ in whole], "n": [len(c) for _, c in whole]}, schema=_COUNTS)
    flat = counts.select(pl.col("_source_row").repeat_by("n").explode()).with_columns(
        pl.Series("cells", [cell for _, cells in whole for cell in cells], dtype=pl.String)
    )
    broken = pl.Series("_source_row", [p for p, c in zip(places, read, strict=True) if c is None], dtype=pl.UInt32)
    nothing = pl.lit(None, pl.List(pl.String)).alias("cells")
    return pl.concat([flat.group_by("_source_row", maintain_order=True).all(), broken.to_frame().with_columns(nothing)])


def _quoted_row(lines: Sequence[str], at: int, delimiter: str) -> tuple[list[str] | None, int]:
    """The cells of the row that starts at line `at` and how many lines it takes; None where a quote never closes."""
    line = lines[at]
    if '"' not in line:
        return line.split(delimiter), 1
    taken = 0

    def feed() -> Iterator[str]:
        nonlocal taken
        for position in range(at, min(at + MAX_ROW_LINES, len(lines))):
            taken += 1
            yield lines[position] + "\n"

    csv.field_size_limit(MAX_CELL)
    try:
        return next(csv.reader(feed(), delimiter=delimiter, strict=True)), taken
    except (csv.Error, StopIteration):
        return None, 1
