"""The workbook lists what the page shows, filters, and never runs what a file says."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import fastexcel
import pytest
from report_world import LISTED, MONTH, NAMES, NIPS, march, of_warehouse, policy, with_texts

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.reports.figures import Figures
from kinerja_pipeline.reports.workbook import workbook

ACTIVE = ("=1+1", "@SUM(A1)", "+62", "-2+3", '=HYPERLINK("http://x.example","y")', "\t=1", "http://x.example")
"""Texts that a spreadsheet would run, follow, or turn into a number if it could."""
LISTS = {
    "id": (
        *("IKM", "Unsur IKM", "Tepat waktu", "Kehadiran", "Predikat", "Tindak lanjut", "Indikator"),
        *("Mutu data", "Berkas"),
    ),
    "en": (
        *("Satisfaction", "Elements", "In time", "Attendance", "Predicates", "Follow-up", "Indicators"),
        *("Data quality", "Files"),
    ),
}
Cells = list[tuple[str | None, ...]]


def made(figures: Figures, language: str = "id") -> bytes:
    return workbook(figures, policy(), load_contracts().outgoing, language)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def book(shown: Figures) -> bytes:
    return made(shown)


def sheet(book: bytes, name: str) -> Cells:
    return fastexcel.read_excel(book).load_sheet(name, header_row=None, dtypes="string").to_polars().rows()


def parts(book: bytes, kind: str) -> dict[str, str]:
    """The XML of the workbook's parts whose name matches."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        return {n: archive.read(n).decode() for n in archive.namelist() if re.search(kind, n)}


@pytest.mark.parametrize("language", LISTS)
def test_there_is_a_sheet_per_list_between_a_cover_and_what_the_columns_mean(shown: Figures, language: str) -> None:
    names = fastexcel.read_excel(made(shown, language)).sheet_names
    cover, meaning = {"id": ("Laporan", "Arti kolom"), "en": ("Report", "Columns")}[language]
    assert names == [cover, *LISTS[language], meaning]


def test_figures_stand_as_numbers_with_their_format_and_names_in_words(book: bytes) -> None:
    loaded = fastexcel.read_excel(book)
    rows = loaded.load_sheet("Tepat waktu").to_polars().rows()
    assert rows[:2] == [
        ("Tugas selesai tepat waktu", "2026-02", None, None, 8.0, 10.0, 0.8, 0.85),
        ("Tugas selesai tepat waktu", "2026-03", None, None, 27.0, 32.0, 0.84375, 0.85),
    ]
    assert ("Tugas selesai tepat waktu", MONTH, "Dinas Dukcapil", "DKP", 9.0, 12.0, 0.75, 0.85) in rows
    formats = "".join(parts(book, "styles").values())
    assert all(shape in formats for shape in ("#,##0", "0.0%", "yyyy-mm-dd")), formats


def test_headings_are_the_labels_of_the_columns(book: bytes) -> None:
    assert "Banyaknya responden" in sheet(book, "IKM")[0]
    assert "Hari kerja tanpa kehadiran dan tanpa alasan (hari)" in sheet(book, "Kehadiran")[0]
    # A label's second clause stands on the last sheet only.
    assert "Hari yang kehadirannya tidak dapat direkam" in sheet(book, "Kehadiran")[0]
    meanings = {row[1]: row[2] for row in sheet(book, "Arti kolom")}
    assert meanings["Hari yang kehadirannya tidak dapat direkam"] == (
        "Hari yang kehadirannya tidak dapat direkam; di luar hitungan lain. (attendance_month.not_recorded_count)"
    )


def test_lists_are_frozen_below_their_heading_and_filter(book: bytes) -> None:
    sheets = parts(book, r"worksheets/sheet")
    lists = [xml for name, xml in sheets.items() if not name.endswith("sheet1.xml")]
    assert len(lists) == len(LISTS["id"]) + 1
    assert all('state="frozen"' in xml and "<autoFilter ref=" in xml for xml in lists)


def test_people_are_named_in_the_follow_up_sheet_alone_and_no_nip_is_there(book: bytes) -> None:
    named = {name for n in fastexcel.read_excel(book).sheet_names for row in sheet(book, n) for name in row if name}
    for n in fastexcel.read_excel(book).sheet_names:
        text = str(sheet(book, n))
        found = [name for name in NAMES.values() if name in text]
        # Whom a rule excludes is listed too: only here, where officials look a case up.
        assert found == ([*(NAMES[nip] for nip in LISTED), "Dedi Gebze"] if n == "Tindak lanjut" else []), n
    assert not [cell for cell in named for nip in NIPS if nip in cell]
    assert "Terbatas: lembar Tindak lanjut memuat nama pegawai." in str(sheet(book, "Laporan"))


def test_no_text_of_the_data_becomes_a_formula_or_a_link(published: Callable[..., Path]) -> None:
    poisoned = of_warehouse(published(with_texts(march(), *ACTIVE)))
    book = made(poisoned)
    cells = [cell for n in fastexcel.read_excel(book).sheet_names for row in sheet(book, n) for cell in row if cell]
    for active in ACTIVE:
        assert [cell for cell in cells if cell.startswith(active.strip())], active
    for name, xml in parts(book, r"worksheets/").items():
        assert not re.search(r"<f[ >]|<hyperlink", xml), name
    quoted = [f for f in re.findall(r"<xf [^>]*>", parts(book, "styles")["xl/styles.xml"]) if 'quotePrefix="1"' in f]
    assert quoted, "a text that looks like a formula is quoted, as a spreadsheet quotes it"


def test_a_month_without_rows_says_so_on_every_sheet(empty: Figures) -> None:
    book = made(empty)
    assert [sheet(book, name)[1][0] for name in LISTS["id"]] == ["Tidak ada baris pada bulan ini."] * len(LISTS["id"])


def test_the_same_publication_gives_the_same_bytes(shown: Figures, book: bytes) -> None:
    assert made(shown) == book
