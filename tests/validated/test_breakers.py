"""Every rule of every incoming contract rejects a row that breaks it, and only for what it breaks.

One good row per feed is written down here; for each rule of the page a breaker changes the cells that make exactly this
rule fail. A rule that stops rejecting fails the suite, and so does a rule without a breaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from validated_world import ZONE, deliveries, landed

from kinerja_pipeline.contracts.model import Contract, Rule, load_contracts
from kinerja_pipeline.validated.split import Split, split

INCOMING = load_contracts().incoming
Row = dict[str, Any]

NIP = "199001012020011001"
OTHER_NIP = "198505052010012002"

GOOD: dict[str, Row] = {
    "attendance_log": {
        "device_id": "gate-1",
        "pin": "17",
        "tapped_at": "2026-03-02 07:31:00",
        "state_code": "0",
        "verify_code": "1",
        "_month": "2026-03",
    },
    "device_pin": {
        "device_id": "gate-1",
        "pin": "17",
        "valid_from": "2026-01-01",
        "nip": NIP,
        "valid_to": "2026-12-31",
    },
    "employee": {
        "nip": NIP,
        "assignment_code": "utama",
        "valid_from": "2026-01-01",
        "name": "Siti Aminah",
        "employment_status": "pns",
        "unit_id": "dinkes",
        "position": "Perawat",
        "position_level": "fungsional",
        "supervisor_nip": OTHER_NIP,
        "schedule_id": "office_5_day",
        "valid_to": "2026-12-31",
    },
    "feedback_response": {
        "response_id": "r-1",
        "element_code": "u1",
        "survey_code": "skm",
        "round_id": "2026-1",
        "submitted_at": "2026-03-02 09:00:00",
        "subject_kind": "unit",
        "subject_id": "dinkes",
        "role_code": "public",
        "score": "3",
        "scale_max": "4",
        "observed_at": "2026-03-01 09:00:00",
        "shared_at": "2026-03-02 09:00:00",
        "_month": "2026-03",
    },
    "indicator_measurement": {
        "indicator_id": "budget_absorption",
        "subject_kind": "unit",
        "subject_id": "dinkes",
        "period": "2026-03",
        "numerator": "75",
        "denominator": "100",
        "value": "75",
        "_month": "2026-03",
    },
    "leave_permit": {
        "permit_id": "p-1",
        "nip": NIP,
        "kind_code": "sakit",
        "part": "whole",
        "start_date": "2026-03-02",
        "end_date": "2026-03-03",
    },
    "org_unit": {
        "unit_id": "dinkes",
        "valid_from": "2026-01-01",
        "name": "Dinas Kesehatan",
        "parent_unit_id": "setda",
        "sector": "health",
        "needed_headcount": "40",
        "population_served": "100000",
        "valid_to": "2026-12-31",
    },
    "performance_rating": {
        "subject_kind": "employee",
        "subject_id": NIP,
        "period_kind": "month",
        "period": "2026-03",
        "result_rating": "sesuai",
        "behaviour_rating": "sesuai",
        "predicate": "baik",
        "has_new_idea": "tidak",
        "received_at": "2026-04-01 08:00:00",
        "objected_at": "2026-04-02 08:00:00",
        "decided_at": "2026-04-03 08:00:00",
        "decision_code": "upheld",
        "_month": "2026-03",
    },
    "shift_roster": {"nip": NIP, "work_date": "2026-03-02", "schedule_id": "shift_night"},
    "task_record": {
        "task_id": "t-1",
        "nip": NIP,
        "unit_id": "dinkes",
        "task_type": "complaint",
        "service_code": "ktp",
        "requester_key": "5f2d",
        "opened_at": "2026-03-02 08:00:00",
        "due_at": "2026-03-04",
        "first_response_at": "2026-03-02 09:00:00",
        "completed_at": "2026-03-03 10:00:00",
        "status_code": "completed",
        "quantity_planned": "10",
        "quantity_done": "9",
        "quality_score": "87,5",
        "cost_planned": "1000000",
        "cost_spent": "900000",
        "evidence": "rak 4",
        "approver_nip": OTHER_NIP,
        "_month": "2026-03",
    },
}

KEY_OF_THE_BROKEN: dict[str, Row] = {
    "attendance_log": {"tapped_at": "2026-03-02 16:01:00"},
    "device_pin": {"valid_from": "2026-02-01"},
    "employee": {"valid_from": "2026-02-01"},
    "feedback_response": {"response_id": "r-2"},
    "indicator_measurement": {"subject_id": "disdik"},
    "leave_permit": {"permit_id": "p-2"},
    "org_unit": {"unit_id": "puskesmas"},
    "performance_rating": {"subject_id": OTHER_NIP},
    "shift_roster": {"work_date": "2026-03-03"},
    "task_record": {"task_id": "t-2"},
}
"""What tells the broken row from the good one, so that the good one is not merely superseded."""

ROW_BREAKERS: dict[str, Row] = {
    "device_pin.valid_to__before__valid_from": {"valid_to": "2026-01-31"},
    "employee.nip__rounded": {"nip": "199001012020011000"},
    "employee.valid_to__before__valid_from": {"valid_to": "2026-01-31"},
    "feedback_response.score__above__scale_max": {"score": "4.5"},
    "feedback_response.shared_at__before__observed_at": {"shared_at": "2026-03-01 08:59:59"},
    "indicator_measurement.value__missing_without__numerator": {"value": None, "denominator": None},
    "leave_permit.end_date__before__start_date": {"end_date": "2026-03-01"},
    "org_unit.valid_to__before__valid_from": {"valid_to": "2025-12-31"},
    "org_unit.parent_unit_id__is__unit_id": {"parent_unit_id": "puskesmas"},
    "performance_rating.predicate__missing_with__ratings": {"predicate": None, "behaviour_rating": None},
    "performance_rating.predicate__istimewa_for__employee": {"predicate": "istimewa"},
    "performance_rating.objected_at__before__received_at": {"objected_at": "2026-03-31 08:00:00"},
    "task_record.completed_at__before__opened_at": {"completed_at": "2026-03-02 07:59:59"},
    "task_record.first_response_at__before__opened_at": {"first_response_at": "2026-03-01 09:00:00"},
    "task_record.due_at__before__opened_at": {"due_at": "2026-03-01"},
    "task_record.completed_at__missing_in__completed": {"completed_at": None},
    "task_record.unit_id__missing_without__nip": {"nip": None, "unit_id": None},
}

REFERENCE_BREAKERS: dict[str, Row] = {
    "attendance_log.pin__unknown": {"pin": "18"},
    "device_pin.nip__unknown": {"nip": "200001012025011003"},
    "employee.unit_id__unknown": {"unit_id": "disdik"},
    "leave_permit.nip__unknown": {"nip": "200001012025011003"},
    "shift_roster.nip__unknown": {"nip": "200001012025011003"},
    "task_record.nip__unknown": {"nip": "200001012025011003"},
    "task_record.unit_id__unknown": {"unit_id": "disdik"},
}

CONFLICT_BREAKERS: dict[str, Row] = {
    "device_pin": {"nip": OTHER_NIP},
    "employee": {"name": "Siti Aminah, S.Kep."},
    "feedback_response": {"score": "4"},
    "indicator_measurement": {"value": "76"},
    "leave_permit": {"part": "first_half"},
    "org_unit": {"name": "Dinas Kesehatan Kota"},
    "performance_rating": {"predicate": None},
    "shift_roster": {"schedule_id": "off"},
    "task_record": {"quantity_done": "9.5"},
}

FOLLOWS: dict[str, set[str]] = {
    # No register knows a device or person whose number is not even a number.
    "attendance_log.device_id__length": {"pin__unknown"},
    "attendance_log.pin__pattern": {"pin__unknown"},
    "device_pin.nip__pattern": {"nip__unknown"},
    "leave_permit.nip__pattern": {"nip__unknown"},
    "shift_roster.nip__pattern": {"nip__unknown"},
    "task_record.nip__pattern": {"nip__unknown"},
    # 3 of at most 1: a scale below 2 cannot hold the score either.
    "feedback_response.scale_max__range low": {"score__above__scale_max"},
}
"""The reasons that necessarily come with a rule's own."""

