"""The registers a region delivers as they stand on a day: units, employees, PINs.

Here: rows of org_unit, employee and device_pin. Not here: who the people are (demo/people).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from kinerja_pipeline.demo.people import Person
from kinerja_pipeline.demo.regions import Region
from kinerja_pipeline.demo.rows import Row


def unit_rows(region: Region) -> list[Row]:
    """One row per unit, in force since 2020. Needed headcounts exceed the staff: some fields lack people."""
    return [
        {
            "unit_id": unit.unit_id,
            "valid_from": dt.date(2020, 1, 1),
            "name": unit.name,
            "parent_unit_id": unit.parent_id,
            "sector": unit.sector,
            "needed_headcount": unit.staff + (6 if unit.sector in ("health", "education") else 1),
            "population_served": unit.population,
            "valid_to": None,
        }
        for unit in region.units
    ]


def employee_rows(people: Iterable[Person], as_of: dt.date) -> list[Row]:
    """One row per assignment that has begun by `as_of`; an end that lies ahead is not written yet."""
    return [
        {
            "nip": person.nip,
            "assignment_code": a.code,
            "valid_from": a.valid_from,
            "name": person.name,
            "employment_status": person.employment_status,
            "unit_id": a.unit.unit_id,
            "position": a.position,
            "position_level": a.position_level,
            "supervisor_nip": a.supervisor_nip,
            "schedule_id": a.schedule_id,
            "valid_to": _known_end(a.valid_to, as_of),
        }
        for person in people
        for a in person.assignments
        if a.valid_from <= as_of
    ]


def pin_rows(people: Iterable[Person], as_of: dt.date) -> list[Row]:
    """One row per PIN that was given by `as_of`."""
    return [
        {
            "device_id": pin.device_id,
            "pin": pin.pin,
            "valid_from": pin.valid_from,
            "nip": person.nip,
            "valid_to": _known_end(pin.valid_to, as_of),
        }
        for person in people
        for pin in person.pins
        if pin.valid_from <= as_of
    ]


def _known_end(end: dt.date | None, as_of: dt.date) -> dt.date | None:
    return end if end is not None and end <= as_of else None
