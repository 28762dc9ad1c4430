"""Deliveries: the ledger says what came, landing is repeatable, and one bad file never stops the others."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kinerja_pipeline.contracts.model import Contracts, load_contracts
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing import deliveries as module
from kinerja_pipeline.landing.deliveries import LandingReport, deliveries, land_region
from kinerja_pipeline.landing.landed import landed_months, landed_parts, scan_landed
from kinerja_pipeline.landing.ledger import LEDGER
from kinerja_pipeline.landing.reshape import LandingError
from kinerja_pipeline.policies.mapping import FileMapping
from kinerja_pipeline.policies.model import Policy

LOG = FileMapping(reader="attlog", files="*.dat", columns={"device_id": "device_number"})
TASKS = FileMapping(
    reader="csv", delivery="delta", constants={"task_type": "routine", "status_code": "open", "unit_id": "U1"}
)
PINS = FileMapping(reader="csv")
HEAD = b"device_id,pin,valid_from,nip\n"

Deliver = Callable[..., Path]
PolicyOf = Callable[..., Policy]


def tap(at: str, pin: int = 51) -> bytes:
    return f"{pin:>9}\t{at}\t1\t0\t1\t0\r\n".encode()


def ledger_lines(home: Home) -> list[dict[str, Any]]:
    return [json.loads(x) for x in (home.landing / "manokwari" / LEDGER).read_text().splitlines()]


@pytest.fixture
def land(home: Home, contracts: Contracts) -> Callable[[Policy], LandingReport]:
    return lambda policy: land_region(home, "manokwari", policy, contracts)


def test_a_file_lands_by_month_and_the_ledger_says_so(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    data = tap("2026-02-28 16:00:00") + tap("2026-03-01 07:30:00") + tap("2026-03-01 16:00:00")
    deliver("attendance_log/1_attlog.dat", data)
    report = land(policy_of(attendance_log=[LOG]))
    assert report.new_by_feed == {"attendance_log": 1}
    assert report.touched == {"attendance_log": {"2026-02", "2026-03"}}
    (line,) = ledger_lines(home)
    assert line.pop("fingerprint")
    assert line == {
        "sequence": 1,
        "delivery_id": hashlib.sha256(data).hexdigest(),
        "feed": "attendance_log",
        "file_name": "attendance_log/1_attlog.dat",
        "received_at": "2026-03-31T23:33:20+00:00",
        "status_code": "landed",
        "reason": None,
        "file_row_count": 3,
        "row_count": 3,
        "set_aside": {},
        "months": {"2026-02": 1, "2026-03": 2},
        "delivery_mode": "append",
        "delivery_scope": "*.dat",
        "first_event_date": "2026-02-28",
        "last_event_date": "2026-03-01",
        "contract_version": "1.0.0",
    }
    assert landed_months(home, "manokwari", "attendance_log") == ["2026-02", "2026-03"]
    march = scan_landed(home, "manokwari", "attendance_log", "2026-03")
    assert march.select("device_id", "pin", "tapped_at", "_source_row", "_problem", "_month").rows() == [
        ("1", "51", "2026-03-01 07:30:00", 2, None, "2026-03"),
        ("1", "51", "2026-03-01 16:00:00", 3, None, "2026-03"),
    ]
    assert march["_delivery_id"].unique().to_list() == [line["delivery_id"]]


@pytest.mark.parametrize(("taps", "sizes"), [(1, [2, 1, 3]), (3, [3, 3]), (100, [6])])
def test_rows_are_read_in_parts_in_the_order_of_deliveries_none_of_which_is_divided(
    home: Home,
    deliver: Deliver,
    policy_of: PolicyOf,
    land: Any,
    monkeypatch: pytest.MonkeyPatch,
    taps: int,
    sizes: list[int],
) -> None:
    for number, days in enumerate((2, 1, 3), start=1):
        data = b"".join(tap(f"2026-03-{day:02d} 07:30:00", 50 + number) for day in range(1, days + 1))
        deliver(f"attendance_log/{number}_attlog.dat", data)
    land(policy_of(attendance_log=[LOG]))
    monkeypatch.setattr(
        "kinerja_pipeline.landing.landed.PART_CELLS", taps * len(load_contracts().incoming["attendance_log"].names)
    )
    of_month = home, "manokwari", "attendance_log", "2026-03"
    parts = list(landed_parts(*of_month))
    assert [len(part) for part in parts] == sizes
    assert pl.concat(parts)["pin"].to_list() == ["51", "51", "52", "53", "53", "53"]
    assert [len(part) for part in landed_parts(*of_month[:3], "2026-05")] == [0]


def test_landing_again_does_nothing(home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any) -> None:
    deliver("attendance_log/1_attlog.dat", tap("2026-03-01 07:30:00"))
    policy = policy_of(attendance_log=[LOG])
    land(policy)
    again = land(policy)
    assert (again.landed, again.known_count, len(ledger_lines(home))) == ((), 1, 1)


def test_files_are_numbered_in_the_order_they_arrived(
    deliver: Deliver, home: Home, policy_of: PolicyOf, land: Any
) -> None:
    deliver("attendance_log/a.dat", tap("2026-03-03 07:30:00"), at=1_775_000_009)
    deliver("attendance_log/c.dat", tap("2026-03-02 07:30:00"), at=1_775_000_001)
    deliver("attendance_log/b.dat", tap("2026-03-01 07:30:00"), at=1_775_000_001)
    land(policy_of(attendance_log=[LOG]))
    assert [(x["sequence"], x["file_name"][-5:]) for x in ledger_lines(home)] == [
        (1, "b.dat"),
        (2, "c.dat"),
        (3, "a.dat"),
    ]


def test_a_file_overwritten_in_place_keeps_both_versions(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    policy = policy_of(attendance_log=[LOG])
    deliver("attendance_log/1.dat", tap("2026-03-01 07:30:00"))
    land(policy)
    deliver("attendance_log/1.dat", tap("2026-03-02 07:30:00"))
    land(policy)
    assert scan_landed(home, "manokwari", "attendance_log", None)["tapped_at"].to_list() == [
        "2026-03-01 07:30:00",
        "2026-03-02 07:30:00",
    ]
    assert deliveries(home, "manokwari")["sequence"].to_list() == [1, 2]


def test_a_refused_file_is_listed_with_its_reason_and_the_others_land(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    deliver("attendance_log/bad.dat", b"<html>")
    deliver("attendance_log/good.dat", tap("2026-03-01 07:30:00"))
    deliver("attendance_log/photo.jpg", b"\xff\xd8")
    deliver("attendence/1.dat", tap("2026-03-01 07:30:00"))
    deliver("stray.csv", b"x")
    report = land(policy_of(attendance_log=[LOG]))
    assert [d.file_name for d in report.landed] == ["attendance_log/good.dat"]
    assert [r.split(":")[0] for r in report.refused] == [
        "attendance_log/bad.dat, line 1",
        "attendance_log/photo.jpg",
        "attendence/1.dat",
        "stray.csv",
    ]
    assert "fits none of the mappings of attendance_log ('*.dat')" in report.refused[1]
    state = deliveries(home, "manokwari")
    assert state.filter(pl.col("status_code") == "refused")["row_count"].to_list() == [None] * 4
    again = land(policy_of(attendance_log=[LOG]))
    assert (again.refused, len(ledger_lines(home))) == (report.refused, 5)


def test_a_refused_file_is_tried_again_when_its_bytes_or_its_mapping_change(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    deliver("device_pin/pins.csv", b"device_id;pin;valid_from;nip\n1;51;2026-01-01;9\n")
    assert len(land(policy_of(device_pin=[PINS])).refused) == 1
    assert land(policy_of(device_pin=[PINS.model_copy(update={"delimiter": ";"})])).new_by_feed == {"device_pin": 1}
    assert [(x["sequence"], x["status_code"]) for x in ledger_lines(home)] == [(1, "refused"), (1, "landed")]
    deliver("device_pin/more.csv", b"pin\n")
    assert len(land(policy_of(device_pin=[PINS])).refused) == 2
    deliver("device_pin/more.csv", HEAD + b"1,52,2026-01-01,8\n")
    land(policy_of(device_pin=[PINS]))
    assert deliveries(home, "manokwari").select("file_name", "status_code").rows() == [
        ("device_pin/pins.csv", "refused"),
        ("device_pin/more.csv", "landed"),
    ]


def test_a_refusal_is_forgotten_when_the_file_is_gone(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    path = deliver("device_pin/pins.csv", b"pin\n")
    land(policy_of(device_pin=[PINS]))
    path.unlink()
    assert deliveries(home, "manokwari").is_empty()


def test_a_changed_mapping_lands_the_file_again_in_its_old_place(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    # Were it to move to the end of the order, a corrected mapping would let an old file overtake its corrections.
    deliver("task_record/1.csv", b"task_id,opened_at,late\n7,2026-02-01,2026-03-01\n")
    land(policy_of(task_record=[TASKS]))
    deliver("task_record/2.csv", b"task_id,opened_at,late\n7,2026-02-02,2026-03-02\n", at=1_775_000_001)
    land(policy_of(task_record=[TASKS]))
    moved = TASKS.model_copy(update={"columns": {"opened_at": "late"}})
    report = land(policy_of(task_record=[moved]))
    assert report.touched == {"task_record": {"2026-02", "2026-03"}}
    assert [x["sequence"] for x in ledger_lines(home)] == [1, 2, 1, 2]
    assert landed_months(home, "manokwari", "task_record") == ["2026-03"]
    assert deliveries(home, "manokwari").select("sequence", "first_event_date").rows() == [
        (1, dt.date(2026, 3, 1)),
        (2, dt.date(2026, 3, 2)),
    ]
    assert not list((home.lake / "landing/task_record/manokwari/2026-02").iterdir())


def test_a_row_delivered_again_under_another_month_comes_with_its_older_self(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver("task_record/1.csv", b"task_id,opened_at\n7,2026-02-01\n8,2026-02-01\n")
    deliver("task_record/2.csv", b"task_id,opened_at\n 7,2026-03-01\n9,2026-03-01\n", at=1_775_000_001)
    land(policy_of(task_record=[TASKS]))
    rows = scan_landed(home, "manokwari", "task_record", "2026-03").select("task_id", "_month").rows()
    assert rows == [(" 7", "2026-03"), ("9", "2026-03"), ("7", "2026-02")]
    monkeypatch.setattr("kinerja_pipeline.landing.landed.PART_CELLS", 1)
    parts = landed_parts(home, "manokwari", "task_record", "2026-03")
    assert [part["task_id"].to_list() for part in parts] == [["7"], [" 7", "9"]], "each with its own deliveries"
    appended = TASKS.model_copy(update={"delivery": "append"})
    land(policy_of(task_record=[appended]))
    rows = scan_landed(home, "manokwari", "task_record", "2026-03").select("task_id", "_month").rows()
    assert rows == [(" 7", "2026-03"), ("9", "2026-03")]


def test_a_clock_reset_lands_in_the_month_of_arrival(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    # Arrived at 2026-03-31T23:33Z: in Manokwari it is already April.
    taps = [tap("2000-01-01 00:00:10"), tap("2027-05-01 07:00:00"), tap("yesterday"), tap("2027-04-30 07:00:00")]
    deliver("attendance_log/1.dat", b"".join(taps))
    land(policy_of(attendance_log=[LOG]))
    (line,) = ledger_lines(home)
    assert line["months"] == {"2026-04": 3, "2027-04": 1}
    assert (line["first_event_date"], line["last_event_date"]) == ("2027-04-30", "2027-04-30")


def test_dated_feeds_have_no_months(home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any) -> None:
    deliver("device_pin/pins.csv", HEAD + b"1,51,2026-01-01,9\n")
    land(policy_of(device_pin=[PINS]))
    assert landed_months(home, "manokwari", "device_pin") == ["dated"]
    assert scan_landed(home, "manokwari", "device_pin", None).select("pin", "_month").rows() == [("51", "dated")]


def test_parquet_the_ledger_does_not_name_is_not_read(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    deliver("device_pin/pins.csv", HEAD + b"1,51,2026-01-01,9\n")
    land(policy_of(device_pin=[PINS]))
    (written,) = (home.lake / "landing/device_pin/manokwari/dated").iterdir()
    written.with_name("0" * 64 + ".parquet").write_bytes(written.read_bytes())
    assert scan_landed(home, "manokwari", "device_pin", None).height == 1


def test_a_killed_landing_is_done_again_identically(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver("attendance_log/1.dat", tap("2026-03-01 07:30:00"))
    policy = policy_of(attendance_log=[LOG])
    with monkeypatch.context() as patch:
        patch.setattr(module, "append_delivery", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            land(policy)
    assert scan_landed(home, "manokwari", "attendance_log", None).is_empty()
    (written,) = (home.lake / "landing/attendance_log/manokwari/2026-03").iterdir()
    before = written.read_bytes()
    assert land(policy).new_by_feed == {"attendance_log": 1}
    assert written.read_bytes() == before


def test_a_torn_last_line_of_the_ledger_never_counts(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    deliver("attendance_log/1.dat", tap("2026-03-01 07:30:00"))
    policy = policy_of(attendance_log=[LOG])
    land(policy)
    with (home.landing / "manokwari" / LEDGER).open("ab") as file:
        file.write(b'{"sequence": 2, "deliv')
    assert deliveries(home, "manokwari").height == 1
    deliver("attendance_log/2.dat", tap("2026-03-02 07:30:00"))
    land(policy)
    assert [x["sequence"] for x in ledger_lines(home)] == [1, 2]


def test_a_damaged_ledger_is_not_guessed_at(home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any) -> None:
    deliver(LEDGER, b"{}\n")
    with pytest.raises(LandingError, match="line 1: not a line of the ledger"):
        land(policy_of())


def test_lost_parquet_is_landed_again(home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any) -> None:
    deliver("attendance_log/1.dat", tap("2026-03-01 07:30:00"))
    policy = policy_of(attendance_log=[LOG])
    land(policy)
    next((home.lake / "landing/attendance_log/manokwari/2026-03").iterdir()).unlink()
    assert land(policy).new_by_feed == {"attendance_log": 1}
    assert scan_landed(home, "manokwari", "attendance_log", None).height == 1


def test_temporary_and_hidden_files_are_left_alone(deliver: Deliver, policy_of: PolicyOf, land: Any) -> None:
    for name in ("~$pins.xlsx", ".pins.csv", "pins.csv.part", "pins.csv.TMP", ".cache/pins.csv"):
        deliver(f"device_pin/{name}", HEAD)
    deliver("lookup/ids.csv", b"id\n")
    assert land(policy_of(device_pin=[PINS])) == LandingReport("manokwari")


def test_links_that_leave_the_home_are_refused(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_bytes(HEAD)
    deliver("device_pin/pins.csv", HEAD + b"1,51,2026-01-01,9\n")
    folder = home.landing / "manokwari" / "device_pin"
    (folder / "link.csv").symlink_to(outside / "secret.csv")
    (folder / "folder").symlink_to(outside)
    (folder / "nowhere.csv").symlink_to(outside / "none")
    os.mkfifo(folder / "pipe.csv")
    report = land(policy_of(device_pin=[PINS]))
    assert [d.file_name for d in report.landed] == ["device_pin/pins.csv"]
    assert sorted(r.partition(". ")[0] for r in report.refused) == [
        "device_pin/folder: it is a link that leads outside the home",
        "device_pin/link.csv: it is a link that leads outside the home",
        "device_pin/nowhere.csv: it is a link that leads nowhere",
        "device_pin/pipe.csv: it is not a file that can be read",
    ]
    assert land(policy_of(device_pin=[PINS])).refused == report.refused


def test_a_name_that_acts_on_a_terminal_is_refused_and_written_out(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    data = HEAD + b"1,51,2026-01-01,9\n"
    for number, name in enumerate(("\x1b[2J.csv", "a\nb.csv", "\u202egnp.csv", "..csv", "-rf;$(x).csv")):
        deliver(f"device_pin/{name}", data, at=1_775_000_000 + number)
    report = land(policy_of(device_pin=[PINS]))
    names = ["\\x1b[2J.csv", "a\\nb.csv", "\\u202egnp.csv"]
    said = ": its name holds characters that cannot be seen. Rename it."
    assert list(report.refused) == [f"device_pin/{name}{said}" for name in names]
    assert [d.file_name for d in report.landed] == ["device_pin/-rf;$(x).csv"]
    assert deliveries(home, "manokwari").filter(pl.col("status_code") == "refused").height == 3


def test_two_names_that_are_no_text_stay_two_files(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    for byte in (b"\xe9", b"\xe8"):
        deliver(os.fsdecode(b"device_pin/" + byte + b".csv"), HEAD + b"1,51,2026-01-01," + byte + b"\n")
    report = land(policy_of(device_pin=[PINS]))
    assert [r.partition(",")[0] for r in report.refused] == ["device_pin/\\xe8.csv", "device_pin/\\xe9.csv"]
    assert land(policy_of(device_pin=[PINS])).known_count == 2
    assert deliveries(home, "manokwari").height == 2


def test_a_clock_in_a_far_year_does_not_stop_landing(deliver: Deliver, policy_of: PolicyOf, land: Any) -> None:
    # Not every disk can hold the year 10889; then this is the last it can.
    for number, at in enumerate((281_474_976_710, -1_000_000_000)):
        deliver(f"attendance_log/{number}.dat", tap("2026-03-01 07:30:00", pin=number), at=at)
    assert [d.row_count for d in land(policy_of(attendance_log=[LOG])).landed] == [1, 1]


def test_a_file_that_goes_while_landing_looks_does_not_stop_the_others(
    deliver: Deliver, policy_of: PolicyOf, land: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = deliver("attendance_log/1.dat", tap("2026-03-01 07:30:00"))
    deliver("attendance_log/2.dat", tap("2026-03-02 07:30:00"))
    found = module._files

    def then_gone(*arguments: Any) -> Any:
        files = found(*arguments)
        gone.unlink()
        return files

    monkeypatch.setattr(module, "_files", then_gone)
    report = land(policy_of(attendance_log=[LOG]))
    assert (report.waiting, len(report.landed)) == (("attendance_log/1.dat",), 1)


@pytest.mark.parametrize("fault", [KeyError("199001012020011001"), pl.exceptions.PanicException("199001012020011001")])
def test_a_file_that_breaks_a_reader_does_not_stop_the_others_and_is_not_quoted(
    fault: BaseException, deliver: Deliver, policy_of: PolicyOf, land: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver("attendance_log/1.dat", tap("2026-03-01 07:30:00"))
    deliver("attendance_log/2.dat", tap("2026-03-02 07:30:00"))
    read = module.read_source

    def breaks(data: bytes, path: str, *arguments: Any) -> pl.DataFrame:
        if path.endswith("1.dat"):
            raise fault
        return read(data, path, *arguments)

    monkeypatch.setattr(module, "read_source", breaks)
    report = land(policy_of(attendance_log=[LOG]))
    assert [d.file_name for d in report.landed] == ["attendance_log/2.dat"]
    (said,) = report.refused
    assert said.startswith("attendance_log/1.dat: a fault of this program, please report it: ")
    assert "199001012020011001" not in said


def test_a_lookup_outside_its_folder_is_not_read(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any, tmp_path: Path
) -> None:
    (tmp_path / "home/landing/ids.csv").write_bytes(b"id,number\n1,9\n")
    deliver("device_pin/pins.csv", b"device_id,pin,valid_from,who\n1,51,2026-01-01,1\n")
    for name in ("../../ids.csv", str(tmp_path / "home/landing/ids.csv")):
        lookup = {"file": name, "on": "who", "key": "id", "take": {"nip": "number"}}
        mapping = FileMapping.model_validate({"reader": "csv", "lookup": [lookup]})
        assert "there is no such file" in land(policy_of(device_pin=[mapping])).refused[0]


def test_a_changed_id_file_lands_the_data_again(home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any) -> None:
    lookup = {"file": "ids.csv", "on": "who", "key": "id", "take": {"nip": "number"}}
    policy = policy_of(device_pin=[FileMapping.model_validate({"reader": "csv", "lookup": [lookup]})])
    deliver("device_pin/pins.csv", b"device_id,pin,valid_from,who\n1,51,2026-01-01,1\n")
    deliver("lookup/ids.csv", b"id,number,name\n1,9,Budi\n1,8,Budi\n")
    assert "1 ids stand there with different values" in land(policy).refused[0]
    deliver("lookup/ids.csv", b"id,number,name\n1,9,Budi\n2,8,Ani\n")
    land(policy)
    assert scan_landed(home, "manokwari", "device_pin", None)["nip"].to_list() == ["9"]


def test_the_same_file_in_two_feeds_is_two_deliveries(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    data = (
        b"device_id,pin,valid_from,nip,permit_id,kind_code,part,start_date,end_date\n1,51,2026-01-01,9,1,izin,whole,,\n"
    )
    deliver("device_pin/x.csv", data)
    deliver("leave_permit/x.csv", data)
    land(policy_of(device_pin=[PINS], leave_permit=[PINS]))
    assert deliveries(home, "manokwari")["feed"].to_list() == ["device_pin", "leave_permit"]
    assert deliveries(home, "manokwari", "leave_permit")["sequence"].to_list() == [2]


def test_a_copy_under_another_name_does_not_add_its_rows_twice(
    home: Home, deliver: Deliver, policy_of: PolicyOf, land: Any
) -> None:
    deliver("attendance_log/1.dat", tap("2026-03-01 07:30:00"))
    deliver("attendance_log/copy of 1.dat", tap("2026-03-01 07:30:00"))
    land(policy_of(attendance_log=[LOG]))
    assert scan_landed(home, "manokwari", "attendance_log", None).height == 1
    assert deliveries(home, "manokwari")["sequence"].to_list() == [2]


def test_a_feed_without_files_is_an_empty_typed_frame(home: Home) -> None:
    frame = scan_landed(home, "manokwari", "attendance_log", "2026-03")
    assert frame.is_empty()
    assert frame.schema["_source_row"] == pl.UInt32
    assert deliveries(home, "manokwari").schema["received_at"] == pl.Datetime("us", "UTC")
    assert landed_months(home, "manokwari", "attendance_log") == []


def test_a_region_id_cannot_leave_the_landing_folder(home: Home) -> None:
    with pytest.raises(ValueError, match=r"'\.\./x' is not a region's id"):
        scan_landed(home, "../x", "attendance_log", None)
