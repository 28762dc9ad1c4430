"""Readers: every trap of a delivered file is a row with a reason or a sentence for people; nothing is lost."""

from __future__ import annotations

import io
from typing import Any

import polars as pl
import pytest

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.landing.readers import UnreadableFile, read_source
from kinerja_pipeline.landing.source import MAX_CELL, MAX_COLUMNS
from kinerja_pipeline.policies.mapping import FileMapping

FEEDS = load_contracts().incoming
PINS = {"device_id": "Alat", "pin": "PIN", "valid_from": "Sejak", "nip": "NIP"}
NIP = "199001012020011001"


def attlog(data: bytes) -> pl.DataFrame:
    mapping = FileMapping(reader="attlog", columns={"device_id": "device_number"})
    return read_source(data, "attendance_log/1_attlog.dat", mapping, FEEDS["attendance_log"])


def pins(data: bytes, reader: str = "csv", **declared: Any) -> pl.DataFrame:
    declared = {"columns": PINS, **declared}
    return read_source(data, "device_pin/pins", FileMapping(reader=reader, **declared), FEEDS["device_pin"])  # type: ignore[arg-type]


def rows(frame: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return frame.select(columns).rows()


def refusal(data: bytes, reader: str = "csv", **declared: Any) -> str:
    with pytest.raises(UnreadableFile) as caught:
        pins(data, reader, **declared)
    return str(caught.value)


# ---- attlog ----------------------------------------------------------------------------------------------------------


def test_an_attlog_line_gives_pin_without_padding_and_time_with_seconds() -> None:
    frame = attlog(b"       51\t2026-03-02 07:29:58\t1\t0\t15\t0\r\n   1301\t2026-03-02 16:01:03\t1\t255\t1\t0\r\n")
    assert rows(
        frame, "pin", "tapped_at", "device_number", "state_code", "verify_code", "work_code", "_source_row"
    ) == [
        ("51", "2026-03-02 07:29:58", "1", "0", "15", "0", 1),
        ("1301", "2026-03-02 16:01:03", "1", "255", "1", "0", 2),
    ]


def test_a_cut_attlog_line_is_one_unreadable_row_with_its_text() -> None:
    frame = attlog(
        b"  51\t2026-03-02 07:29:58\t1\t0\t1\t0\n  52\t2026-03-02 07:3\n  53\t2026-03-02 07:31:00\t1\t0\t1\t0"
    )
    assert rows(frame, "pin", "_source_row", "_problem", "_raw") == [
        ("51", 1, None, None),
        (None, 2, "line__unreadable", "  52\t2026-03-02 07:3"),
        ("53", 3, None, None),
    ]


def test_nul_tails_and_blank_lines_are_not_rows_but_keep_the_line_numbers() -> None:
    frame = attlog(
        b"\r\n  51\t2026-03-02 07:29:58\t1\t0\t1\t0\r\n\0\0\0\r\n  52\t2026-03-02 07:30:00\t1\t0\t1\t0\0\0\0"
    )
    assert rows(frame, "pin", "work_code", "_source_row", "_problem") == [("51", "0", 2, None), ("52", "0", 4, None)]


def test_a_line_whose_beginning_was_overwritten_with_nuls_is_unreadable() -> None:
    # The PIN may have lost digits: 5 of 15 is another person.
    frame = attlog(b"\0\0\0\0" + b"5\t2026-03-02 07:29:58\t1\t0\t1\t0\n  52\t2026-03-02 07:30:00\t1\t0\t1\t0\n")
    assert rows(frame, "pin", "_problem", "_raw") == [
        (None, "line__unreadable", "␀␀␀␀5\t2026-03-02 07:29:58\t1\t0\t1\t0"),
        ("52", None, None),
    ]


def test_bytes_that_are_not_text_cost_their_own_line_only() -> None:
    frame = attlog(b"  51\t2026-03-02 07:29:58\t1\t0\t1\t0\n\xff\xfe\xfa\n")
    assert rows(frame, "_source_row", "_problem") == [(1, None), (2, "line__unreadable")]


def test_a_file_without_a_single_attlog_line_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="no line has the tab-separated cells of an attlog"):
        attlog(b"<html>\n<body>\n")


