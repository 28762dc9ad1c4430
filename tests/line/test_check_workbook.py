"""`kinerja check --xlsx`: the verdict as a workbook that a supplier can work through, and that runs nothing."""

from __future__ import annotations

import re
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import fastexcel
import polars as pl
import pytest
from line_world import Finished, kinerja

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.validated.verdict import not_found
from kinerja_pipeline.validated.verdict_workbook import faulty_columns

FinishedOf = Callable[[str], Finished]
NOBODY = "199901012020011999"
HEADER = "task_id,nip,unit_id,task_type,opened_at,due_at,completed_at,status_code,quality_score,evidence"
GOOD = "MKW-T{},,MKW-PTSP,{},2026-03-02 08:00:00,2026-03-09 16:00:00,2026-03-05 10:00:00,completed,{},{}"


def row(number: int, kind: str = "routine", score: str = "80", evidence: str = "", unit: str = "MKW-PTSP") -> str:
    return GOOD.format(number, kind, score, evidence).replace("MKW-PTSP", unit)


FILE = [
    HEADER,
    row(1),
    row(2, kind="lain-lain", evidence="=1+1"),
    row(3, score="812", evidence="@SUM(A1)"),
    row(4, unit="MKW-X"),
    row(5, unit="MKW-Y", kind="+62"),
    row(6, unit="MKW-X"),
    f"MKW-T7,{NOBODY},,routine,2026-03-02 08:00:00,2026-03-09 16:00:00,,open,80,-2+3",
    "MKW-T8,1,2",
]
"""Line 2 is good; the others each have their fault, line 6 has two."""


@pytest.fixture
def book(finished: FinishedOf, tmp_path: Path) -> tuple[Path, str]:
    """The workbook and what was told beside it."""
    file, out = tmp_path / "tugas_2026-03.csv", tmp_path / "out.xlsx"
    file.write_text("\n".join(FILE) + "\n")
    home = finished("manokwari").home
    result = kinerja(home, "check", str(file), "--feed", "task_record", "--region", "manokwari", "--xlsx", str(out))
    assert result.exit_code == 1, result.output
    return out, result.output


def sheet(book: Path, name: str) -> list[tuple[str | None, ...]]:
    loaded = fastexcel.read_excel(book.read_bytes()).load_sheet(name, header_row=None, dtypes="string")
    return [tuple(cells) for cells in loaded.to_polars().rows()]


def test_each_rejected_row_is_listed_with_its_line_and_the_rules_in_words(book: tuple[Path, str]) -> None:
    header, *rows = sheet(book[0], "rows")
    contract = load_contracts().incoming["task_record"]
    assert header == ("line", "reasons", *contract.names)
    words = {rule.name: rule.description for rule in contract.rules}
    told = {cells[0]: cells[1] or "" for cells in rows}
    assert list(told) == ["3", "4", "5", "6", "7", "8", "9"]
    assert told["3"] == words["task_type__code"]
    assert told["4"] == words["quality_score__range"]
    assert told["9"] == "the row must have as many cells as the header"
    assert words["task_type__code"] in told["6"]
    assert words["unit_id__unknown"] in told["6"]
    at = header.index("evidence")
    assert {cells[0]: cells[at] for cells in rows if cells[at]} == {"3": "=1+1", "4": "@SUM(A1)", "8": "-2+3"}


def test_the_faulty_cells_are_marked_and_say_why(book: tuple[Path, str]) -> None:
    names = load_contracts().incoming["task_record"].names
    with zipfile.ZipFile(book[0]) as parts:
        cells, styles = parts.read("xl/worksheets/sheet2.xml").decode(), parts.read("xl/styles.xml").decode()
        comments = parts.read("xl/comments1.xml").decode()
    fills = re.findall(r"<fill>.*?</fill>", styles)
    red = next(n for n, fill in enumerate(fills) if "F8B4B4" in fill)
    looks = re.findall(r"<xf [^>]*>", styles.split("<cellXfs")[1])
    bad = {str(n) for n, look in enumerate(looks) if f'fillId="{red}"' in look}
    marked = {place for place, style in re.findall(r'<c r="([A-Z]+\d+)" s="(\d+)"', cells) if style in bad}
    letter = {name: chr(ord("C") + number) for number, name in enumerate(names)}
    expected = {
        f"{letter['task_type']}2", f"{letter['quality_score']}3", f"{letter['unit_id']}4", f"{letter['unit_id']}5",
        f"{letter['task_type']}5", f"{letter['unit_id']}6", f"{letter['nip']}7", "A8",
    }  # fmt: skip
    assert marked == expected
    # The short row has no cell of which one could say that it is wrong.
    assert set(re.findall(r'<comment ref="([A-Z]+\d+)"', comments)) == expected - {"A8"}


