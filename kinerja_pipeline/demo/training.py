"""Competence programmes of the made-up regions: what is planned for a year, and who completes what.

Here: rows of training_plan and training_record. Not here: who should be trained (the pipeline recommends it).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass

from kinerja_pipeline.demo.people import Person
from kinerja_pipeline.demo.regions import Region
from kinerja_pipeline.demo.rows import Row
from kinerja_pipeline.demo.workdays import Workdays

SHARE = 0.17
"""Of the people, how many complete a programme in a month: at four to twenty hours each, half reach 20 in a year."""


@dataclass(frozen=True, slots=True)
class Programme:
    """One programme: hours of a participant, what a place costs, and how many of a hundred people have a place."""

    programme_id: str
    name: str
    competency_code: str
    hours: int
    place_cost: int
    places_percent: int
    is_local: bool = True
    is_training: bool = True


PROGRAMMES: tuple[Programme, ...] = (
    Programme("DIK-WAKTU", "Manajemen waktu", "akuntabel", 8, 450_000, 12),
    Programme("DIK-MUTU", "Pelayanan prima", "berorientasi_pelayanan", 12, 600_000, 15),
    Programme("DIK-CAPAIAN", "Perencanaan dan pencapaian kinerja", "kompeten", 10, 550_000, 12),
    Programme("DIK-ANGGARAN", "Pengelolaan anggaran", "akuntabel", 16, 1_200_000, 6, is_local=False),
    Programme("DIK-DIGITAL", "Literasi digital", "adaptif", 6, 150_000, 30),
    Programme("DIK-KOMUNIKASI", "Komunikasi efektif", "kolaboratif", 8, 400_000, 10),
    Programme("DIK-HARMONI", "Kerja sama tim", "harmonis", 4, 200_000, 10),
    Programme("DIK-PIMPIN", "Kepemimpinan pengawas", "kompeten", 20, 4_500_000, 3, is_local=False),
    Programme("DIK-BANDING", "Kunjungan belajar", "adaptif", 12, 2_000_000, 4, is_local=False, is_training=False),
)


def plan_rows(region: Region, year: int, people_count: int) -> list[Row]:
    """One row per programme: places for a part of the people, at least one."""
    rows: list[Row] = []
    for programme in PROGRAMMES:
        places = max(1, people_count * programme.places_percent // 100)
        rows.append(
            {
                "programme_id": programme.programme_id,
                "year": year,
                "name": programme.name,
                "competency_code": programme.competency_code,
                "planned_hours": programme.hours,
                "places": places,
                "cost": places * programme.place_cost,
                "provider": _provider(region, programme),
            }
        )
    return rows


def training_rows(region: Region, people: Sequence[Person], days: Workdays, rng: random.Random) -> dict[str, list[Row]]:
    """Per month one row per programme that a person completed; nobody completes one twice, and few are told without
    their cost."""
    done: set[tuple[str, str]] = set()
    weights = [programme.places_percent for programme in PROGRAMMES]
    months: dict[str, list[Row]] = {}
    for month in days.months:
        workdays = days.office_days_by_month[month]
        rows: list[Row] = []
        for person in people:
            if rng.random() >= SHARE:
                continue
            programme = rng.choices(PROGRAMMES, weights)[0]
            day = workdays[rng.randrange(len(workdays))]
            if person.assignment(day) is None or (person.nip, programme.programme_id) in done:
                continue
            done.add((person.nip, programme.programme_id))
            rows.append(_row(region, person, programme, day, rng))
        months[month] = sorted(rows, key=lambda row: (str(row["completed_date"]), str(row["nip"])))
    return months


def _row(region: Region, person: Person, programme: Programme, day: dt.date, rng: random.Random) -> Row:
    return {
        "nip": person.nip,
        "programme_id": programme.programme_id,
        "completed_date": day,
        "hours": programme.hours,
        "competency_code": programme.competency_code,
        "provider": _provider(region, programme),
        "cost": None if rng.random() < 0.05 else round(programme.place_cost * rng.uniform(0.9, 1.1), -3),
        "is_training": programme.is_training,
    }


def _provider(region: Region, programme: Programme) -> str:
    return f"BKPSDM {region.region.title()}" if programme.is_local else "Mitra: Balai Pelatihan Provinsi"