# ---- CSV -------------------------------------------------------------------------------------------------------------


def test_a_csv_with_bom_semicolons_and_a_title_above_the_header_is_read() -> None:
    text = f"\ufeffDaftar PIN;;;\n;;;\nAlat;PIN;Sejak;NIP\n1;51;2026-01-01;{NIP}\n"
    frame = pins(text.encode(), delimiter=";")
    assert rows(frame, "Alat", "PIN", "Sejak", "NIP", "_source_row", "_problem") == [
        ("1", "51", "2026-01-01", NIP, 4, None)
    ]


def test_a_header_further_down_than_stated_is_found_by_its_names() -> None:
    assert rows(pins(b"x\ny\nAlat,PIN,Sejak,NIP\n1,2,3,4\n", header_row=2), "NIP", "_source_row") == [("4", 4)]


def test_a_csv_without_header_takes_the_names_of_the_mapping() -> None:
    frame = pins(b"1,51,2026-01-01,9\n", header_row=0, column_names=["Alat", "PIN", "Sejak", "NIP"])
    assert rows(frame, "Alat", "NIP", "_source_row") == [("1", "9", 1)]


def test_line_ends_inside_quotes_are_one_row_and_the_next_row_keeps_its_line() -> None:
    frame = pins(b'Alat,PIN,Sejak,NIP\r\n"Pintu\r\nutama",51,2026-01-01,9\r\n2,"5,2",2026-01-02,"a ""b"""\r\n')
    assert rows(frame, "Alat", "PIN", "NIP", "_source_row", "_problem") == [
        ("Pintu\nutama", "51", "9", 2, None),
        ("2", "5,2", 'a "b"', 4, None),
    ]


def test_a_quote_that_never_closes_costs_its_own_line_only() -> None:
    frame = pins(b'Alat,PIN,Sejak,NIP\n1,"51,2026-01-01,9\n2,52,2026-01-02,8\n')
    assert rows(frame, "Alat", "_source_row", "_problem", "_raw") == [
        (None, 2, "line__unreadable", '1,"51,2026-01-01,9'),
        ("2", 3, None, None),
    ]


def test_short_and_long_rows_are_kept_with_their_reason() -> None:
    frame = pins(b"Alat,PIN,Sejak,NIP\n1,51\n1,51,2026-01-01,9,extra\n1,52,2026-01-01,8\n")
    assert rows(frame, "PIN", "NIP", "_source_row", "_problem", "_raw") == [
        ("51", None, 2, "row__short", "1,51"),
        ("51", "9", 3, "row__long", "1,51,2026-01-01,9,extra"),
        ("52", "8", 4, None, None),
    ]


def test_cells_of_columns_nobody_mapped_never_enter_the_frame() -> None:
    # NIK is an identity column: in a long row it may stand one place further right, where the PIN is expected.
    frame = pins(b'Alat,NIK,PIN,Sejak,NIP\n1,A,3174,51,2026-01-01,9\n1,3174,51\n1,"3174,51\n1,3174,51,2026-01-01,9\n')
    assert "NIK" not in frame.columns
    assert rows(frame, "Alat", "PIN", "_problem", "_raw") == [
        ("1", None, "row__long", "1"),
        ("1", "51", "row__short", "1,51"),
        (None, None, "line__unreadable", None),
        ("1", "51", None, None),
    ]


def test_lines_of_nothing_but_delimiters_are_not_rows() -> None:
    assert rows(pins(b"Alat,PIN,Sejak,NIP\n,,,\n\n , ,,\n1,2,3,4\n,,\n"), "_source_row") == [(5,)]


def test_a_delivered_table_without_rows_is_no_rows() -> None:
    assert pins(b"Alat,PIN,Sejak,NIP\n").height == 0


def test_windows_1252_and_utf_16_are_read_where_the_mapping_says_so() -> None:
    text = "Alat,PIN,Sejak,NIP\nPintu é,51,2026-01-01,9\n"
    for encoding in ("windows-1252", "utf-16"):
        assert rows(pins(text.encode(encoding), encoding=encoding), "Alat") == [("Pintu é",)]


