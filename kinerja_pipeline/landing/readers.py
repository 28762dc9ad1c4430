"""Bytes of one delivered file -> an all-text frame with the place of every row.

Here: which reader reads a file, and what holds for all of them. Not here: the formats (text, workbook, records), what
the columns mean (landing/reshape), whether a value is right (validated/).
A line or row with nothing in it (blanks, NUL padding, only delimiters) is not a row.
"""

from __future__ import annotations

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.landing.records import read_jsonl, read_parquet
from kinerja_pipeline.landing.source import UnreadableFile, refuse_huge_cells, wanted_columns
from kinerja_pipeline.landing.text import read_attlog, read_csv
from kinerja_pipeline.landing.workbook import SHEET_ROWS, read_xlsx
from kinerja_pipeline.policies.mapping import FileMapping

__all__ = ["UnreadableFile", "place_in", "read_source"]

_ROW_FILES = (".xlsx", ".parquet")


def read_source(data: bytes, path: str, mapping: FileMapping, contract: Contract) -> pl.DataFrame:
    """One row per row of the file: the mapping's source columns as text, `_source_row`, `_problem`, `_raw`.

    `path` names the file in messages only. Raises UnreadableFile.
    """
    wanted = wanted_columns(path, mapping, contract)
    if not data.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").strip(b"\0 \t\r\n"):
        raise UnreadableFile(path, "the whole file", "it is empty", "Export it again and deliver the new file")
    match mapping.reader:
        case "attlog":
            source = read_attlog(data, path, wanted)
        case "csv":
            source = read_csv(data, path, mapping, wanted)
        case "xlsx":
            source = read_xlsx(data, path, mapping, contract, wanted)
        case "jsonl":
            source = read_jsonl(data, path, mapping, contract, wanted)
        case "parquet":
            source = read_parquet(data, path, contract, wanted)
    refuse_huge_cells(source, path)
    return source


def place_in(file_name: str, source_row: int) -> tuple[str, int, int | None]:
    """Where a row stands, as people look it up: `line` or `row`, its number, and the sheet's where several are read."""
    is_rows = file_name.lower().endswith(_ROW_FILES)
    sheet, row = divmod(source_row, SHEET_ROWS) if is_rows else (0, source_row)
    return ("row" if is_rows else "line", row, sheet + 1 if sheet else None)
