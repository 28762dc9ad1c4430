"""An empty file for a supplier to fill in: the header that a contract asks for, and a sheet that explains it.

Here: Contract -> bytes of a CSV or a workbook. Not here: reading deliveries (landing/).
"""

from __future__ import annotations

import io
from collections.abc import Iterator

from kinerja_pipeline.contracts.model import Column, Contract

HEADINGS = ("column", "type", "required", "codes and limits", "description")


def csv_template(contract: Contract) -> bytes:
    """The header line alone."""
    return (",".join(contract.names) + "\n").encode()


def xlsx_template(contract: Contract) -> bytes:
    """A workbook whose first sheet is the header (as text, so that long numbers keep their digits); the second
    explains each column."""
    import xlsxwriter

    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True})
    sheet, words = book.add_worksheet(contract.name[:31]), book.add_worksheet("columns explained")
    sheet.set_column(0, len(contract.columns) - 1, 20, text)
    sheet.write_row(0, 0, contract.names, bold)
    words.write_row(0, 0, HEADINGS, bold)
    words.set_column(0, len(HEADINGS) - 1, 30)
    for row, column in enumerate(contract.columns, start=1):
        required = "yes" if column.is_required else "no"
        cells = (column.name, column.kind, required, "; ".join(_limits(column)), column.description)
        for place, cell in enumerate(cells):
            words.write_string(row, place, cell)
    book.close()
    return file.getvalue()


def _limits(column: Column) -> Iterator[str]:
    if column.codes:
        yield f"one of {', '.join(column.codes)}"
    if column.pattern is not None:
        yield f"matches {column.pattern}"
    if column.min_length is not None:
        yield f"at least {column.min_length} characters"
    if column.max_length is not None:
        yield f"at most {column.max_length} characters"
    if column.minimum is not None:
        yield f"at least {column.minimum}"
    if column.maximum is not None:
        yield f"at most {column.maximum}"
    if column.reference is not None:
        table, name = column.reference
        yield f"a {name} of {table}"