def test_no_text_of_the_file_becomes_a_formula(book: tuple[Path, str]) -> None:
    with zipfile.ZipFile(book[0]) as parts:
        sheets = [parts.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2)]
        styles = parts.read("xl/styles.xml").decode()
        shared = re.findall(r"<si><t[^>]*>(.*?)</t></si>", parts.read("xl/sharedStrings.xml").decode())
    assert not any("<f>" in each or "<hyperlink" in each for each in sheets)
    looks = re.findall(r"<xf [^>]*>", styles.split("<cellXfs")[1])
    quoted = {str(n) for n, look in enumerate(looks) if 'quotePrefix="1"' in look}
    found = re.findall(r'<c r="[A-Z]+\d+" s="(\d+)" t="s"><v>(\d+)</v>', sheets[1])
    active = {shared[int(text)]: style for style, text in found if shared[int(text)][0] in "=+-@"}
    assert set(active) == {"=1+1", "@SUM(A1)", "-2+3", "+62"}
    assert set(active.values()) <= quoted


def test_the_first_sheet_says_what_the_terminal_says(book: tuple[Path, str]) -> None:
    lines = sheet(book[0], "verdict")
    assert lines[0][0] == "tugas_2026-03.csv as task_record " + load_contracts().incoming["task_record"].version
    assert str(lines[1][0]).startswith("8 rows: 1 valid, 7 rejected, 0 superseded.")
    told = {str(cells[0]): cells[2:] for cells in lines[4:]}
    assert told["unit_id__unknown"] == ("3", "5", "unit_id")
    assert told["row__short"][:2] == ("1", "9")


def test_references_say_how_many_values_are_missing_and_which_unless_personal(book: tuple[Path, str]) -> None:
    asked = {str(cells[0]): str(cells[1]) for cells in sheet(book[0], "verdict")[4:]}
    assert asked["unit_id__unknown"].endswith("; 2 different values not found in org_unit: MKW-X, MKW-Y")
    assert asked["nip__unknown"].endswith("; 1 different value not found in employee (personal, so not shown)")
    assert NOBODY not in book[1]
    assert "2 different values not found" in " ".join(re.sub("[│\n]", " ", book[1]).split())


def test_more_than_five_missing_values_are_counted_and_five_named() -> None:
    contract = load_contracts().incoming["task_record"]
    held = pl.DataFrame({"unit_id": [f"U{n}" for n in range(7)] + ["U0"]}).with_columns(
        *(pl.lit(None, pl.String).alias(name) for name in contract.names if name != "unit_id"),
        _reasons=pl.lit(["unit_id__unknown"]),
    )
    told = {r.name: not_found(r.name, held, contract) for r in contract.rules}
    assert {rule: text for rule, text in told.items() if text} == {
        "unit_id__unknown": "7 different values not found in org_unit: U0, U1, U2, U3, U4, ..."
    }


def test_the_verdict_speaks_indonesian_too(finished: FinishedOf, tmp_path: Path) -> None:
    file = tmp_path / "tugas_2026-03.csv"
    late = row(2).replace("2026-03-05 10:00:00", "2026-03-01 10:00:00")
    file.write_text("\n".join([HEADER, row(1), late, "MKW-T8,1,2"]) + "\n")
    question = ("check", str(file), "--feed", "task_record", "--region", "manokwari", "--lang", "id")
    told = " ".join(re.sub("[│\n]", " ", kinerja(finished("manokwari").home, *question).output).split())
    assert "tugas_2026-03.csv sebagai task_record" in told
    assert "completed_at tidak boleh lebih awal dari opened_at" in told
    assert "baris harus mempunyai sel sebanyak kepala tabel" in told
    assert "3 baris: 1 sah, 2 ditolak, 0 digantikan. Perbaiki baris yang disebut" in told


def test_a_reason_of_the_reader_is_about_its_column_or_the_whole_row() -> None:
    contract = load_contracts().incoming["task_record"]
    assert faulty_columns("nip__numeric", contract) == ("nip",)
    assert faulty_columns("row__short", contract) == ()
    assert faulty_columns("completed_at__before__opened_at", contract) == ("opened_at", "completed_at")


def test_a_workbook_that_is_there_already_is_left_alone(finished: FinishedOf, tmp_path: Path) -> None:
    file, out = tmp_path / "tugas.csv", tmp_path / "out.xlsx"
    file.write_text(f"{HEADER}\n{row(1)}\n")
    question = ("check", str(file), "--feed", "task_record", "--region", "manokwari", "--xlsx", str(out))
    home = finished("manokwari").home
    first = kinerja(home, *question)
    assert (first.exit_code, first.output.splitlines()[0]) == (0, f"Written: {out}")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = kinerja(home, *question)
    assert (again.exit_code, again.output) == (1, f"{out} is there already; name another file with --xlsx.\n")
    assert kinerja(home, *question[:-1], str(tmp_path / "no" / "x.xlsx")).output.endswith(
        f"there is no folder {tmp_path / 'no'}.\n"
    )
