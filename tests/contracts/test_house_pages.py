"""What holds for every page of the house, whoever adds one."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from kinerja_pipeline.contracts.model import Contract, contracts_folder, load_contracts

PAGES = sorted(contracts_folder().glob("*/*.odcs.yaml"))
CONTRACTS = [*load_contracts().incoming.values(), *load_contracts().outgoing.values()]
PERSONAL_COLUMNS = ("nip", "supervisor_nip", "approver_nip", "pin", "subject_id", "agreed_by")


def named(contract: Contract) -> str:
    return f"{contract.direction}-{contract.name}"


@pytest.fixture(scope="session")
def odcs() -> Any:
    """The standard's own schema, checked by another program than the one that reads the pages."""
    text = resources.files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    schema = json.loads(text)
    return jsonschema.validators.validator_for(schema)(schema)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: f"{p.parent.name}-{p.name}")
def test_every_page_is_valid_odcs(path: Path, odcs: Any) -> None:
    odcs.validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def test_every_page_is_loaded() -> None:
    assert len(CONTRACTS) == len(PAGES) > 0


def test_the_feeds_and_which_of_them_have_months() -> None:
    months = {name: contract.month_from for name, contract in load_contracts().incoming.items()}
    assert months == {
        "attendance_log": "tapped_at",
        "device_outage": None,
        "device_pin": None,
        "employee": None,
        "feedback_response": "submitted_at",
        "indicator_measurement": "period",
        "indicator_target": None,
        "leave_permit": None,
        "org_unit": None,
        "performance_rating": "period",
        "shift_roster": None,
        "task_record": "opened_at",
        "training_plan": None,
        "training_record": "completed_date",
    }


@pytest.mark.parametrize("contract", CONTRACTS, ids=named)
def test_every_column_is_described(contract: Contract) -> None:
    assert all(len(column.description) > 5 for column in contract.columns)
    assert contract.description.startswith("One row per ")


@pytest.mark.parametrize("contract", CONTRACTS, ids=named)
def test_the_grain_in_words_is_the_key(contract: Contract) -> None:
    assert tuple(contract.grain.split(" x ")) == contract.key


@pytest.mark.parametrize("contract", CONTRACTS, ids=named)
def test_columns_that_name_a_person_are_restricted(contract: Contract) -> None:
    open_columns = [c.name for c in contract.columns if c.name in PERSONAL_COLUMNS and c.classification != "restricted"]
    assert open_columns == []


def test_the_names_of_employees_are_restricted_and_those_of_units_are_not() -> None:
    contracts = load_contracts()
    for side in (contracts.incoming, contracts.outgoing):
        assert side["employee"].column("name").classification == "restricted"
        assert side["org_unit"].column("name").classification == "internal"


@pytest.mark.parametrize("contract", CONTRACTS, ids=named)
def test_every_rule_says_what_it_wants(contract: Contract) -> None:
    assert all(len(rule.description) > 10 for rule in contract.rules)


@pytest.mark.parametrize("contract", CONTRACTS, ids=named)
def test_a_rule_is_named_after_its_columns(contract: Contract) -> None:
    for rule in contract.rules:
        assert rule.name.split("__")[0] in (*rule.columns, "key"), rule.name


@pytest.mark.parametrize("contract", load_contracts().incoming.values(), ids=named)
def test_key_columns_are_required_or_their_absence_tells_rows_apart(contract: Contract) -> None:
    optional = {name for name in contract.key if not contract.column(name).is_required}
    assert optional <= {"state_code", "verify_code"}


@pytest.mark.parametrize("contract", load_contracts().incoming.values(), ids=named)
def test_references_point_to_dated_feeds_without_a_circle(contract: Contract) -> None:
    incoming, seen = load_contracts().incoming, [contract.name]
    open_names = [r.reference[0] for r in contract.rules if r.reference]
    while open_names:
        name = open_names.pop()
        assert not incoming[name].is_event
        assert name != contract.name
        seen.append(name)
        assert len(seen) < 20, f"a circle: {seen}"
        open_names += [r.reference[0] for r in incoming[name].rules if r.reference]
