"""The recount of published rows against a slow one, for every outgoing contract and whatever the rows hold."""

from __future__ import annotations

import datetime as dt
import json
import re
import sqlite3
from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from kinerja_pipeline.contracts.model import Column, Contract, Rule, load_contracts
from kinerja_pipeline.contracts.validation import (
    KEY_REPEATED,
    PERIOD_OTHER,
    REGION_OTHER,
    judge_published,
)

OUTGOING = load_contracts().outgoing
PERIODS = ("2026-03", "2026-Q1", "2026-S1", "2026")
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
UTC = dt.UTC
NIP = "199001012020011001"

DTYPES: dict[str, Any] = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"),
}
VALUES: dict[str, list[Any]] = {
    "integer": [-1, 0, 1, 2, 5, 2026, 100_000],
    "number": [-0.5, 0.0, 0.5, 1.0, 1.2, 3.0, 100.0, 250.0],
    "boolean": [True, False],
    "date": [dt.date(2026, 3, 1), dt.date(2026, 3, 31), dt.date(2025, 1, 1)],
    "timestamp": [dt.datetime(2026, 3, 2, 0, 30, tzinfo=UTC), dt.datetime(2026, 3, 1, 23, 0, tzinfo=UTC)],
}
TEXTS = ["2026-03", "2026-Q1", "2026-05", "2026-13", "??", "", "dinkes", NIP, "employee", "computed", "a" * 300]


def values_of(column: Column) -> list[Any]:
    if column.name == "region":
        return ["manokwari", "manokwari", "manokwari", "salor"]
    if column.kind != "string":
        return [*VALUES[column.kind], None]
    return [*column.codes, *column.codes, *TEXTS, None]


@st.composite
def frames(draw: st.DrawFn, contract: Contract) -> pl.DataFrame:
    """Few rows, so that keys repeat; some columns without any value."""
    rows = [
        {c.name: draw(st.sampled_from(values_of(c))) for c in contract.columns} for _ in range(draw(st.integers(0, 4)))
    ]
    rows += [dict(row) for row in rows if draw(st.booleans())]
    for name in draw(st.sets(st.sampled_from(contract.names), max_size=3)):
        rows = [{**row, name: None} for row in rows]
    return pl.DataFrame(rows, schema={c.name: DTYPES[c.kind] for c in contract.columns})


def slow(contract: Contract, frame: pl.DataFrame) -> dict[str, int]:
    rows, sqlite = frame.to_dicts(), sqlite3.connect(":memory:")
    sqlite.execute("PRAGMA case_sensitive_like = ON")
    asked = [r for r in contract.rules if r.what not in ("unreadable", "month_first")]
    counted = {r.name: sum(breaks(r, contract, row, sqlite) for row in rows) for r in asked}
    keys = Counter(tuple(row[c] for c in contract.key) for row in rows)
    # Of a key of one column only values can repeat; that there is none is the column's own rule.
    counted[KEY_REPEATED] = sum(count for key, count in keys.items() if count > 1 and key != (None,))
    counted[REGION_OTHER] = sum(row["region"] not in ("manokwari", None) for row in rows)
    if "period" in contract.names:
        counted[PERIOD_OTHER] = sum(row["period"] not in (*PERIODS, None) for row in rows)
    return counted


def breaks(rule: Rule, contract: Contract, row: dict[str, Any], sqlite: sqlite3.Connection) -> bool:
    column, value = contract.column(rule.columns[0]), row[rule.columns[0]]
    if rule.what == "missing":
        return value is None
    if rule.what == "row":
        cells = {c: v.isoformat(sep=" ") if isinstance(v, dt.datetime) else v for c, v in row.items()}
        cells = {c: v.isoformat() if isinstance(v, dt.date) else v for c, v in cells.items()}
        named = ", ".join(f":{c} AS {c}" for c in rule.columns)
        (held,) = sqlite.execute(f"SELECT {rule.predicate} FROM (SELECT {named})", cells).fetchone()
        return bool(held)
    if value is None:
        return False
    match rule.what:
        case "pattern":
            return re.search(column.pattern or "", value) is None
        case "length":
            return not (column.min_length or 0) <= len(value) <= (column.max_length or 10**9)
        case "range":
            low, high = column.minimum, column.maximum
            return (low is not None and value < low) or (high is not None and value > high)
        case "code":
            return value not in column.codes
        case _:
            raise AssertionError(f"{contract.name}.{rule.name}: no outgoing page has a rule of this family yet")


