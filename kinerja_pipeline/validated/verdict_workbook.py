"""A verdict as a workbook for the supplier: the rules that rows failed, and those rows with their faulty cells marked.

Here: Verdict -> bytes of an XLSX. Not here: judging (validated/verdict). Every cell is written as text: what a file
says must never become a formula on somebody's machine.
"""

from __future__ import annotations

import io
from typing import Any, NamedTuple

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.landing.readers import place_in
from kinerja_pipeline.validated.verdict import Verdict

MOST_ROWS = 100_000
MOST_COMMENTS = 5_000
"""A workbook with more comments opens slowly; the words stand in the column of reasons as well."""
MOST_CHARACTERS = 32_000
"""Of a cell; the format ends at 32,767."""

RULES = ("kind of bad row", "what is asked", "rows", "first line", "columns")
_ACTIVE = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet may take for the beginning of a formula."""


class _Look(NamedTuple):
    """How a cell looks, and the same for a text that a spreadsheet might take for a formula."""

    plain: Any
    quoted: Any


def verdict_workbook(verdict: Verdict) -> bytes:
    """The workbook: the sheet `verdict` says what the table in the terminal says, `rows` lists the rejected rows."""
    import xlsxwriter

    file = io.BytesIO()
    never = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(file, {"in_memory": True, **never})
    shapes: dict[str, dict[str, Any]] = {
        "text": {},
        "bold": {"bold": True},
        "bad": {"bg_color": "#F8B4B4", "border": 1},
    }
    look = {
        name: _Look(*(book.add_format({**shape, "num_format": "@", "quote_prefix": is_quoted}) for is_quoted in (0, 1)))
        for name, shape in shapes.items()
    }
    _rules(book.add_worksheet("verdict"), verdict, look)
    _rows(book.add_worksheet("rows"), verdict, look)
    book.close()
    return file.getvalue()


def _rules(sheet: Any, verdict: Verdict, look: dict[str, _Look]) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 90)
    title = f"{verdict.file} as {verdict.contract.name} {verdict.contract.version}"
    _write(sheet, 0, 0, title, look["bold"])
    _write(sheet, 1, 0, verdict.sentence(), look["text"])
    for column, heading in enumerate(RULES):
        _write(sheet, 3, column, heading, look["bold"])
    for line, row in enumerate(verdict.failures.iter_rows(named=True), start=4):
        rule = str(row["rule_id"])
        asked = verdict.asked(rule, is_warning=row["severity_code"] == "warning")
        _write(sheet, line, 0, rule, look["text"])
        _write(sheet, line, 1, asked, look["text"])
        sheet.write_number(line, 2, row["failed_count"])
        sheet.write_number(line, 3, row["first_source_row"])
        _write(sheet, line, 4, ", ".join(faulty_columns(rule, verdict.contract)), look["text"])


def _rows(sheet: Any, verdict: Verdict, look: dict[str, _Look]) -> None:
    contract = verdict.contract
    rows = verdict.rows.sort("_source_row", maintain_order=True).head(MOST_ROWS)
    asked = {rule: verdict.words(rule) for rule in rows["_reasons"].explode().unique().drop_nulls()}
    faulty = {rule: faulty_columns(rule, contract) for rule in asked}
    for column, heading in enumerate(("line", "reasons", *contract.names)):
        _write(sheet, 0, column, heading, look["bold"])
    sheet.freeze_panes(1, 2)
    sheet.set_column(0, 0, 12)
    sheet.set_column(1, 1, 60)
    sheet.set_column(2, len(contract.columns) + 1, 20)
    comments = 0
    for line, row in enumerate(rows.iter_rows(named=True), start=1):
        reasons = row["_reasons"]
        bad = {name: [r for r in reasons if name in faulty[r]] for name in contract.names}
        is_whole = any(not faulty[r] for r in reasons)
        place = _place(verdict.file, row["_source_row"])
        _write(sheet, line, 0, place, look["bad" if is_whole else "text"])
        _write(sheet, line, 1, "; ".join(asked[r] for r in reasons), look["text"])
        for column, name in enumerate(contract.names, start=2):
            if not bad[name]:
                _write(sheet, line, column, row[name], look["text"])
                continue
            _write(sheet, line, column, row[name] or "", look["bad"])
            if comments < MOST_COMMENTS:
                sheet.write_comment(line, column, "\n".join(asked[r] for r in bad[name]), {"x_scale": 2})
                comments += 1
    if len(verdict.rows) > len(rows):
        left = len(verdict.rows) - len(rows)
        _write(sheet, len(rows) + 1, 1, f"... {left:,} more rows; correct these first and check again", look["bold"])


def faulty_columns(rule_id: str, contract: Contract) -> tuple[str, ...]:
    """The columns whose cells a reason is about; none where it is about the row as a whole."""
    for rule in contract.rules:
        if rule.name == rule_id:
            return rule.columns
    name = rule_id.partition("__")[0]
    return (name,) if name in contract.names else ()


def _place(file: str, source_row: int) -> str:
    _, number, sheet = place_in(file, source_row)
    return f"sheet {sheet}, {number}" if sheet else str(number)


def _write(sheet: Any, row: int, column: int, text: str | None, look: _Look) -> None:
    """A cell as text; what could start a formula is quoted as a spreadsheet quotes it, so that editing the cell or
    saving it elsewhere keeps it a text."""
    if text:
        sheet.write_string(row, column, text[:MOST_CHARACTERS], look.quoted if text.startswith(_ACTIVE) else look.plain)
    elif text is not None:
        sheet.write_blank(row, column, None, look.plain)
