"""Every rule of every incoming contract rejects a row that breaks it, and only for what it breaks.

One good row per feed is written down here; for each rule of the page a breaker changes the cells that make exactly this
rule fail. A rule that stops rejecting fails the suite, and so does a rule without a breaker.
"""

from __future__ import annotations

from functools import cache
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
    "device_outage": {
        "device_id": "gate-1",
        "started_at": "2026-03-02 06:30:00",
        "ended_at": "2026-03-02 09:00:00",
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
    "indicator_target": {
        "indicator_id": "task_on_time",
        "subject_kind": "employee",
        "subject_id": NIP,
        "period": "2026-Q2",
        "target": "87,5",
        "agreed_at": "2026-03-20 09:00:00",
        "agreed_by": OTHER_NIP,
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
    "training_plan": {
        "programme_id": "DIK-WAKTU",
        "year": "2026",
        "name": "Manajemen waktu",
        "competency_code": "manajemen_waktu",
        "planned_hours": "8",
        "places": "30",
        "cost": "24000000",
        "provider": "BPSDM",
    },
    "training_record": {
        "nip": NIP,
        "programme_id": "DIK-WAKTU",
        "completed_date": "2026-03-12",
        "hours": "8",
        "competency_code": "manajemen_waktu",
        "provider": "BPSDM",
        "cost": "800000",
        "is_training": "ya",
        "_month": "2026-03",
    },
}

KEY_OF_THE_BROKEN: dict[str, Row] = {
    "attendance_log": {"tapped_at": "2026-03-02 16:01:00"},
    "device_pin": {"valid_from": "2026-02-01"},
    "device_outage": {"started_at": "2026-03-03 06:30:00", "ended_at": "2026-03-03 09:00:00"},
    "employee": {"valid_from": "2026-02-01"},
    "feedback_response": {"response_id": "r-2"},
    "indicator_measurement": {"subject_id": "disdik"},
    "indicator_target": {"subject_id": OTHER_NIP},
    "leave_permit": {"permit_id": "p-2"},
    "org_unit": {"unit_id": "puskesmas"},
    "performance_rating": {"subject_id": OTHER_NIP},
    "shift_roster": {"work_date": "2026-03-03"},
    "task_record": {"task_id": "t-2"},
    "training_plan": {"programme_id": "DIK-MUTU"},
    "training_record": {"programme_id": "DIK-MUTU"},
}
"""What tells the broken row from the good one, so that the good one is not merely superseded."""

ROW_BREAKERS: dict[str, Row] = {
    "device_pin.valid_to__before__valid_from": {"valid_to": "2026-01-31"},
    "device_outage.ended_at__before__started_at": {"ended_at": "2026-03-03 06:29:59"},
    "employee.nip__rounded": {"nip": "199001012020011000"},
    "employee.valid_to__before__valid_from": {"valid_to": "2026-01-31"},
    "feedback_response.round_id__missing_for__role": {"round_id": None, "role_code": "peer"},
    "feedback_response.score__above__scale_max": {"score": "4.5"},
    "feedback_response.shared_at__before__observed_at": {"shared_at": "2026-03-01 08:59:59"},
    "indicator_measurement.value__missing_without__numerator": {"value": None, "denominator": None},
    "indicator_target.agreed_at__missing_with__agreed_by": {"agreed_at": None},
    "leave_permit.end_date__before__start_date": {"end_date": "2026-03-01"},
    "org_unit.valid_to__before__valid_from": {"valid_to": "2025-12-31"},
    "org_unit.parent_unit_id__is__unit_id": {"parent_unit_id": "puskesmas"},
    "performance_rating.predicate__missing_with__ratings": {"predicate": None, "behaviour_rating": None},
    "performance_rating.predicate__istimewa_for__employee": {"predicate": "istimewa"},
    "performance_rating.objected_at__before__received_at": {"objected_at": "2026-03-31 08:00:00"},
    "performance_rating.decided_at__before__objected_at": {"decided_at": "2026-04-02 07:59:59"},
    "performance_rating.objected_at__missing_with__decided_at": {"objected_at": None},
    "performance_rating.decided_at__missing_with__decision_code": {"decided_at": None},
    "performance_rating.period__differs_from__period_kind": {"period_kind": "year"},
    "task_record.completed_at__before__opened_at": {"completed_at": "2026-03-02 07:59:59"},
    "task_record.first_response_at__before__opened_at": {"first_response_at": "2026-03-01 09:00:00"},
    "task_record.due_at__before__opened_at": {"due_at": "2026-03-01"},
    "task_record.completed_at__missing_in__completed": {"completed_at": None},
    "task_record.unit_id__missing_without__nip": {"nip": None, "unit_id": None},
}

REFERENCE_BREAKERS: dict[str, Row] = {
    "attendance_log.pin__unknown": {"pin": "18"},
    "device_pin.nip__unknown": {"nip": "200001012025011003"},
    "device_outage.device_id__unknown": {"device_id": "gate-2"},
    "employee.unit_id__unknown": {"unit_id": "disdik"},
    "leave_permit.nip__unknown": {"nip": "200001012025011003"},
    "shift_roster.nip__unknown": {"nip": "200001012025011003"},
    "task_record.nip__unknown": {"nip": "200001012025011003"},
    "task_record.unit_id__unknown": {"unit_id": "disdik"},
    "training_record.nip__unknown": {"nip": "200001012025011003"},
}

CONFLICT_BREAKERS: dict[str, Row] = {
    "device_pin": {"nip": OTHER_NIP},
    "device_outage": {"ended_at": "2026-03-03 10:00:00"},
    "employee": {"name": "Siti Aminah, S.Kep."},
    "feedback_response": {"score": "4"},
    "indicator_measurement": {"value": "76"},
    "indicator_target": {"target": "90"},
    "leave_permit": {"part": "first_half"},
    "org_unit": {"name": "Dinas Kesehatan Kota"},
    "performance_rating": {"predicate": None},
    "shift_roster": {"schedule_id": "off"},
    "task_record": {"quantity_done": "9.5"},
    "training_plan": {"places": "31"},
    "training_record": {"hours": "9"},
}

FOLLOWS: dict[str, set[str]] = {
    # No register knows a device or person whose number is not even a number.
    "attendance_log.device_id__length": {"pin__unknown"},
    "attendance_log.pin__pattern": {"pin__unknown"},
    "device_outage.device_id__length": {"device_id__unknown"},
    "device_pin.nip__pattern": {"nip__unknown"},
    "leave_permit.nip__pattern": {"nip__unknown"},
    "shift_roster.nip__pattern": {"nip__unknown"},
    "task_record.nip__pattern": {"nip__unknown"},
    "training_record.nip__pattern": {"nip__unknown"},
    # What is no period at all is not of the named length either.
    "performance_rating.period__pattern": {"period__differs_from__period_kind"},
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


def cases(contract: Contract) -> dict[str, tuple[Rule, list[Row]]]:
    """Every case of every rule by name, each with its broken rows as delivered."""
    base = {**GOOD[contract.name], **KEY_OF_THE_BROKEN[contract.name]}
    found = {}
    for rule in contract.rules:
        for case, rows in breakers(contract, rule).items():
            name = f"{contract.name}.{rule.name}{f' {case}' if case else ''}"
            delivered = [{**base, **cells, "_delivery_id": name, "_source_row": 10 + i} for i, cells in enumerate(rows)]
            found[name] = (rule, delivered)
    return found


def judged(contract: Contract, rows: list[Row], month: str | None = "2026-03") -> Split:
    names = dict.fromkeys(row["_delivery_id"] for row in rows)
    month = month if contract.is_event else None
    ledger = deliveries(**dict.fromkeys(names, "append"))
    return split(landed(contract, rows), contract, zone=ZONE, references=REFERENCES, deliveries=ledger, month=month)


@cache
def judged_together(feed: str) -> Split:
    """The good row and every case of the feed, each a delivery of its own: bad rows do not replace one another."""
    good = {**GOOD[feed], "_delivery_id": "good", "_source_row": 2}
    return judged(INCOMING[feed], [good, *(row for _, rows in cases(INCOMING[feed]).values() for row in rows)])


@pytest.mark.parametrize("contract", INCOMING.values(), ids=lambda c: c.name)
def test_the_good_row_is_valid_alone_and_among_broken_ones(contract: Contract) -> None:
    assert set(GOOD[contract.name]) - {"_month"} >= {c.name for c in contract.columns}, (
        "a cell of the good row is empty"
    )
    alone = judged(contract, [{**GOOD[contract.name], "_delivery_id": "good", "_source_row": 2}])
    assert (alone.valid.height, alone.rejected["_reasons"].to_list()) == (1, [])
    assert judged_together(contract.name).valid.filter(pl.col("_delivery_id") == "good").height == 1


@pytest.mark.parametrize(
    ("feed", "name"), [pytest.param(c.name, name, id=name) for c in INCOMING.values() for name in cases(c)]
)
def test_a_row_that_breaks_a_rule_is_caught_by_that_rule(feed: str, name: str) -> None:
    contract, (rule, rows), result = INCOMING[feed], cases(INCOMING[feed])[name], judged_together(feed)
    own = pl.col("delivery_id") == name
    (count,) = result.tally.filter(own & (pl.col("rule_id") == rule.name)).to_dicts()
    assert (count["failed_count"], count["first_source_row"]) == (len(rows), 10)
    assert count["severity_code"] == rule.severity
    rejected = result.rejected.filter(pl.col("_delivery_id") == name)
    valid = result.valid.filter(pl.col("_delivery_id") == name)
    if rule.severity == "warning":
        assert (valid.height, rejected.height) == (len(rows), 0)
        return
    assert valid.height == 0
    assert rejected["_source_row"].to_list() == [10 + i for i in range(len(rows))]
    for seen, delivered in zip(rejected.iter_rows(named=True), rows, strict=True):
        assert set(seen["_reasons"]) == {rule.name} | FOLLOWS.get(name, set())
        assert {c: seen[c] for c in contract.names} == {c: delivered[c] for c in contract.names}, "kept as delivered"


def test_every_rule_of_every_feed_has_a_breaker() -> None:
    for contract in INCOMING.values():
        assert {rule.name for rule, _ in cases(contract).values()} == {rule.name for rule in contract.rules}


def test_a_rule_rejects_unless_it_is_listed_here_as_a_warning() -> None:
    warnings = {f"{c.name}.{r.name}" for c in INCOMING.values() for r in c.rules if r.severity == "warning"}
    assert warnings == {"feedback_response.shared_at__before__observed_at"}


def test_no_breaker_is_left_for_a_rule_that_is_gone() -> None:
    names = {f"{c.name}.{r.name}" for c in INCOMING.values() for r in c.rules}
    assert {*ROW_BREAKERS, *REFERENCE_BREAKERS, *(n.split()[0] for n in FOLLOWS)} <= names


LANDS_IN = {"2026-03": "2026-03", "2026-10": "2026-10", "2026-Q1": "2026-03", "2026-S1": "2026-06", "2026": "2026-12"}


@pytest.mark.parametrize("kind", ["month", "quarter", "semester", "year"])
def test_a_rating_is_of_the_period_that_its_kind_says_or_is_rejected_with_the_reason(kind: str) -> None:
    periods = {"2026-03": "month", "2026-10": "month", "2026-Q1": "quarter", "2026-S1": "semester", "2026": "year"}
    contract = INCOMING["performance_rating"]
    for n, (period, own) in enumerate(periods.items(), start=2):
        cells = {"period_kind": kind, "period": period, "_delivery_id": "one", "_source_row": n}
        result = judged(
            contract, [{**GOOD["performance_rating"], **cells, "_month": LANDS_IN[period]}], LANDS_IN[period]
        )
        assert result.rejected["_reasons"].to_list() == ([] if own == kind else [["period__differs_from__period_kind"]])


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
