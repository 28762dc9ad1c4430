"""Workbooks (.xlsx): sheets as text, with what a workbook can hide: lost digits, stray cells, bombs.

Here: opening, measuring and reading sheets. Not here: other formats, and what the columns mean (landing/reshape).
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from array import array
from fnmatch import fnmatchcase
from string import ascii_uppercase
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.parsers import expat

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.landing.source import (
    HEADER_ROWS,
    UnreadableFile,
    Wanted,
    find_header,
    is_bomb,
    mapping_fault,
    nearest,
    positions_of,
    refuse_bomb,
    refuse_many_columns,
    title,
    with_numeric,
)
from kinerja_pipeline.policies.mapping import FileMapping

if TYPE_CHECKING:
    from fastexcel import ExcelReader

MAX_XLSX_CELLS = 100_000_000
MAX_BOOK_BYTES = 16 * 1024**2
_CELL_BYTES = 32
"""What the spreadsheet reader holds for a cell of the sheet's rectangle, be it empty."""
MAX_SHEETS = 400
SHEET_ROWS = 10_000_000
"""What a row's number grows by from sheet to sheet where several are read, so that it names one row of the file."""


def read_xlsx(data: bytes, path: str, mapping: FileMapping, contract: Contract, wanted: Wanted) -> pl.DataFrame:
    """The workbook's first sheet, the named one, or all whose names fit a pattern, as text. A number where a text of
    more than 15 digits belongs has lost its last digits: such a row is `<column>__numeric`."""
    archive = _opened(data, path)
    import fastexcel

    try:
        workbook = fastexcel.read_excel(data)
        chosen = _chosen(path, mapping.sheet, workbook.sheet_names)
        is_pattern = mapping.sheet is not None and _is_pattern(mapping.sheet)
        parts = []
        for place, sheet in chosen:
            frame = _sheet(workbook, archive, sheet, path, mapping, contract, wanted, may_be_empty=is_pattern)
            if frame is not None:
                before = place * SHEET_ROWS if is_pattern else 0
                parts.append(_placed(frame, before, mapping.sheet_as, sheet))
    except UnreadableFile:
        raise
    except BaseException as error:  # a panic of the Rust reader is no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise _damaged(path, f"the reader stopped with {type(error).__name__}") from None
    if not parts:
        remedy = "Deliver a sheet with a header row and rows below it"
        raise UnreadableFile(path, f"the sheets '{mapping.sheet}'", "all of them are empty", remedy)
    return pl.concat(parts, how="diagonal")


def _is_pattern(sheet: str) -> bool:
    # No spreadsheet program allows these in a sheet's name.
    return any(mark in sheet for mark in "*?[")


def _chosen(path: str, sheet: str | None, sheets: list[str]) -> list[tuple[int, str]]:
    """The sheets to read, each with its place in the workbook (from 0)."""
    if sheet is None:
        return [(0, sheets[0])]
    if not _is_pattern(sheet):
        found = [(place, name) for place, name in enumerate(sheets) if name == sheet]
        problem, hint = "there is no such sheet", nearest(sheet, sheets)
    else:
        found = [(place, name) for place, name in enumerate(sheets) if fnmatchcase(name.casefold(), sheet.casefold())]
        problem, hint = "no sheet's name fits this pattern", ""
    if not found:
        remedy = f"Name one of its sheets ({', '.join(sheets[:10])}) in the mapping{hint}"
        raise UnreadableFile(path, f"sheet '{sheet}'", problem, remedy)
    if len(sheets) > MAX_SHEETS:
        raise UnreadableFile(path, "the whole file", f"it has {len(sheets):,} sheets", "Deliver fewer in a workbook")
    return found


def _placed(frame: pl.DataFrame, before: int, name_as: str | None, sheet: str) -> pl.DataFrame:
    row = (pl.col("_source_row").cast(pl.Int64) + before).cast(pl.UInt32)
    name = {name_as: pl.lit(sheet)} if name_as else {}
    return frame.with_columns(_source_row=row, **name)


