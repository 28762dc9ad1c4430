"""A file made for an older version of its contract is still read while the page supports it; any other is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kinerja_pipeline.contracts.model import (
    Contract,
    ContractError,
    Contracts,
    Supported,
    load_contracts,
    read_contract,
)
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import deliveries, foresee, land_region, read_delivery
from kinerja_pipeline.landing.landed import scan_landed
from kinerja_pipeline.landing.ledger import LEDGER, read_ledger
from kinerja_pipeline.landing.source import UnreadableFile
from kinerja_pipeline.landing.versions import UnsupportedVersion, reading_of
from kinerja_pipeline.policies.mapping import FileMapping
from kinerja_pipeline.policies.model import Policy

Deliver = Callable[..., Path]
PolicyOf = Callable[..., Policy]

PAGE = load_contracts().incoming["task_record"]
OLD = Supported(
    "1.4.0",
    renamed=(("mulai", "opened_at"),),
    added=(("status_code", "completed"), ("evidence", None)),
    codes=(("task_type", (("rutin", "routine"),)),),
)
"""Until 1.4.0 opened_at was called mulai, every task was a completed one, and routine was spelled rutin."""
TASKS = dataclasses.replace(PAGE, version="2.1.0", supported=(OLD,))

FILES = FileMapping(reader="csv")
OF_THEN = b"task_id,unit_id,task_type,mulai,completed_at\nT1,U1,rutin,2026-03-02 08:00,2026-03-03 08:00\n"
OF_TODAY = b"task_id,unit_id,task_type,opened_at,status_code\nT2,U1,routine,2026-03-02 08:00,open\n"


def land(home: Home, policy: Policy, contract: Contract = TASKS) -> tuple[list[str], list[str]]:
    """The versions that new files were read by, and the refusals."""
    report = land_region(home, "manokwari", policy, Contracts({"task_record": contract}, {}))
    return [d.contract_version or "" for d in report.landed], list(report.refused)


def test_a_file_in_a_folder_of_an_older_version_lands_as_rows_of_today(
    home: Home, deliver: Deliver, policy_of: PolicyOf
) -> None:
    deliver("task_record/v1.4/tugas.csv", OF_THEN)
    deliver("task_record/tugas.csv", OF_TODAY)
    assert land(home, policy_of(task_record=[FILES])) == (["2.1.0", "1.4"], [])
    rows = scan_landed(home, "manokwari", "task_record", "2026-03").sort("task_id")
    shown = ("task_id", "task_type", "opened_at", "status_code", "evidence")
    assert rows.select(shown).rows() == [
        ("T1", "routine", "2026-03-02 08:00", "completed", None),
        ("T2", "routine", "2026-03-02 08:00", "open", None),
    ]


def test_a_mapping_may_say_for_which_version_its_files_are_made(
    home: Home, deliver: Deliver, policy_of: PolicyOf
) -> None:
    lama = FileMapping(reader="csv", files="lama_*.csv", contract_version="1")
    deliver("task_record/lama_maret.csv", OF_THEN)
    assert land(home, policy_of(task_record=[lama, FILES])) == (["1"], [])
    assert deliveries(home, "manokwari")["contract_version"].to_list() == ["1"]


def test_a_fault_that_the_reader_finds_is_told_by_the_name_of_today(
    home: Home, deliver: Deliver, policy_of: PolicyOf
) -> None:
    rows = OF_THEN.replace(b"2026-03-02 08:00", b"03/31/2026").replace(b"2026-03-03 08:00", b"")
    deliver("task_record/v1/tugas.csv", rows)
    land(home, policy_of(task_record=[FILES]))
    assert scan_landed(home, "manokwari", "task_record", None)["_problem"].to_list() == ["opened_at__month_first"]


def test_an_unsupported_version_is_refused_with_file_version_those_that_are_read_and_what_to_do(
    home: Home, deliver: Deliver, policy_of: PolicyOf
) -> None:
    deliver("task_record/v3/tugas.csv", OF_TODAY)
    landed, (refusal,) = land(home, policy_of(task_record=[FILES]))
    assert landed == []
    assert refusal == (
        "task_record/v3/tugas.csv: it names version 3 of task_record; 2.1.0 and 1.4.0 can be read. Deliver it as 2.1.0 "
        "(`kinerja contracts template task_record` writes an empty file), or correct the version that its folder or "
        "its mapping names."
    )


def test_a_refused_version_lands_once_the_page_supports_it(home: Home, deliver: Deliver, policy_of: PolicyOf) -> None:
    deliver("task_record/v1/tugas.csv", OF_THEN)
    policy = policy_of(task_record=[FILES])
    (refusal,) = land(home, policy, dataclasses.replace(TASKS, supported=()))[1]
    assert "2.1.0 can be read" in refusal
    (foreseen,) = foresee(home, "manokwari", policy, Contracts({"task_record": TASKS}, {}))
    assert (foreseen.delivery.status_code, foreseen.delivery.contract_version, foreseen.is_known) == (
        "landed",
        "1",
        True,
    )
    assert land(home, policy) == (["1"], [])


def test_folder_and_mapping_that_differ_refuse_the_file(home: Home, deliver: Deliver, policy_of: PolicyOf) -> None:
    deliver("task_record/v2/tugas.csv", OF_TODAY)
    (refusal,) = land(home, policy_of(task_record=[FileMapping(reader="csv", contract_version="1")]))[1]
    assert "its folder and its mapping name different versions of the contract (2 and 1)" in refusal


@pytest.mark.parametrize(
    ("named", "is_older"),
    [(None, False), ("2", False), ("2.0.3", False), ("2.1.0", False), ("1", True), ("1.4.0", True), ("1.2", True)],
)
def test_a_version_is_read_by_the_last_release_of_its_major_number(named: str | None, is_older: bool) -> None:
    assert (reading_of(TASKS, named).older is not None) == is_older


@pytest.mark.parametrize("named", ["2.2", "2.1.1", "3", "1.5", "0.9.0"])
def test_a_version_that_was_never_released_or_is_supported_no_more_is_not_read(named: str) -> None:
    with pytest.raises(UnsupportedVersion, match=r"2\.1\.0 and 1\.4\.0 can be read"):
        reading_of(TASKS, named)


def test_checking_a_file_reads_it_by_the_version_of_its_folder(home: Home, tmp_path: Path, policy_of: PolicyOf) -> None:
    for folder, data in (("v1", OF_THEN), ("v9", OF_TODAY)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tugas.csv").write_bytes(data)
    policy = policy_of(task_record=[FILES])
    landed = read_delivery(home, policy, TASKS, tmp_path / "v1" / "tugas.csv").landed
    assert landed["opened_at"].to_list() == ["2026-03-02 08:00"]
    with pytest.raises(UnreadableFile, match="it names version 9"):
        read_delivery(home, policy, TASKS, tmp_path / "v9" / "tugas.csv")


def test_a_ledger_written_before_versions_were_kept_is_still_read(
    home: Home, deliver: Deliver, policy_of: PolicyOf
) -> None:
    deliver("task_record/tugas.csv", OF_TODAY)
    land(home, policy_of(task_record=[FILES]))
    path = home.landing / "manokwari" / LEDGER
    line = json.loads(path.read_text())
    del line["contract_version"]
    path.write_text(json.dumps(line) + "\n")
    assert [d.contract_version for d in read_ledger(path.parent)] == [None]
    assert land(home, policy_of(task_record=[FILES])) == ([], [])


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ("[{version: 0.9.0, renamed: {why: noot}}]", "did you mean 'note'"),
        ("[{version: 0.9.0, rename: {why: note}}]", "did you mean 'renamed'"),
        ("[{version: '0.9', renamed: {why: note}}]", "write a list of"),
        ("[{version: 1.0.0}]", "major version 1 is read already"),
        ("[{version: 0.9.0, renamed: {place: note}}]", "'place' is the name of a column that stands now"),
        ("[{version: 0.9.0, renamed: {why: note}, added: {note: x}}]", "is renamed and added"),
    ],
)
def test_a_page_that_supports_a_version_wrongly_is_refused(stated: str, told: str, tmp_path: Path) -> None:
    text = PAGE.path.read_text(encoding="utf-8").replace("name: task_record\n", "name: visit\n", 1)
    text = (
        text[: text.index("    properties:")]
        .replace("value: 5}", f"value: 5}}\n      - {{property: supportedVersions, value: {stated}}}")
        .replace("opened_at}", "place}")
    )
    text += """\
    properties:
      - {name: place, logicalType: date, primaryKey: true, description: When.}
      - {name: note, logicalType: string, description: What.}
"""
    path = tmp_path / "task_record.odcs.yaml"
    path.write_text(text.replace("name: visit", "name: task_record"), encoding="utf-8")
    with pytest.raises(ContractError, match=told):
        read_contract(path, "incoming")