def test_a_wrong_encoding_is_refused_with_line_and_remedy() -> None:
    said = refusal("Alat,PIN,Sejak,NIP\nPintu é,51,2026-01-01,9\n".encode("windows-1252"))
    assert said.startswith("device_pin/pins, line 2: the bytes are not utf-8 text. ")
    assert "windows-1252" in said
    assert "encoding: utf-16" in refusal("Alat,PIN,Sejak,NIP\n".encode("utf-16"))


def test_a_missing_column_is_named_with_the_nearest_one() -> None:
    said = refusal(b"Alat,PIN,Sejak,NIPP\n1,2,3,4\n")
    assert said.startswith("device_pin/pins, line 1 (header): there is no column 'NIP'. ")
    assert said.endswith("did you mean 'NIPP'?")


def test_a_missing_header_never_shows_a_person_of_the_first_row() -> None:
    assert "Budi" not in refusal(b"Budi,51,2026-01-01,199001012020011001\n")


def test_a_column_named_twice_is_refused() -> None:
    assert "stands there 2 times" in refusal(b"Alat,PIN,PIN,Sejak,NIP\n1,2,3,4,5\n")


def test_a_mapping_that_names_an_unknown_contract_column_is_refused_with_a_suggestion() -> None:
    assert "did you mean 'nip'?" in refusal(b"a\n1\n", columns={"nipp": "a"})


def test_an_empty_file_is_refused() -> None:
    assert "it is empty" in refusal(b"")
    assert "it is empty" in refusal(b"\0\0\0\r\n")


def test_too_many_columns_and_too_long_cells_are_refused() -> None:
    assert "columns; at most" in refusal(b"Alat,PIN,Sejak,NIP" + b"," * MAX_COLUMNS + b"\n1\n")
    assert "a cell holds more than" in refusal(b"Alat,PIN,Sejak,NIP\n1,2,3," + b"9" * (MAX_CELL + 1) + b"\n")


def test_a_file_with_nothing_but_a_byte_order_mark_is_empty() -> None:
    assert "it is empty" in refusal(b"\xef\xbb\xbf\r\n")
    assert "it is empty" in refusal(b"\xff\xfe", encoding="utf-16")


def test_a_header_of_a_million_columns_is_refused_before_its_names_are_compared() -> None:
    wide = b",".join(b"k%d" % n for n in range(1_000_000))
    assert refusal(wide + b"\n1\n").startswith("device_pin/pins, line 1: 1,000,000 columns; at most 10,000 are read")


def test_a_column_name_that_acts_on_a_terminal_is_written_out() -> None:
    said = refusal("Alat,PIN,Sejak,NIP\x1b\u202e\n1,2,3,4\n".encode())
    assert "did you mean 'NIP\\x1b\\u202e'?" in said
    assert said.isprintable()


# ---- JSON Lines and Parquet ------------------------------------------------------------------------------------------


def test_json_lines_keep_a_number_as_it_was_written_and_mark_a_numeric_nip() -> None:
    data = b'{"Alat":1.50,"PIN":"51","Sejak":null,"NIP":"9"}\n\n[1]\n'
    data += b'{"Alat":"2","PIN":"52","NIP":199001012020011001}\n{x\n'
    assert rows(pins(data, "jsonl"), "Alat", "PIN", "Sejak", "NIP", "_source_row", "_problem") == [
        ("1.50", "51", None, "9", 1, None),
        (None, None, None, None, 3, "line__unreadable"),
        ("2", "52", None, "199001012020011001", 4, "nip__numeric"),
        (None, None, None, None, 5, "line__unreadable"),
    ]


def test_json_lines_survive_depth_and_half_characters() -> None:
    deep = b'{"Alat":' + b"[" * 100_000 + b"\n"
    good = b'{"Alat":"\\ud800","PIN":"1","Sejak":"2","NIP":"3"}\n'
    assert rows(pins(deep + good, "jsonl"), "Alat", "_problem") == [(None, "line__unreadable"), ("?", None)]


