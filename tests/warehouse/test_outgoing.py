"""Rounding by hand, and every way a frame can break its contract, in words for people."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable

import polars as pl
import pytest

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.warehouse.outgoing import content_hash, document, half_up, outgoing_rows

FrameOf = Callable[..., pl.DataFrame]
OUTGOING = load_contracts().outgoing
MARCH = ("2026-03", "2026-Q1", "2026-S1", "2026")


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [
        (2.675, 0.01, 2.68),  # the double is 2.67499999999999982236431605997495353221893310546875
        (1.005, 0.01, 1.01),
        (64.995, 0.01, 65.0),
        (76.605, 0.01, 76.61),
        (2.665, 0.01, 2.67),  # half-even would give 2.66
        (0.12345, 0.0001, 0.1235),
        (-2.675, 0.01, -2.68),
        (-0.001, 0.01, 0.0),
        (0.49999999999999994, 1, 0.0),
        (9007199254740993.0, 1, 9007199254740992.0),
        (1e15 + 0.125, 0.01, 1000000000000000.13),
        (1e22, 0.0001, 1e22),
        (1.123456785, 0.00000001, 1.12345679),
        (83.333333, 0.01, 83.33),
        (0.29, 0.01, 0.29),
    ],
)
def test_a_half_is_rounded_up_as_by_hand(value: float, step: float, expected: float) -> None:
    [rounded] = half_up(pl.Series([value]), step).to_list()
    assert rounded == expected
    assert str(rounded) == str(expected)


def test_a_missing_number_stays_missing() -> None:
    assert half_up(pl.Series([None, 1.005], dtype=pl.Float64), 0.01).to_list() == [None, 1.01]


def test_every_published_number_says_how_many_decimals_it_has() -> None:
    without = [(t.name, c.name) for t in OUTGOING.values() for c in t.columns if c.kind == "number" and not c.step]
    assert without == []


def test_names_and_nips_are_classified_wherever_they_are_published() -> None:
    open_columns = [
        (t.name, c.name)
        for t in OUTGOING.values()
        for c in t.columns
        if ("nip" in c.name or c.name == "subject_id" or (t.name, c.name) == ("employee", "name")) and not c.is_personal
    ]
    assert open_columns == []


def test_the_hash_stands_for_the_content_and_nothing_else(frame_of: FrameOf) -> None:
    contract = OUTGOING["kpi"]
    _, rows, problems, _ = outgoing_rows(contract, frame_of("kpi", {"indicator_id": "a"}), "manokwari", MARCH)
    assert problems == []
    # Written out: if a new version of a library wrote other bytes, every warehouse would look changed.
    text = ",".join(contract.names) + "\n"
    text += "=manokwari,=unit,=dinkes,=a,=month,=2026-03,,=time,,,800000,,,,,=computed,,5,=2026.1\n"
    assert content_hash(contract, rows) == hashlib.sha256(text.encode()).hexdigest()
    other = rows.with_columns(actual=pl.lit(80.0001))
    assert content_hash(contract, other) != content_hash(contract, rows)


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (
            {"aspect_code": "speed"},
            "1 of 2 rows break aspect_code__code ('speed'); aspect_code must be one of quantity",
        ),
        ({"indicator_id": None}, "1 of 2 rows break indicator_id__missing; indicator_id must have a value"),
        ({"weight": 1.2}, "1 of 2 rows break weight__range ('1.2'); weight must be at least 0 and at most 1"),
        ({"period": "2026-13"}, "1 of 2 rows break period__pattern ('2026-13')"),
        (
            {"period": "2026-05"},
            "kpi.period: 1 of 2 rows are of another period; this publication replaces 2026-03, 2026-Q1,",
        ),
        ({"region": "salor"}, "kpi.region: 1 of 2 rows belong to another region than manokwari; publish them there"),
        ({"indicator_id": "a"}, "kpi: 2 of 2 rows share their key (region, subject_kind, subject_id, indicator_id,"),
        (
            {"actual": float("inf")},
            "kpi.actual: 1 of 2 rows hold infinity or NaN; a division by zero is not computable",
        ),
        ({"unit_id": "a\x00b"}, "kpi.unit_id: 1 of 2 rows hold a NUL character, which databases refuse; strip it"),
        (
            {"status_code": "not_computable", "actual": None},
            "break reason__missing_in__not_computable; an indicator that is not computable says why",
        ),
    ],
)
def test_a_broken_row_is_refused_with_table_culprit_count_and_advice(
    frame_of: FrameOf, row: dict[str, object], problem: str
) -> None:
    frame = frame_of("kpi", {"indicator_id": "a"}, {"indicator_id": "b", **row})
    _, _, problems, _ = outgoing_rows(OUTGOING["kpi"], frame, "manokwari", MARCH)
    assert any(problem in line for line in problems), problems


def test_a_rounded_share_is_judged_as_it_is_published(frame_of: FrameOf) -> None:
    frame = frame_of("kpi", {"indicator_id": "a", "weight": 1.0000000002})
    _, rows, problems, _ = outgoing_rows(OUTGOING["kpi"], frame, "manokwari", MARCH)
    assert problems == []
    assert rows["weight"].to_list() == [1.0]


def test_a_message_never_quotes_a_person(frame_of: FrameOf) -> None:
    row = {"nip": "12345", "assignment_code": "utama", "valid_from": dt.date(2026, 1, 1)}
    _, _, problems, _ = outgoing_rows(OUTGOING["employee"], frame_of("employee", row), "manokwari", MARCH)
    assert any("1 of 1 rows break nip__pattern; nip must match" in line for line in problems)
    assert not any("12345" in line for line in problems)


def test_a_kept_judgement_counts_and_quotes_nothing(frame_of: FrameOf) -> None:
    frame = frame_of("kpi", {"indicator_id": "a"}, {"indicator_id": "b", "aspect_code": "speed"})
    kept = document(
        outgoing_rows(OUTGOING["kpi"], frame, "manokwari", MARCH), "manokwari", "2026-03", is_published=False
    )
    assert (kept["table"], kept["row_count"], kept["is_published"], kept["problems"]) == ("kpi", 2, False, [])
    found = {r["expectation_config"]["meta"]["rule"]: r for r in kept["validation"]["results"]}
    assert [rule for rule, result in found.items() if not result["success"]] == ["aspect_code__code"]
    assert found["aspect_code__code"]["result"]["unexpected_count"] == 1
    assert "speed" not in json.dumps(kept)


def test_a_table_that_cannot_be_judged_keeps_why(frame_of: FrameOf) -> None:
    frame = frame_of("kpi", {"indicator_id": "a"}).drop("score")
    kept = document(
        outgoing_rows(OUTGOING["kpi"], frame, "manokwari", MARCH), "manokwari", "2026-03", is_published=False
    )
    assert kept["validation"] is None
    assert kept["problems"] == ["kpi: the columns score are missing; the contract promises them"]


def test_columns_are_compared_by_name(frame_of: FrameOf) -> None:
    frame = frame_of("kpi", {"indicator_id": "a"}).rename({"score": "skor"})
    _, _, problems, _ = outgoing_rows(OUTGOING["kpi"], frame, "manokwari", MARCH)
    assert problems == [
        "kpi: the columns score are missing; the contract promises them",
        "kpi: the columns skor are not in the contract; drop them, or add them to the contract first",
    ]


def test_a_timestamp_without_a_zone_is_refused(frame_of: FrameOf) -> None:
    frame = frame_of("task_outcome", {"task_id": "t"}).with_columns(pl.col("opened_at").dt.replace_time_zone(None))
    _, _, problems, _ = outgoing_rows(OUTGOING["task_outcome"], frame, "manokwari", MARCH)
    assert problems == [
        "task_outcome.opened_at: must be a timestamp in UTC, the frame has Datetime(time_unit='us', time_zone=None)"
    ]


def test_a_column_without_any_value_needs_no_type(frame_of: FrameOf) -> None:
    frame = frame_of("kpi", {"indicator_id": "a"}).with_columns(unit_id=None, weight=None, target=pl.lit(None))
    _, rows, problems, _ = outgoing_rows(OUTGOING["kpi"], frame, "manokwari", MARCH)
    assert problems == []
    assert rows.schema["weight"] == pl.Float64
