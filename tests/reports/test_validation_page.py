"""The validation page says what the kept judgement says, to people, in both languages, from one file."""

from __future__ import annotations

from typing import Any

import polars as pl
from two_languages import read

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.reports.validation import validation_page
from kinerja_pipeline.validated.evidence import document, judged
from kinerja_pipeline.validated.split import split

ROSTER = load_contracts().incoming["shift_roster"]
NIP = "199001012020011001"


def kept(month: str | None, shifts: list[str | None], problem: str | None = None) -> dict[str, Any]:
    """A roster of as many days as there are shifts, judged; the last row may be one the reader could not take apart."""
    rows = [
        {
            "nip": NIP,
            "work_date": f"2026-03-{day:02}",
            "schedule_id": shift,
            "_delivery_id": "d" * 64,
            "_source_row": day + 1,
            "_problem": problem if day == len(shifts) else None,
            "_raw": None,
        }
        for day, shift in enumerate(shifts, start=1)
    ]
    schema = {**dict.fromkeys(ROSTER.names, pl.String), "_delivery_id": pl.String, "_source_row": pl.UInt32}
    frame = pl.DataFrame(rows, schema={**schema, "_problem": pl.String, "_raw": pl.String})
    ledger = pl.DataFrame(
        {"delivery_id": ["d" * 64], "sequence": [1], "delivery_mode": ["append"], "delivery_scope": [""]}
    )
    result = split(frame, ROSTER, zone="Asia/Jakarta", references={}, deliveries=ledger)
    return document(ROSTER, result, judged(ROSTER, result), "salor", month)


def test_a_page_tells_the_broken_rule_how_often_where_and_that_it_is_too_often() -> None:
    html = validation_page(kept(None, ["off", "a" * 41, "off"]), [], {"d" * 64: "shift_roster/maret.csv"})
    indonesian, english = read(html, "id").text, read(html, "en").text
    assert "Baris yang ditolak melebihi batas kontrak" in indonesian
    assert "More rows were rejected than the contract bears" in english
    assert "panjang schedule_id paling banyak 40 huruf" in indonesian
    assert "schedule_id must have 0 to 40 characters" in english
    assert "misalnya shift_roster/maret.csv:3" in indonesian
    assert "33,33 %" in indonesian
    assert "33.33%" in english


def test_a_rule_that_could_not_be_asked_is_not_called_met() -> None:
    line = next(
        x for x in read(validation_page(kept(None, ["off"]), [], {}), "en").text.splitlines() if "__unknown" in x
    )
    assert line.split() == ["nip__unknown", "not", "checked"]


def test_rows_that_the_reader_could_not_take_apart_are_told() -> None:
    text = read(validation_page(kept(None, ["off", "off"], "row__short"), [], {}), "id").text
    assert "row__short" in text
    assert "baris harus mempunyai sel sebanyak kepala tabel" in text
    assert "misalnya dddddddddddd:3" in text


def test_the_trend_shows_the_earlier_months_in_order_and_a_month_without_rows_divides_nothing() -> None:
    months = [kept("2026-01", ["off"]), kept("2026-02", []), kept("2026-03", ["off", "a" * 41])]
    lines = read(validation_page(months[2], months[:2], {}), "en").text.splitlines()
    trend = [line.split() for line in lines if line.strip().startswith("2026-0") and "·" not in line]
    assert trend == [
        ["2026-01", "1", "0", "0.00%"],
        ["2026-02", "0", "0", "–"],
        ["2026-03", "2", "1", "50.00%"],
    ]


def test_a_page_needs_no_network_and_no_script_and_quotes_no_row() -> None:
    html = validation_page(kept(None, ["off", "a" * 41]), [], {})
    assert read(html, "id").links == []
    assert "<script" not in html
    assert "url(" not in html
    assert NIP not in html
    assert "a" * 41 not in html


def test_what_a_page_quotes_cannot_become_part_of_it() -> None:
    html = validation_page(kept(None, ["off", "a" * 41]), [], {"d" * 64: "shift_roster/<b>x</b>.csv"})
    assert "<b>x" not in html
    assert "&lt;b&gt;x" in html
