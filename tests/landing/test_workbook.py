"""Workbooks: a number is not a NIP, the header may be anywhere, and nothing hostile is unpacked."""

from __future__ import annotations

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.landing.readers import UnreadableFile, read_source
from kinerja_pipeline.landing.reshape import reshape
from kinerja_pipeline.policies.mapping import FileMapping

CONTRACT = load_contracts().incoming["device_pin"]
COLUMNS = {"device_id": "Alat", "pin": "PIN", "valid_from": "Sejak", "nip": "NIP"}
NIP = "199001012020011001"


def workbook(fill: Callable[[Any, Any], None], *sheets: str) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    for name in sheets or ("Data",):
        fill(book, book.add_worksheet(name))
    book.close()
    return buffer.getvalue()


def read(data: bytes, **declared: Any) -> pl.DataFrame:
    mapping = FileMapping(**{"reader": "xlsx", "columns": COLUMNS, **declared})
    return read_source(data, "device_pin/pins.xlsx", mapping, CONTRACT)


def refusal(data: bytes, **declared: Any) -> str:
    with pytest.raises(UnreadableFile) as caught:
        read(data, **declared)
    return str(caught.value)


def table(book: Any, sheet: Any) -> None:
    date = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_string(1, 1, "Daftar PIN")
    sheet.write_row(3, 1, ["Alat", "PIN", "Sejak", "NIP"])
    sheet.write_row(4, 1, ["1", 51])
    sheet.write_datetime(4, 3, dt.datetime(2026, 1, 5), date)  # noqa: DTZ001 - a cell has no zone
    sheet.write_string(4, 4, NIP)
    sheet.write_row(6, 1, ["1", 52, "2026-01-06"])
    sheet.write_number(6, 4, float(NIP))
    sheet.write_row(7, 1, ["2", 53, "2026-01-07"])
    sheet.write_blank(8, 1, None, date)


def test_a_table_is_found_by_its_header_and_a_numeric_nip_is_marked() -> None:
    frame = read(workbook(table))
    assert frame.select("Alat", "PIN", "Sejak", "NIP", "_source_row", "_problem").rows() == [
        ("1", "51", "2026-01-05", NIP, 5, None),
        ("1", "52", "2026-01-06", "199001012020011008", 7, "nip__numeric"),
        ("2", "53", "2026-01-07", None, 8, None),
    ]


def test_a_sheet_without_header_takes_the_names_of_the_mapping() -> None:
    data = workbook(lambda book, sheet: sheet.write_row(2, 2, ["1", "51", "2026-01-05", NIP]))
    names = ["", "", "Alat", "PIN", "Sejak", "NIP"]
    assert read(data, header_row=0, column_names=names).select("Alat", "NIP", "_source_row").rows() == [("1", NIP, 3)]


def test_a_named_sheet_is_read_and_an_unknown_one_refused_with_the_nearest_name() -> None:
    data = workbook(
        lambda book, sheet: sheet.write_row(0, 0, ["Alat", "PIN", "Sejak", "NIP", sheet.name]), "Satu", "Dua"
    )
    assert read(data, sheet="Dua").height == 0
    said = refusal(data, sheet="Dau")
    assert "sheet 'Dau': there is no such sheet" in said
    assert said.endswith("did you mean 'Dua'?")


def test_a_missing_column_names_sheet_and_row() -> None:
    data = workbook(lambda book, sheet: sheet.write_row(0, 0, ["Alat", "PIN", "Sejak", "N I P"]))
    assert "sheet 'Data', row 1 (header): there is no column 'NIP'" in refusal(data)


def test_what_is_no_workbook_is_refused() -> None:
    assert "not an .xlsx workbook" in refusal(b"Alat,PIN\n")
    assert "protected by a password" in refusal(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    whole = workbook(table)
    for cut in (30, len(whole) // 2, len(whole) - 1):
        assert "device_pin/pins.xlsx, the whole file: " in refusal(whole[:cut])


def test_an_empty_workbook_is_refused() -> None:
    assert "pins.xlsx, sheet 'Data'" in refusal(workbook(lambda book, sheet: None))


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/workbook.xml", "w") as part:
        for _ in range(100):
            part.write(b"\0" * 2**20)
    assert "it unpacks to 100 MB" in refusal(buffer.getvalue())


def test_a_directory_that_lies_about_a_size_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * 2**20)
    data = bytearray(buffer.getvalue())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)
    assert "device_pin/pins.xlsx, the whole file: " in refusal(bytes(data))


