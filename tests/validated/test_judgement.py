"""A feed is judged from the counts of its split, and a recount of the rows by another engine comes to the same."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from slow_reading import SlowReading
from test_breakers import GOOD, INCOMING, KEY_OF_THE_BROKEN, REFERENCES, cases
from validated_world import ZONE, deliveries, landed

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.contracts.validation import Judgement, Outcome, judge_rows
from kinerja_pipeline.validated.evidence import judged
from kinerja_pipeline.validated.split import Split, split

MONTH = "2026-03"
NO_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
"""Worlds are small already, and making one smaller takes minutes."""
Row = dict[str, Any]


def values_of(contract: Contract) -> dict[str, list[str | None]]:
    """Every text that some breaker of the feed puts into a column, the good ones, and nothing."""
    rows: list[Row] = [GOOD[contract.name], KEY_OF_THE_BROKEN[contract.name]]
    rows += [row for _, broken in cases(contract).values() for row in broken]
    return {name: list(dict.fromkeys([*(row.get(name) for row in rows), None])) for name in contract.names}


@st.composite
def worlds(draw: st.DrawFn, contract: Contract) -> list[Row]:
    """Rows of a feed in two deliveries: mostly good cells, some torn rows, some columns without any value."""
    pools, rows = values_of(contract), []
    empty = draw(st.sets(st.sampled_from(contract.names), max_size=3))
    for line in range(draw(st.integers(0, 12))):
        row = {**GOOD[contract.name], "_delivery_id": draw(st.sampled_from("ab")), "_source_row": line}
        for name in draw(st.sets(st.sampled_from(contract.names), max_size=4)):
            row[name] = draw(st.sampled_from(pools[name]))
        row |= dict.fromkeys(empty)
        if contract.is_event:
            row["_month"] = draw(st.sampled_from([MONTH, MONTH, MONTH, "2026-04"]))
        if draw(st.integers(0, 9)) == 0:
            row |= {"_problem": "row__short", "_raw": "..."}
        rows.append(row)
    return rows


def split_of(contract: Contract, rows: list[Row], references: dict[str, pl.DataFrame] = REFERENCES) -> Split:
    month = MONTH if contract.is_event else None
    ledger = deliveries(a="append", b="append")
    frame = landed(contract, rows)
    return split(frame, contract, zone=ZONE, references=references, deliveries=ledger, month=month)


def recounted(contract: Contract, rows: list[Row]) -> Judgement:
    reading = SlowReading(contract, landed(contract, rows), ZONE, REFERENCES)
    return judge_rows(contract, reading.recount(MONTH if contract.is_event else None))


def results(judgement: Judgement) -> dict[str, Any]:
    found = judgement.document()["results"]
    return {r["expectation_config"]["meta"]["rule"]: (r["success"], r["result"]) for r in found}


@pytest.mark.parametrize("contract", INCOMING.values(), ids=lambda c: c.name)
def test_the_split_counts_what_a_recount_counts_for_every_rule(contract: Contract) -> None:
    @settings(max_examples=12, phases=NO_SHRINKING)
    @given(worlds(contract))
    def check(rows: list[Row]) -> None:
        assert results(judged(contract, split_of(contract, rows))) == results(recounted(contract, rows))

    check()


@pytest.mark.parametrize("contract", INCOMING.values(), ids=lambda c: c.name)
def test_every_breaker_is_counted_alike_by_both(contract: Contract) -> None:
    rows = [
        {**row, "_delivery_id": "a", "_source_row": n}
        for n, row in enumerate(row for _, broken in cases(contract).values() for row in broken)
    ]
    evidence, recount = judged(contract, split_of(contract, rows)), recounted(contract, rows)
    assert results(evidence) == results(recount)
    # Together in one delivery some rows are shadowed (a conflict needs rows that are good otherwise), most are not.
    assert sum(o.broken > 0 for o in evidence.outcomes) > len(contract.rules) / 2


def test_a_rule_whose_feed_is_not_there_is_left_out_rather_than_met() -> None:
    contract = INCOMING["task_record"]
    result = split_of(contract, [{**GOOD["task_record"], "_delivery_id": "a", "_source_row": 2}], {})
    assert result.unchecked == ("nip__unknown", "unit_id__unknown")
    assert {o.rule for o in judged(contract, result).outcomes}.isdisjoint(result.unchecked)


def test_a_torn_row_is_asked_nothing_but_counts_as_rejected() -> None:
    contract = INCOMING["feedback_response"]
    early = {"shared_at": "2026-02-01 08:59:59"}
    torn = {"_problem": "row__short", "_raw": "..."}
    rows = [
        {**GOOD[contract.name], "_delivery_id": "a", "_source_row": 2},
        {**GOOD[contract.name], **early, **torn, "_delivery_id": "a", "_source_row": 3},
    ]
    found = judged(contract, split_of(contract, rows))
    assert (found.of("row__unreadable").broken, found.of("row__unreadable").asked) == (1, 2)
    assert (found.of("all").broken, found.of("all").asked) == (1, 2)
    assert found.of("shared_at__before__observed_at").broken == 0
    assert found.of("score__missing").asked == 1


def one_wrong_of(count: int) -> Judgement:
    contract = replace(INCOMING["shift_roster"], tolerance_share=0.05)
    rows = [
        {
            **GOOD["shift_roster"],
            "work_date": f"2026-{1 + n // 28:02}-{1 + n % 28:02}",
            "_delivery_id": "a",
            "_source_row": n,
        }
        for n in range(count)
    ]
    rows[0]["schedule_id"] = "a" * 41
    return judged(contract, split_of(contract, rows))


def test_exactly_the_tolerated_share_is_met_and_a_row_more_is_not() -> None:
    at, above = one_wrong_of(20), one_wrong_of(19)
    assert (at.of("all"), above.of("all")) == (
        Outcome("all", at.of("all").words, "error", True, 20, 1, 0.95),
        Outcome("all", at.of("all").words, "error", False, 19, 1, 0.95),
    )
    assert at.of("schedule_id__length").is_met
    assert [o.rule for o in above.unmet("error")] == ["schedule_id__length", "all"]


@pytest.mark.parametrize("contract", INCOMING.values(), ids=lambda c: c.name)
def test_a_document_is_what_great_expectations_writes(contract: Contract) -> None:
    # Ours leaves its copying out, and must leave out nothing else.
    broken = [row for _, rows in cases(contract).values() for row in rows]
    judgement = judged(contract, split_of(contract, [{**row, "_delivery_id": "a", "_source_row": 1} for row in broken]))
    theirs = judgement.result.to_json_dict()
    assert judgement.document() == theirs
    assert json.dumps(judgement.document()) == json.dumps(theirs)


def test_a_judgement_holds_no_value_of_a_row() -> None:
    for contract in INCOMING.values():
        broken = [row for _, rows in cases(contract).values() for row in rows]
        # The good value, too: it stands beside the wrong one in most rows.
        rows = [{**row, "_delivery_id": "a", "_source_row": n} for n, row in enumerate(broken)]
        text = json.dumps(judged(contract, split_of(contract, rows)).document())
        codes = {code for column in contract.columns for code in column.codes}
        for column in contract.columns:
            if column.is_personal:
                texts = {str(row[column.name]) for row in rows if row.get(column.name)} - codes
                assert not [t for t in texts if len(t) > 3 and t in text], f"{contract.name}.{column.name}"


@pytest.mark.parametrize("contract", INCOMING.values(), ids=lambda c: c.name)
def test_our_run_of_a_suite_gives_the_results_of_great_expectations_own(contract: Contract) -> None:
    # We go around Validator.graph_validate, for it builds the graph of metrics anew each time; this says that nothing
    # else is lost. It also fails when a new version asks the engines for a metric that they do not know.
    from great_expectations.validator.validator import Validator

    from kinerja_pipeline.contracts.engines import EvidenceEngine, RecountEngine
    from kinerja_pipeline.contracts.expectations import result_format, suite_of
    from kinerja_pipeline.validated.evidence import counts

    rows = [
        {**row, "_delivery_id": "a", "_source_row": n}
        for n, row in enumerate(row for _, broken in cases(contract).values() for row in broken)
    ]
    result = split_of(contract, rows)
    reading = SlowReading(contract, landed(contract, rows), ZONE, REFERENCES)
    engines = (
        EvidenceEngine(contract, counts(result)),
        RecountEngine(contract, reading.recount(MONTH if contract.is_event else None)),
    )
    ours = results(judged(contract, result))
    for engine in engines:
        own = Validator(execution_engine=engine).graph_validate(
            suite_of(contract).expectation_configurations,
            {"result_format": result_format(with_examples=False), "catch_exceptions": False},
        )
        assert {r.expectation_config.meta["rule"]: (r.success, r.result) for r in own} == ours