UNREADABLE = {
    "integer": "1.234",
    "number": "Rp 5",
    "boolean": "mungkin",
    "date": "31/02/2026",
    "timestamp": "kemarin",
}

REFERENCES: dict[str, pl.DataFrame] = {
    "org_unit": pl.DataFrame({"unit_id": ["dinkes", "setda"]}),
    "employee": pl.DataFrame({"nip": [NIP, OTHER_NIP, "199001012020011000"]}),
    "device_pin": pl.DataFrame({"device_id": ["gate-1"], "pin": ["17"]}),
}


def breakers(contract: Contract, rule: Rule) -> dict[str, list[Row]]:
    """Rows that break the rule, by case; each row only says what differs from the good one."""
    name, column = rule.columns[0], contract.column(rule.columns[0])
    place = f"{contract.name}.{rule.name}"
    match rule.what:
        case "missing":
            return {"null": [{name: None}], "blank": [{name: "  "}]}
        case "unreadable":
            return {"": [{name: UNREADABLE[column.kind]}]}
        case "month_first":
            # The first could be 2 January or 1 February; the second, 31 January, gives the file away.
            return {"": [{name: "01/02/2026"}, {name: "01/31/2026"}]}
        case "pattern":
            return {"": [{name: "??"}]}
        case "length":
            too_long = {"": [{name: "a" * ((column.max_length or 0) + 1)}]}
            assert column.min_length is None, f"{place}: a minimum needs a breaker of its own"
            return too_long
        case "range":
            low = {} if column.minimum is None else {"low": [{name: f"{column.minimum - 1:g}"}]}
            return low | ({} if column.maximum is None else {"high": [{name: f"{column.maximum + 1:g}"}]})
        case "code":
            return {"": [{name: "lain"}]}
        case "row":
            return {"": [ROW_BREAKERS[place]]}
        case "reference":
            return {"": [REFERENCE_BREAKERS[place]]}
        case "month":
            return {"": [{name: "2000-01" if column.kind == "string" else "2000-01-01 00:00:00"}]}
        case "conflict":
            return {"": [{}, CONFLICT_BREAKERS[contract.name]]}