def _sheet(
    workbook: ExcelReader,
    archive: zipfile.ZipFile,
    sheet: str,
    path: str,
    mapping: FileMapping,
    contract: Contract,
    wanted: Wanted,
    *,
    may_be_empty: bool,
) -> pl.DataFrame | None:
    """One sheet as text; None for one without any cell, where the mapping reads several."""
    part = _sheet_part(archive, sheet)
    numeric = _scan_sheet(archive, part, path, sheet)
    _refuse_repeated_texts(archive, part, path)
    loaded = workbook.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
    grid: pl.DataFrame = loaded.to_polars()
    if may_be_empty and not grid.height:
        return None
    left = min((c.absolute_index or 0 for c in loaded.available_columns()), default=0)
    width = left + grid.width
    refuse_many_columns(path, f"sheet '{sheet}'", width)
    if mapping.column_names:
        names, start = list(mapping.column_names), mapping.header_row
    elif mapping.header_row == 0:
        raise mapping_fault(path, "header_row is 0, but no column_names are given", "", ())
    else:
        head = grid.head(max(HEADER_ROWS, mapping.header_row)).rows()
        top = [(i + 1, [""] * left + [title(c) for c in row]) for i, row in enumerate(head)]
        start = find_header(top, mapping.header_row, path, f"sheet '{sheet}', row", wanted)
        names = top[start - 1][1]
    positions = positions_of(names, path, f"sheet '{sheet}', row {start}", wanted)
    cells = {
        n: grid.to_series(at - left) if left <= at < width else pl.Series([None] * grid.height, dtype=pl.String)
        for n, at in positions.items()
    }
    hollow = (
        pl.all_horizontal(pl.col(c).fill_null("").str.strip_chars() == "" for c in grid.columns)
        if grid.width
        else pl.lit(True)
    )
    frame = (
        pl.DataFrame(cells, schema=dict.fromkeys(positions, pl.String))
        .with_columns(
            # A date without a time is a date cell at midnight; the page's dateMeans depends on seeing no time.
            pl.all().str.replace(r"^(\d{4}-\d{2}-\d{2}) 00:00:00$", "$1")
        )
        .with_columns(
            pl.int_range(1, grid.height + 1, dtype=pl.UInt32, eager=True).alias("_source_row"),
            grid.select(hollow.alias("_hollow"))["_hollow"]
            if grid.width
            else pl.Series("_hollow", [], dtype=pl.Boolean),
        )
        .slice(start)
        .filter(~pl.col("_hollow"))
        .drop("_hollow")
    )
    marks = {n: numeric[at] for n, at in positions.items() if at in numeric}
    return with_numeric(frame, marks, contract, wanted)


def _opened(data: bytes, path: str) -> zipfile.ZipFile:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        remedy = "Save it as .xlsx without password and deliver it again"
        raise UnreadableFile(path, "the whole file", "it is an old .xls workbook or protected by a password", remedy)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        infos = archive.infolist()
        # The parts of a bomb may overlap in the file: what they say of their packed size adds up to more than the file.
        refuse_bomb(path, sum(i.file_size for i in infos), min(len(data), sum(i.compress_size for i in infos)))
        # Reads every part: a directory that lies about a part's size fails here, before anything is unpacked whole.
        broken = archive.testzip()
        book = archive.getinfo("xl/workbook.xml").file_size + archive.getinfo("xl/_rels/workbook.xml.rels").file_size
    except UnreadableFile:
        raise
    except Exception as error:  # zipfile lets whatever its parts raise through: zlib, struct, lzma errors
        raise _damaged(path, "it is not an .xlsx workbook") from error
    if broken is not None:
        raise _damaged(path, f"its part '{broken}' is broken")
    if book > MAX_BOOK_BYTES:
        raise _damaged(path, f"its list of sheets takes {book / 1024**2:,.0f} MB")
    return archive


def _damaged(path: str, problem: str) -> UnreadableFile:
    return UnreadableFile(
        path, "the whole file", problem, "Open it in a spreadsheet program, save it as .xlsx, deliver it again"
    )


