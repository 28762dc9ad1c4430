"""Rows to look at show where they stand and what everybody may see, and nobody's name or number."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from validated_world import landed

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.validated.samples import Sample, samples, told

INCOMING = load_contracts().incoming
TASKS, PEOPLE = INCOMING["task_record"], INCOMING["employee"]
NIP = "198701012010011001"
FILES = {"a" * 64: "task_record/maret.csv"}


def rejected(contract: Contract, *rows: dict[str, Any]) -> pl.DataFrame:
    whole = [{"_delivery_id": "a" * 64, "_source_row": n, **row} for n, row in enumerate(rows, start=7)]
    reasons = pl.Series("_reasons", [row.pop("_reasons") for row in whole], dtype=pl.List(pl.String))
    return landed(contract, whole).drop("_problem", "_month", strict=False).with_columns(reasons)


def test_a_sample_names_file_line_and_the_cells_that_the_rule_looks_at() -> None:
    rows = rejected(TASKS, {"task_id": "T-1", "nip": NIP, "task_type": "rutin", "_reasons": ["task_type__code"]})
    assert samples(TASKS, rows, FILES) == [
        Sample("task_type__code", "task_record/maret.csv", 7, {"task_id": "T-1", "task_type": "rutin"})
    ]


def test_personal_cells_are_shapes() -> None:
    rows = rejected(TASKS, {"task_id": "T-1", "nip": NIP, "_reasons": ["nip__unknown"]})
    assert samples(TASKS, rows, FILES)[0].cells == {"task_id": "T-1", "nip": "9" * 18}


def test_cells_of_a_row_that_may_be_shifted_are_shapes_too() -> None:
    """The name stands where the code belongs, and the personal columns show it."""
    shifted = {"nip": "Ani", "assignment_code": "Wijaya", "valid_from": "2026-01-02"}
    rows = rejected(PEOPLE, shifted | {"_reasons": ["assignment_code__code", "nip__pattern"]})
    shown = samples(PEOPLE, rows, FILES)
    assert {tuple(s.cells.values()) for s in shown} == {("Xxx", "Xxxxxx", "9999-99-99")}
    torn = rejected(TASKS, {"task_id": "Ani", "_reasons": ["row__short"]})
    assert samples(TASKS, torn, FILES)[0].cells == {}


def test_a_word_where_a_day_or_a_number_belongs_is_a_shape() -> None:
    """Somebody wrote what happened, or to whom."""
    wrong = {"task_id": "T-1", "due_at": "Melahirkan", "opened_at": "2026-13-01T07:30:00", "quality_score": "Joko"}
    reasons = ["due_at__unreadable", "opened_at__unreadable", "quality_score__unreadable"]
    shown = samples(TASKS, rejected(TASKS, wrong | {"_reasons": reasons}), FILES)
    assert [list(each.cells.values())[1] for each in shown] == ["Xxxxxxxxxx", "2026-13-01T07:30:00", "Xxxx"]


def test_three_rows_of_a_reason_are_enough() -> None:
    rows = rejected(TASKS, *({"task_id": f"T-{n}", "_reasons": ["task_type__missing"]} for n in range(5)))
    shown = samples(TASKS, rows, {})
    assert [(s.file, s.line) for s in shown] == [("a" * 12, 7), ("a" * 12, 8), ("a" * 12, 9)]
    assert shown[0].cells == {"task_id": "T-0", "task_type": "(empty)"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("selesai", "selesai"),
        ("2026-03-31 07:30:00", "2026-03-31 07:30:00"),
        ("31/03/2026", "31/03/2026"),
        ("-12.5", "-12.5"),
        (NIP, "9" * 18),
        ("19870101 201001 1 001", "99999999 999999 9 999"),
        ("0812-3456-7890", "9999-9999-9999"),
        ("Ani Wijaya", "Xxx Xxxxxx"),
        ("ani@example.id", "xxx@xxxxxxx.xx"),
        ("  ", "(empty)"),
        (None, "(empty)"),
        ("x" * 40, "x" * 24 + "..."),
    ],
)
def test_what_looks_like_a_person_is_a_shape_in_any_column(text: str | None, shown: str) -> None:
    assert told(text, is_open=True) == shown