def cases() -> list[Any]:
    found = []
    for contract in INCOMING.values():
        for rule in contract.rules:
            for case, rows in breakers(contract, rule).items():
                name = f"{contract.name}.{rule.name}{f' {case}' if case else ''}"
                found.append(pytest.param(contract, rule, name, rows, id=name))
    return found


def judged(contract: Contract, rows: list[Mapping[str, Any]]) -> Split:
    frame = landed(contract, rows)
    month = "2026-03" if contract.is_event else None
    ledger = deliveries(good="append", broken="append")
    return split(frame, contract, zone=ZONE, references=REFERENCES, deliveries=ledger, month=month)


@pytest.mark.parametrize("contract", INCOMING.values(), ids=lambda c: c.name)
def test_the_good_row_is_valid(contract: Contract) -> None:
    result = judged(contract, [{**GOOD[contract.name], "_delivery_id": "good", "_source_row": 2}])
    assert result.rejected["_reasons"].to_list() == []
    assert result.valid.height == 1
    assert set(GOOD[contract.name]) - {"_month"} >= {c.name for c in contract.columns}, (
        "a cell of the good row is empty"
    )


@pytest.mark.parametrize(("contract", "rule", "name", "broken"), cases())
def test_a_row_that_breaks_a_rule_is_caught_by_that_rule(
    contract: Contract, rule: Rule, name: str, broken: list[Row]
) -> None:
    good = {**GOOD[contract.name], "_delivery_id": "good", "_source_row": 2}
    base = {**GOOD[contract.name], **KEY_OF_THE_BROKEN[contract.name], "_delivery_id": "broken"}
    rows = [{**base, **cells, "_source_row": 10 + i} for i, cells in enumerate(broken)]

    result = judged(contract, [good, *rows])

    tally = {(line["delivery_id"], line["rule_id"]): line for line in result.tally.iter_rows(named=True)}
    assert result.valid.filter(pl.col("_delivery_id") == "good").height == 1
    assert tally["good", "all"]["valid_count"] == 1
    count = tally["broken", rule.name]
    assert (count["failed_count"], count["first_source_row"]) == (len(rows), 10)
    assert count["severity_code"] == rule.severity
    if rule.severity == "warning":
        assert result.rejected.height == 0
        assert result.valid.filter(pl.col("_delivery_id") == "broken").height == len(rows)
        return
    assert result.valid.height == 1
    assert result.rejected["_source_row"].to_list() == [10 + i for i in range(len(rows))]
    for row, cells in zip(result.rejected.iter_rows(named=True), rows, strict=True):
        assert set(row["_reasons"]) == {rule.name} | FOLLOWS.get(name, set())
        assert {c: row[c] for c in contract.names} == {c: cells[c] for c in contract.names}, "kept as delivered"


def test_no_breaker_is_left_for_a_rule_that_is_gone() -> None:
    names = {f"{c.name}.{r.name}" for c in INCOMING.values() for r in c.rules}
    assert {*ROW_BREAKERS, *REFERENCE_BREAKERS, *(n.split()[0] for n in FOLLOWS)} <= names


def test_without_the_rule_its_bad_row_would_be_believed() -> None:
    # The breakers above break one rule each: a page that loses it lets the row through.
    contract = INCOMING["shift_roster"]
    rows = [{**GOOD["shift_roster"], "schedule_id": "a" * 41, "_delivery_id": "broken", "_source_row": 2}]
    assert judged(contract, rows).valid.height == 0
    without = tuple(r for r in contract.rules if r.name != "schedule_id__length")
    loose = Contract(
        contract.name,
        "incoming",
        "1",
        contract.description,
        contract.grain,
        contract.columns,
        without,
        path=contract.path,
    )
    assert judged(loose, rows).valid.height == 1