def test_a_stray_cell_at_the_end_of_the_sheet_does_not_take_the_memory_for_all_cells_before_it() -> None:
    def stray(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["Alat", "PIN", "Sejak", "NIP"])
        sheet.write_string(1_048_575, 9_000, "x")

    assert "a cell stands at row 1,048,576, column 9,001" in refusal(workbook(stray))


def repacked(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The workbook with some of its parts changed."""
    buffer, archive = io.BytesIO(), zipfile.ZipFile(io.BytesIO(data))
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as book:
        for name in archive.namelist():
            book.writestr(name.replace("sharedStrings", "SharedStrings"), change(name, archive.read(name)))
    return buffer.getvalue()


def good() -> bytes:
    return workbook(lambda book, sheet: [sheet.write_row(r, 0, HEADER if r == 0 else JANUARY) for r in range(2)])


def in_sheet(added: bytes) -> bytes:
    end = b"</sheetData>"
    return repacked(good(), lambda n, part: part.replace(end, added + end) if "worksheets" in n else part)


def test_a_long_text_that_many_cells_share_is_refused_before_each_gets_its_own() -> None:
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (r, r) for r in range(3, 503))

    def change(name: str, part: bytes) -> bytes:
        if "worksheets" in name:
            return part.replace(b"</sheetData>", cells + b"</sheetData>")
        return part.replace(b"<t>Alat</t>", b"<t>%s</t>" % (b"x" * 100_000)) if "sharedStrings" in name else part

    assert "it unpacks to 48 MB" in refusal(repacked(good(), change))


def test_a_text_that_many_cells_share_is_read_while_it_is_short() -> None:
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (r, r) for r in range(3, 503))
    assert read(in_sheet(cells)).height == 501


def test_a_stray_cell_of_a_small_workbook_does_not_take_gigabytes() -> None:
    cell = b'<row r="990000"><c r="CV990000"><v>4</v></c></row>'
    assert "a cell stands at row 990,000, column 100, far from the table" in refusal(in_sheet(cell))


def test_a_sheet_of_endless_empty_cells_is_refused() -> None:
    assert "it unpacks to 19 MB" in refusal(in_sheet(b"<row/>" * 3_300_000))
    assert "10,001 columns; at most" in refusal(in_sheet(b"<row>" + b"<c/>" * 20_000 + b"</row>"))


def test_two_rows_or_cells_in_one_place_are_refused_and_none_is_dropped() -> None:
    row = b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>'
    assert "on sheet 'Data' row 2 stands twice, or in no order" in refusal(in_sheet(row % (2, 2)))
    assert "row 5 stands twice, or in no order" in refusal(in_sheet(row % (9, 9) + row % (5, 5)))
    twice = b'<row r="3"><c r="A3"><v>1</v></c><c r="A3"><v>2</v></c></row>'
    assert "two cells stand in one place, or in no order (A3)" in refusal(in_sheet(twice))
    unnumbered = b"<row><c><v>1</v></c><c><v>51</v></c></row>"
    assert read(in_sheet(unnumbered)).select("Alat", "PIN", "_source_row").row(1) == ("1", "51", 3)


def test_a_list_of_sheets_that_takes_megabytes_is_refused() -> None:
    names = b"".join(b'<sheet name="%d" sheetId="%d" r:id="rId1"/>' % (n, n) for n in range(400_000))
    data = repacked(
        good(), lambda n, part: part.replace(b"</sheets>", names + b"</sheets>") if "/workbook.xml" in n else part
    )
    assert "its list of sheets takes" in refusal(data)


def test_shared_texts_that_are_cut_are_refused_and_not_guessed() -> None:
    data = repacked(good(), lambda n, part: part.replace(b"<si>", b"<s\x01i>", 1) if "sharedStrings" in n else part)
    assert "device_pin/pins.xlsx, the whole file: " in refusal(data)


# ---- several sheets of one workbook ----------------------------------------------------------------------------------


def sheets(**rows: list[tuple[str, ...]]) -> bytes:
    """One sheet per name: its rows as they stand from row 1 on."""

    def fill(book: Any, sheet: Any) -> None:
        for place, row in enumerate(rows[sheet.name]):
            sheet.write_row(place, 0, row)

    return workbook(fill, *rows)


HEADER = ("Alat", "PIN", "Sejak", "NIP")
JANUARY = ("1", "51", "2026-01-05", NIP)
FEBRUARY = ("2", "52", "2026-02-05", NIP)


def test_a_pattern_reads_every_sheet_that_fits_each_by_its_own_header() -> None:
    data = sheets(
        Petunjuk=[("Isi dengan benar",)],
        Rekap_Jan=[("Rekap Penilaian",), (), HEADER, JANUARY],
        Rekap_Feb=[tuple(reversed(HEADER)), tuple(reversed(FEBRUARY)), ("", "", "", ""), tuple(reversed(JANUARY))],
    )
    frame = read(data, sheet="rekap_*", sheet_as="lembar")
    assert frame.select("lembar", "Alat", "PIN", "Sejak", "_source_row").rows() == [
        ("Rekap_Jan", "1", "51", "2026-01-05", 10_000_004),
        ("Rekap_Feb", "2", "52", "2026-02-05", 20_000_002),
        ("Rekap_Feb", "1", "51", "2026-01-05", 20_000_004),
    ]


def test_the_sheets_name_becomes_a_column_of_the_feed_by_its_code() -> None:
    data = sheets(Gerbang=[HEADER, JANUARY], Kantor=[HEADER, FEBRUARY])
    mapping = FileMapping(
        reader="xlsx",
        sheet="*",
        sheet_as="lembar",
        columns={**COLUMNS, "device_id": "lembar"},
        codes={"device_id": {"GERBANG": "gate-1"}},
        codes_ignore_case=True,
    )
    landed = reshape(read_source(data, "device_pin/pins.xlsx", mapping, CONTRACT), mapping, CONTRACT).landed
    assert landed.select("device_id", "pin").rows() == [("gate-1", "51"), ("Kantor", "52")]


def test_one_named_sheet_may_give_its_name_too_and_counts_its_rows_from_one() -> None:
    frame = read(sheets(Jan=[HEADER, JANUARY], Feb=[HEADER, FEBRUARY]), sheet="Feb", sheet_as="lembar")
    assert frame.select("lembar", "PIN", "_source_row").rows() == [("Feb", "52", 2)]


def test_a_sheet_that_fits_and_is_no_such_table_refuses_the_file() -> None:
    data = sheets(Jan=[HEADER, JANUARY], Catatan=[("Catatan",), ("Alat", "PIN")])
    assert "sheet 'Catatan', row 2 (header): there is no column 'Sejak'" in refusal(data, sheet="*")


def test_empty_sheets_are_passed_over_unless_there_is_nothing_else() -> None:
    assert read(sheets(Jan=[HEADER, JANUARY], Sheet2=[]), sheet="*").height == 1
    assert "the sheets '*': all of them are empty" in refusal(sheets(Sheet1=[], Sheet2=[]), sheet="*")


def test_a_pattern_that_no_sheet_fits_is_refused_with_the_sheets_there_are() -> None:
    said = refusal(sheets(Jan=[HEADER], Feb=[HEADER]), sheet="Rekap*")
    assert "sheet 'Rekap*': no sheet's name fits this pattern" in said
    assert "Name one of its sheets (Jan, Feb) in the mapping" in said


def test_a_number_that_was_a_nip_is_found_on_every_sheet() -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, JANUARY[:3])
        sheet.write_number(1, 3, float(NIP))

    frame = read(workbook(fill, "Jan", "Feb"), sheet="*")
    assert frame["_problem"].to_list() == ["nip__numeric", "nip__numeric"]


def test_only_workbooks_have_sheets() -> None:
    with pytest.raises(ValueError, match="reader csv has no sheets"):
        FileMapping(reader="csv", sheet="*")
