"""What stands: a fault is told once on every way when it begins, once when it is cured, and never in between."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from kinerja_pipeline.alerts.fault import Fault
from kinerja_pipeline.alerts.standing import (
    Register,
    after_failing,
    after_telling,
    as_document,
    is_paused,
    news,
    read_register,
    settled,
    without_lost_ways,
)
from kinerja_pipeline.home import Home

NOON = dt.datetime(2026, 4, 6, 12, tzinfo=dt.UTC)
FAULT = Fault("run salor 2026-03", "publication", "publication", "kpi: # rows", "kpi: 3 rows", region="salor")
OTHER = replace(FAULT, cause="evaluation: # rows", detail="evaluation: 3 rows")
WAYS = ("mail", "webhook")


def told(register: Register, *ways: str) -> tuple[Register, list[tuple[list[str], list[str]]]]:
    """The register after telling on each way, and what was begun and cured there."""
    said = []
    for way in ways:
        begun, cured = news(register, way, [each.fault for each in register.faults])
        said.append(([each.fault.detail for each in begun], [each.fault.detail for each in cured]))
        register = after_telling(register, way, begun, cured)
    return register, said


def seen(register: Register, *faults: Fault, names: Collection[str] | None = None, hours: int = 0) -> Register:
    return settled(register, FAULT.scope, faults, NOON + dt.timedelta(hours=hours), names)


def test_a_fault_is_told_once_when_it_begins_and_once_when_it_is_cured() -> None:
    register = seen(Register(), FAULT)
    register, said = told(register, *WAYS)
    assert said == [(["kpi: 3 rows"], []), (["kpi: 3 rows"], [])]
    again = replace(FAULT, detail="kpi: 5 rows")
    for hour in (1, 2, 3):
        register, said = told(seen(register, again, hours=hour), *WAYS)
        assert said == [([], []), ([], [])], "the same fault, with other counts"
    assert register.standing == [again], "what is listed is how it is now"
    register, said = told(seen(register), *WAYS)
    assert said == [([], ["kpi: 5 rows"]), ([], ["kpi: 5 rows"])]
    assert register == Register(), "nothing is left to remember"
    assert told(seen(register, FAULT), *WAYS)[1][0] == (["kpi: 3 rows"], []), "beginning anew is told anew"


def test_another_cause_at_the_same_place_is_another_fault() -> None:
    register, _ = told(seen(Register(), FAULT), *WAYS)
    register, said = told(seen(register, OTHER), *WAYS)
    assert said == [(["evaluation: 3 rows"], [])] * 2
    assert register.standing == [OTHER]


def test_what_nobody_heard_of_is_not_told_when_it_is_cured() -> None:
    register = seen(seen(Register(), FAULT))
    assert told(register, *WAYS)[1] == [([], [])] * 2


def test_a_look_decides_on_its_own_names_and_scope_only() -> None:
    register = seen(Register(), FAULT)
    assert seen(register, names={"attendance_day"}).standing == [FAULT], "that step did not run"
    assert settled(register, "run salor 2026-04", (), NOON).standing == [FAULT], "another month"
    assert seen(register, names={"publication"}).standing == []


def test_a_way_that_fails_is_left_alone_longer_each_time_and_then_tells_all() -> None:
    register = seen(Register(), FAULT)
    register = after_failing(register, "mail", "it does not answer", NOON)
    assert is_paused(register, "mail", NOON)
    assert not is_paused(register, "mail", NOON + dt.timedelta(minutes=1))
    assert not is_paused(register, "webhook", NOON)
    for _ in range(9):
        register = after_failing(register, "mail", "it does not answer", NOON)
    assert is_paused(register, "mail", NOON + dt.timedelta(minutes=59))
    assert not is_paused(register, "mail", NOON + dt.timedelta(hours=1))
    register, said = told(register, "mail")
    assert said == [(["kpi: 3 rows"], [])]
    assert register.paused == {}


def test_nobody_waits_for_a_way_that_is_declared_no_more() -> None:
    register, _ = told(seen(Register(), FAULT), "mail")
    assert without_lost_ways(seen(register), ["webhook"]) == Register()


def test_what_stands_survives_a_restart_and_a_damaged_file_counts_as_none(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert read_register(home) == Register()
    register, _ = told(after_failing(seen(Register(), FAULT), "webhook", "it answered 500", NOON), "mail")
    home.faults.write_bytes(as_document(register))
    assert read_register(home) == register
    home.faults.write_bytes(as_document(register)[:40])
    assert read_register(home) == Register()