def _sheet_part(archive: zipfile.ZipFile, sheet: str) -> str:
    """The archive's part that holds the named sheet."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    for element in book.iter():
        if element.tag.rpartition("}")[2] == "sheet" and element.get("name") == sheet:
            identity = next(v for k, v in element.attrib.items() if k.rpartition("}")[2] == "id")
            return posixpath.normpath(posixpath.join("/xl", targets[identity])).lstrip("/")
    raise KeyError(sheet)


def _scan_sheet(archive: zipfile.ZipFile, part: str, path: str, sheet: str) -> dict[int, array[int]]:
    """The rows (from 1) with a number, per column (from 0). Raises UnreadableFile for a sheet too wide to hold.

    The spreadsheet reader gives text without saying what was a number, and takes memory for every cell up to the last.
    """
    numbers: dict[int, array[int]] = {}
    row, column, is_number, last_row, last_column = 0, -1, False, 0, 0
    packed = max(1, sum(i.compress_size for i in archive.infolist()))

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal row, column, is_number, last_row, last_column
        tag = tag.rpartition(":")[2]
        if tag == "c":
            place, before = attributes.get("r"), (row, column)
            column = _column_index(place) if place else column + 1
            if place and (digits := place.lstrip(ascii_uppercase)).isdecimal():
                row = min(int(digits[:9]), 2**31)
            if (row, column) <= before:
                # Of two cells in one place the spreadsheet reader keeps one, and nobody would miss the other.
                raise _damaged(path, f"on sheet '{sheet}' two cells stand in one place, or in no order ({place})")
            if column > last_column:
                last_column = column
                refuse_many_columns(path, f"sheet '{sheet}'", last_column + 1)
            last_row = max(last_row, row)
            is_number = attributes.get("t", "n") == "n"
        elif tag == "v" and is_number:
            numbers.setdefault(column, array("I")).append(row)
        elif tag == "row":
            before_row, row, column = row, min(int(attributes.get("r", row + 1)), 2**31), -1
            if row <= before_row:
                raise _damaged(path, f"on sheet '{sheet}' row {row} stands twice, or in no order")

    def refuse(*_: object) -> None:
        raise _damaged(path, "it holds a document type, which no spreadsheet program writes")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = refuse
    with archive.open(part) as stream:
        parser.ParseFile(stream)
    cells = last_row * (last_column + 1)
    if cells > MAX_XLSX_CELLS or is_bomb(cells * _CELL_BYTES, packed):
        problem = f"a cell stands at row {last_row:,}, column {last_column + 1:,}, far from the table"
        raise UnreadableFile(path, f"sheet '{sheet}'", problem, "Delete the stray cell, or deliver the table as CSV")
    return numbers


def _refuse_repeated_texts(archive: zipfile.ZipFile, part: str, path: str) -> None:
    """A text that many cells share stands in the file once, and takes its length for every cell once it is read."""
    shared = next((name for name in archive.namelist() if name.lower() == "xl/sharedstrings.xml"), None)
    if shared is None:
        return
    texts, cells = archive.read(shared), archive.read(part)
    # The spreadsheet reader makes something of texts that are cut or mixed up; nobody could say of what.
    expat.ParserCreate().Parse(texts, True)
    packed = sum(i.compress_size for i in archive.infolist())
    used = cells.count(b'"s"') + cells.count(b"'s'")
    # Mostly nothing is near the limit, and the texts need not be told apart.
    longest = max(map(len, texts.split(b"</si>")))
    if not is_bomb(used * longest, packed):
        return
    lengths = _text_lengths(texts)
    total, is_shared, is_value, digits = 0, False, False, ""

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal is_shared, is_value, digits
        tag = tag.rpartition(":")[2]
        if tag == "c":
            is_shared = attributes.get("t") == "s"
        is_value, digits = tag == "v" and is_shared, ""

    def text(data: str) -> None:
        nonlocal digits
        if is_value:
            digits = (digits + data)[:12]

    def end(_tag: str) -> None:
        nonlocal is_value, total
        if is_value and digits.strip().isdecimal():
            total += lengths[int(digits)] if int(digits) < len(lengths) else 0
        is_value = False

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, text, end
    parser.Parse(cells, True)
    refuse_bomb(path, total, packed)


def _text_lengths(texts: bytes) -> array[int]:
    """The length of every shared text, in order."""
    lengths = array("Q")

    def start(tag: str, _attributes: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "si":
            lengths.append(0)

    def text(data: str) -> None:
        if lengths:
            lengths[-1] += len(data)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.CharacterDataHandler = start, text
    parser.buffer_text = True
    parser.Parse(texts, True)
    return lengths


def _column_index(place: str) -> int:
    index = 0
    for character in place[:4]:
        if not "A" <= character <= "Z":
            break
        index = index * 26 + ord(character) - 64
    return index - 1
