"""What stands in the way now: one line per fault, from when it was first seen until all who were told know it is cured.

Here: the lines, how a look changes them, whom to tell what. Not here: the lock (orchestration/alerting), sending.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from kinerja_pipeline.alerts.fault import Fault
from kinerja_pipeline.home import Home

LONGEST_PAUSE = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """A fault, since when, and when it was cured. `told` are the ways on which it was told."""

    fault: Fault
    since: str
    cured: str | None = None
    told: frozenset[str] = frozenset()

    @property
    def place(self) -> tuple[str, str]:
        return self.fault.scope, self.fault.name


@dataclass(frozen=True, slots=True)
class Pause:
    """A way that does not work: how often it failed in a row, until when it is left alone, and why."""

    failures: int
    until: str
    why: str


@dataclass(frozen=True, slots=True)
class Register:
    """All that stands, and the ways that do not work just now."""

    faults: tuple[Standing, ...] = ()
    paused: Mapping[str, Pause] = field(default_factory=dict)

    @property
    def standing(self) -> list[Fault]:
        return [each.fault for each in self.faults if each.cured is None]


def settled(
    register: Register, scope: str, found: Iterable[Fault], now: dt.datetime, names: Collection[str] | None = None
) -> Register:
    """The register after a look at a scope, or at some names of it: what was found stands, what was not is cured.

    A fault that stands already stays as it is, however often it is met. Another cause at its place is another fault.
    """
    at = now.isoformat(timespec="seconds")
    new = {(each.scope, each.name): each for each in found}
    kept: list[Standing] = []
    for each in register.faults:
        is_looked_at = each.fault.scope == scope and (names is None or each.fault.name in names)
        met = new.get(each.place)
        if met is not None and each.cured is None and (met.kind, met.cause) == (each.fault.kind, each.fault.cause):
            kept.append(replace(each, fault=met))
            del new[each.place]
        elif met is not None:
            continue  # Another one takes its place: whoever hears of that knows.
        elif is_looked_at and each.cured is None:
            kept += [replace(each, cured=at)] if each.told else []
        else:
            kept.append(each)
    return replace(register, faults=(*kept, *(Standing(fault, at) for fault in new.values())))


def news(register: Register, way: str, wanted: Collection[Fault]) -> tuple[list[Standing], list[Standing]]:
    """What has begun and what was cured that this way has not told yet, of the faults that it is for."""
    own = [each for each in register.faults if each.fault in wanted]
    begun = [each for each in own if each.cured is None and way not in each.told]
    return begun, [each for each in own if each.cured is not None and way in each.told]


def after_telling(register: Register, way: str, begun: Sequence[Standing], cured: Sequence[Standing]) -> Register:
    """The register once the way has told it; what was cured and is known to all is forgotten."""
    told_now, forgotten = {(*e.place, e.since) for e in begun}, {(*e.place, e.since) for e in cured}
    kept: list[Standing] = []
    for each in register.faults:
        key = (*each.place, each.since)
        told = (each.told | {way}) if key in told_now else (each.told - {way}) if key in forgotten else each.told
        if each.cured is None or told:
            kept.append(replace(each, told=told))
    return Register(tuple(kept), {name: pause for name, pause in register.paused.items() if name != way})


def after_failing(register: Register, way: str, why: str, now: dt.datetime) -> Register:
    """The register when the way did not work: it is left alone for a while, each time longer."""
    failures = register.paused[way].failures + 1 if way in register.paused else 1
    pause = min(dt.timedelta(minutes=2 ** (failures - 1)), LONGEST_PAUSE)
    until = (now + pause).isoformat(timespec="seconds")
    return replace(register, paused={**register.paused, way: Pause(failures, until, why)})


def is_paused(register: Register, way: str, now: dt.datetime) -> bool:
    pause = register.paused.get(way)
    return pause is not None and now < dt.datetime.fromisoformat(pause.until)


def without_lost_ways(register: Register, ways: Collection[str]) -> Register:
    """Nobody waits for a way that is declared no more."""
    faults = [replace(each, told=each.told & frozenset(ways)) for each in register.faults]
    paused = {name: pause for name, pause in register.paused.items() if name in ways}
    return Register(tuple(each for each in faults if each.cured is None or each.told), paused)


def read_register(home: Home) -> Register:
    """What stands; nothing where nothing was noted, or by another version."""
    try:
        page: dict[str, Any] = json.loads(home.faults.read_bytes())
        faults = [
            Standing(Fault(**each["fault"]), each["since"], each["cured"], frozenset(each["told"]))
            for each in page["faults"]
        ]
        return Register(tuple(faults), {name: Pause(**pause) for name, pause in page["paused"].items()})
    except (OSError, ValueError, KeyError, TypeError):
        return Register()


def as_document(register: Register) -> bytes:
    faults = [{**asdict(each), "told": sorted(each.told)} for each in register.faults]
    page = {"faults": faults, "paused": {name: asdict(pause) for name, pause in register.paused.items()}}
    return json.dumps(page, ensure_ascii=False, indent=1).encode()
