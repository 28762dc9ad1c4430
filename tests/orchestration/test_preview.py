"""What everybody sees of a table in the UI: values, and nobody."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from dagster import MarkdownMetadataValue

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.orchestration.preview import FEWEST_PEOPLE, preview

CONTRACTS = load_contracts()
PEOPLE = [f"19800815200604{n:04}" for n in range(FEWEST_PEOPLE)]


def shown(contract: Contract, rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """The cells by column."""
    names = contract.names
    found = preview(contract, pl.DataFrame([{n: row.get(n) for n in names} for row in rows], infer_schema_length=None))
    if not found:
        return {}
    table = found["preview"]
    assert isinstance(table, MarkdownMetadataValue)
    lines = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in (table.value or "").splitlines()]
    return {line[0]: line[1:] for line in lines}


def worked(nip: str, day: int, minutes: int, rule: str = "TL1") -> dict[str, Any]:
    row = {"region": "salor", "nip": nip, "work_date": dt.date(2026, 3, day), "late_minutes": minutes}
    return {**row, "unit_id": "SLR-DINKES", "deduction_rule": rule}


def test_of_a_table_about_people_each_column_stands_by_itself_and_nobody_in_it() -> None:
    rows = [worked(nip, 10 + n, 90 - n) for n, nip in enumerate(PEOPLE)]
    cells = shown(CONTRACTS.outgoing["attendance_day"], rows)
    assert cells["column"] == ["for example"]
    assert cells["nip"] == ["*restricted*"]
    # Sorted: who came on the 10th was the one with 90 minutes, and the table does not say so.
    assert cells["work_date"] == ["2026-03-10, 2026-03-12, 2026-03-14"]
    assert cells["late_minutes"] == ["86, 88, 90"]
    assert cells["unit_id"] == ["SLR-DINKES"]


def test_of_a_few_people_nothing_is_shown() -> None:
    few = [worked(nip, day, 5) for nip in PEOPLE[1:] for day in range(1, 20)]
    assert shown(CONTRACTS.outgoing["attendance_day"], few) == {}


def test_of_units_no_row_is_shown_for_a_unit_may_be_one_person() -> None:
    rows = [{"unit_id": unit, "employee_count": 1, "kurang_count": n} for n, unit in enumerate(("SLR-A", "SLR-B"))]
    cells = shown(CONTRACTS.outgoing["unit_evaluation"], rows)
    assert cells["unit_id"] == ["SLR-A, SLR-B"]
    assert cells["kurang_count"] == ["0, 1"]


def test_of_a_table_about_nobody_its_first_rows_are_shown() -> None:
    rows = [{"region": "salor", "period_kind": kind, "month_count": n} for n, kind in enumerate(("month", "year"), 1)]
    cells = shown(CONTRACTS.outgoing["period_status"], rows)
    assert (cells["column"], cells["period_kind"], cells["month_count"]) == (
        ["row 1", "row 2"],
        ["month", "year"],
        ["1", "2"],
    )


@pytest.mark.parametrize("text", [PEOPLE[0], "Budi Santoso", "budi@salor.go.id", f"sakit: {PEOPLE[0]}", "x" * 200])
def test_a_text_that_might_name_somebody_is_called_a_text(text: str) -> None:
    cells = shown(CONTRACTS.outgoing["attendance_day"], [worked(nip, 1, 0, text) for nip in PEOPLE])
    assert cells["deduction_rule"] == ["*text*"]


def test_an_empty_table_has_no_preview() -> None:
    contract = CONTRACTS.outgoing["period_status"]
    assert preview(contract, pl.DataFrame(schema=dict.fromkeys(contract.names, pl.String))) == {}