def test_parquet_gives_text_and_marks_a_numeric_nip() -> None:
    table = pl.DataFrame(
        {"Alat": ["1", "2"], "PIN": [51.0, 52.5], "Sejak": ["2026-01-01", None], "NIP": [199001012020011001, None]}
    )
    table = table.with_columns(pl.col("Sejak").str.to_date("%Y-%m-%d"))
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    assert rows(pins(buffer.getvalue(), "parquet"), "Alat", "PIN", "Sejak", "NIP", "_source_row", "_problem") == [
        ("1", "51", "2026-01-01", "199001012020011001", 1, "nip__numeric"),
        ("2", "52.5", None, None, 2, None),
    ]
    assert "not a Parquet file" in refusal(b"PAR1 but not really", "parquet")


def test_a_broken_parquet_file_does_not_end_the_process() -> None:
    buffer = io.BytesIO()
    pl.DataFrame({"Alat": ["1", "2"] * 50, "PIN": ["5", "6"] * 50}).write_parquet(buffer)
    data = bytearray(buffer.getvalue())
    data[4:40] = b"\xff" * 36
    assert "it is a broken Parquet file" in refusal(bytes(data), "parquet")


def test_objects_that_name_ever_other_keys_are_refused() -> None:
    lines = b"".join(b"{%s}\n" % b",".join(b'"k%d":1' % (9_000 * n + k) for k in range(9_000)) for n in range(2))
    assert "the keys of its objects: 18,000 columns" in refusal(lines, "jsonl")


def test_a_key_with_half_a_character_is_written_out() -> None:
    said = refusal(b'{"Alat":"1","PIN":"1","Sejak":"2","NI\\ud800P":"3"}\n', "jsonl")
    assert "did you mean 'NI\\ud800P'?" in said
    assert said.encode()


def test_a_huge_value_of_an_object_is_named_with_its_line() -> None:
    line = b'{"Alat":"1","PIN":"1","Sejak":"2","NIP":"3"}\n'
    huge = b'{"Alat":[%s1]}\n' % (b"[]," * MAX_CELL)
    assert "line 2, 'Alat': a cell holds more than" in refusal(line + huge, "jsonl")


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"Alat": ["1"], "PIN": ["5"], "Sejak": ["2026-01-01"], "NIP": [NIP], **columns}).write_parquet(buffer)
    return buffer.getvalue()


def test_one_value_ten_million_times_is_refused_before_it_is_read() -> None:
    buffer = io.BytesIO()
    many = pl.repeat("1", 10_000_000, dtype=pl.String).alias("Alat")
    pl.LazyFrame().select(many).sink_parquet(buffer)
    assert len(buffer.getvalue()) < 100_000
    assert "it unpacks to 153 MB" in refusal(buffer.getvalue(), "parquet")


def test_a_long_text_that_many_rows_share_is_refused() -> None:
    rows = 300
    data = parquet(Alat=["x" * 500_000] * rows, PIN=["5"] * rows, Sejak=["2026-01-01"] * rows, NIP=[NIP] * rows)
    assert "it unpacks to 143 MB" in refusal(data, "parquet")


def test_days_and_moments_that_no_calendar_has_are_text_and_no_date() -> None:
    day = pl.Series([2**31 - 1], dtype=pl.Int32).cast(pl.Date)
    assert rows(pins(parquet(Sejak=day), "parquet"), "Sejak", "_problem") == [("2147483647", None)]
    for kind in (pl.Datetime("us"), pl.Datetime("ms", "Asia/Jakarta")):
        moment = pl.Series([2**62]).cast(kind)
        assert rows(pins(parquet(Sejak=moment), "parquet"), "Sejak") == [(str(2**62),)]
    near = pl.Series([0]).cast(pl.Datetime("us", "Asia/Jakarta"))
    assert rows(pins(parquet(Sejak=near), "parquet"), "Sejak") == [("1970-01-01 07:00:00+07:00",)]


def test_a_column_of_durations_is_refused_by_its_name() -> None:
    lasting = pl.Series([1]).cast(pl.Duration("us"))
    assert "column 'Sejak': it holds Duration" in refusal(parquet(Sejak=lasting), "parquet")