@pytest.mark.parametrize("contract", OUTGOING.values(), ids=lambda c: c.name)
def test_the_recount_counts_what_a_slow_reading_counts_for_every_rule(contract: Contract) -> None:
    @settings(max_examples=12, phases=NO_SHRINKING)
    @given(frames(contract))
    def check(frame: pl.DataFrame) -> None:
        found = judge_published(contract, frame, "manokwari", PERIODS)
        assert {o.rule: o.broken for o in found.outcomes} == slow(contract, frame)
        # No outgoing page tolerates anything: a rule is met when no row breaks it.
        assert [o.rule for o in found.outcomes if o.is_met] == [o.rule for o in found.outcomes if not o.broken]

    check()


@pytest.mark.parametrize("contract", OUTGOING.values(), ids=lambda c: c.name)
def test_our_run_of_an_outgoing_suite_gives_the_results_of_great_expectations_own(contract: Contract) -> None:
    from great_expectations.validator.validator import Validator

    from kinerja_pipeline.contracts.engines import RecountEngine
    from kinerja_pipeline.contracts.expectations import result_format, suite_of
    from kinerja_pipeline.contracts.validation import published_rows

    row = {c.name: values_of(c)[0] for c in contract.columns}
    wrong = {c.name: values_of(c)[-2] for c in contract.columns}
    schema = {c.name: DTYPES[c.kind] for c in contract.columns}
    frame = pl.DataFrame([row, row, wrong, dict.fromkeys(schema)], schema=schema)
    own = Validator(
        execution_engine=RecountEngine(contract, published_rows(contract, frame, "manokwari", PERIODS))
    ).graph_validate(
        suite_of(contract).expectation_configurations,
        {"result_format": result_format(with_examples=True), "catch_exceptions": False},
    )
    ours = judge_published(contract, frame, "manokwari", PERIODS).result.results
    assert [(r.success, r.result) for r in own] == [(r.success, r.result) for r in ours]
    assert any(not r.success for r in ours)


def test_the_library_is_left_as_it_was_after_judging() -> None:
    from great_expectations.expectations.expectation import Expectation

    from kinerja_pipeline.contracts.expectations import suite_of
    from kinerja_pipeline.contracts.validation import _plan

    before = Expectation.__dict__["configuration"]
    # Judged by a plan that is made anew: for its sake expectations build their configuration once while it is made.
    _plan.cache_clear()
    contract = OUTGOING["region"]
    schema = {c.name: DTYPES[c.kind] for c in contract.columns}
    judge_published(contract, pl.DataFrame([], schema=schema), "manokwari", PERIODS)
    assert Expectation.__dict__["configuration"] is before
    one = suite_of(contract).expectations[0]
    assert one.configuration is not one.configuration


def test_an_example_is_never_taken_from_a_personal_column() -> None:
    for contract in OUTGOING.values():
        schema = {c.name: DTYPES[c.kind] for c in contract.columns}
        wrong = {
            c.name: f"orang {c.name}" if c.kind == "string" and c.is_personal else values_of(c)[-2]
            for c in contract.columns
        }
        found = judge_published(contract, pl.DataFrame([wrong, wrong], schema=schema), "manokwari", PERIODS)
        assert "orang " not in json.dumps(found.document(), default=str)
        assert "orang " not in str(found.outcomes)


def test_a_condition_that_cannot_be_evaluated_fails_alone_and_says_why() -> None:
    contract = OUTGOING["region"]
    rule = Rule("label_id__odd", "row", ("label_id",), "error", "must be odd", predicate="label_id - 1 = 0")
    broken = Contract(**{**fields(contract), "rules": (*contract.rules, rule)})
    row = {c.name: "manokwari" for c in contract.columns}
    found = judge_published(broken, pl.DataFrame([row]), "manokwari", PERIODS)
    assert [o.rule for o in found.unmet("error")] == ["label_id__odd"]
    assert "arithmetic" in (found.of("label_id__odd").problem or "")
    assert found.of("label_id__missing").asked == 1


def fields(contract: Contract) -> dict[str, Any]:
    return {name: getattr(contract, name) for name in Contract.__dataclass_fields__}
