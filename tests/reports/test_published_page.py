"""The page of what was published says how each table keeps its contract, in both languages, and quotes no row."""

from __future__ import annotations

from typing import Any

import polars as pl
from two_languages import read

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.reports.published import published_page
from kinerja_pipeline.warehouse.outgoing import document, outgoing_rows, outgoing_schema

REGION = load_contracts().outgoing["region"]
GOOD = {
    "region": "salor",
    "label_id": "Salor",
    "label_en": "Salor",
    "time_zone": "Asia/Jayapura",
    "policy_version": "1",
}


def kept(*rows: dict[str, str | None], without: str | None = None) -> dict[str, Any]:
    frame = pl.DataFrame([{**GOOD, **row} for row in rows], schema=outgoing_schema(REGION))
    checked = outgoing_rows(REGION, frame.drop(without) if without else frame, "salor", ["2026-03"])
    return document(checked, "salor", "2026-03", is_published=not checked.problems)


def page(document: dict[str, Any]) -> str:
    return published_page([document], "salor", "2026-03", "../laporan.html")


def test_a_table_that_keeps_its_contract_is_folded_away() -> None:
    html = page(kept({}))
    assert "<details open>" not in html
    assert "Semua tabel memenuhi kontraknya." in read(html, "id").text
    assert "Every table keeps its contract." in read(html, "en").text
    assert read(html, "id").links == ["../laporan.html", "#region"]


def test_a_broken_promise_is_told_in_both_languages_with_its_count() -> None:
    html = page(kept({"label_id": None}, {"region": "mamuju", "label_id": None}))
    assert "<details open>" in html
    assert "Ada tabel yang tidak memenuhi kontraknya." in read(html, "id").text
    unmet = [line.strip() for line in read(html, "id").text.splitlines() if line.endswith("tidak terpenuhi")]
    assert unmet[1:] == [
        "label_id__missinglabel_id harus diisi 2 2 100,00 % 0,00 % tidak terpenuhi",
        "region__othersatu penerbitan hanya memuat satu daerah 2 1 50,00 % 0,00 % tidak terpenuhi",
    ]
    assert "a publication is of one region" in read(html, "en").text


def test_a_table_without_a_promised_column_says_so_and_is_not_called_kept() -> None:
    html = page(kept({}, without="time_zone"))
    assert "region: the columns time_zone are missing; the contract promises them" in read(html, "id").text
    assert "Ada tabel yang tidak memenuhi kontraknya." in read(html, "id").text


def test_the_page_needs_no_network_and_no_script_and_quotes_no_row() -> None:
    html = page(kept({"label_id": "<b>Salor</b>"}))
    assert "<script" not in html
    assert "url(" not in html
    assert "Jayapura" not in html
    assert "<b>Salor" not in html
