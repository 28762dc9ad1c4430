"""A verdict as a workbook for the supplier: the rules that rows failed, and those rows with their faulty cells marked.

Here: Verdict -> bytes of an XLSX. Not here: judging (validated/verdict). Every cell is written as text: what a file
says must never become a formula on somebody's machine.
"""

from __future__ import annotations

import io
from typing import Any

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.contracts.words import Language, words
from kinerja_pipeline.landing.readers import place_in
from kinerja_pipeline.spreadsheet import Look, new_book, text_look, write_text
from kinerja_pipeline.validated.verdict import SAID, Verdict, number

MOST_ROWS = 100_000
MOST_COMMENTS = 5_000
"""A workbook with more comments opens slowly; the words stand in the column of reasons as well."""

RULES = ("kind", "asked", "rows", "first", "columns")


def verdict_workbook(verdict: Verdict, language: Language = "en") -> bytes:
    """The workbook: the sheet `verdict` says what the table in the terminal says, `rows` lists the rejected rows."""
    file = io.BytesIO()
    book = new_book(file)
    look = {
        "text": text_look(book),
        "bold": text_look(book, bold=True),
        "bad": text_look(book, bg_color="#F8B4B4", border=1),
    }
    _rules(book.add_worksheet("verdict"), verdict, look, language)
    _rows(book.add_worksheet("rows"), verdict, look, language)
    book.close()
    return file.getvalue()


def _rules(sheet: Any, verdict: Verdict, look: dict[str, Look], language: Language) -> None:
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 90)
    title = f"{verdict.file} {SAID[language]['as']} {verdict.contract.name} {verdict.contract.version}"
    write_text(sheet, 0, 0, title, look["bold"])
    write_text(sheet, 1, 0, verdict.sentence(language), look["text"])
    for column, heading in enumerate(RULES):
        write_text(sheet, 3, column, SAID[language][heading], look["bold"])
    for line, row in enumerate(verdict.failures.iter_rows(named=True), start=4):
        rule = str(row["rule_id"])
        asked = verdict.asked(rule, language, is_warning=row["severity_code"] == "warning")
        write_text(sheet, line, 0, rule, look["text"])
        write_text(sheet, line, 1, asked, look["text"])
        sheet.write_number(line, 2, row["failed_count"])
        sheet.write_number(line, 3, row["first_source_row"])
        write_text(sheet, line, 4, ", ".join(faulty_columns(rule, verdict.contract)), look["text"])


def _rows(sheet: Any, verdict: Verdict, look: dict[str, Look], language: Language) -> None:
    contract = verdict.contract
    rows = verdict.rows.sort("_source_row", maintain_order=True).head(MOST_ROWS)
    asked = {rule: words(rule, contract, language) for rule in rows["_reasons"].explode().unique().drop_nulls()}
    faulty = {rule: faulty_columns(rule, contract) for rule in asked}
    for column, heading in enumerate((SAID[language]["line"], SAID[language]["reasons"], *contract.names)):
        write_text(sheet, 0, column, heading, look["bold"])
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
        write_text(sheet, line, 0, place, look["bad" if is_whole else "text"])
        write_text(sheet, line, 1, "; ".join(asked[r] for r in reasons), look["text"])
        for column, name in enumerate(contract.names, start=2):
            if not bad[name]:
                write_text(sheet, line, column, row[name], look["text"])
                continue
            write_text(sheet, line, column, row[name] or "", look["bad"])
            if comments < MOST_COMMENTS:
                sheet.write_comment(line, column, "\n".join(asked[r] for r in bad[name]), {"x_scale": 2})
                comments += 1
    if len(verdict.rows) > len(rows):
        told = f"... {number(len(verdict.rows) - len(rows), language)} {SAID[language]['more']}"
        write_text(sheet, len(rows) + 1, 1, told, look["bold"])


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
