"""Workbooks that run nothing: whatever a file or a person wrote stays a text in the cell.

Here: a book that takes no text for a formula, a link or a number, and how a text is written into it. Not here: what
stands in a workbook (validated/verdict_workbook, reports/workbook).
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

MOST_CHARACTERS = 32_000
"""Of a cell; the format ends at 32,767."""
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet may take for the beginning of a formula."""


class Look(NamedTuple):
    """How a cell looks, and the same for a text that a spreadsheet might take for a formula."""

    plain: Any
    quoted: Any


def new_book(file: io.BytesIO) -> Any:
    """An xlsxwriter workbook into `file`; `close()` writes it."""
    import xlsxwriter

    never = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    return xlsxwriter.Workbook(file, {"in_memory": True, **never})


def text_look(book: Any, **shape: Any) -> Look:
    """The look of text cells of that shape (bold, bg_color, ...)."""
    return Look(*(book.add_format({**shape, "num_format": "@", "quote_prefix": is_quoted}) for is_quoted in (0, 1)))


def write_text(sheet: Any, row: int, column: int, text: str | None, look: Look) -> None:
    """A cell as text; what could start a formula is quoted as a spreadsheet quotes it, so that editing the cell or
    saving it elsewhere keeps it a text."""
    if text:
        sheet.write_string(row, column, text[:MOST_CHARACTERS], look.quoted if text.startswith(_ACTIVE) else look.plain)
    elif text is not None:
        sheet.write_blank(row, column, None, look.plain)
