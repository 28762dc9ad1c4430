"""Answers of a 360-degree round, observation sheets and feedback notes of the made-up people.

Here: who is asked about whom, marks by part and skill, too few raters here and there, one answer after closing, lessons
observed in schools, what superiors tell their people. Not here: how a supplier lays them out (the policy's feeds,
demo/formats).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from kinerja_pipeline.demo.people import Person
from kinerja_pipeline.demo.rows import Row, Value
from kinerja_pipeline.demo.workdays import Workdays
from kinerja_pipeline.policies.model import Appraisal, AppraisalRound, RaterRole

OBSERVATION = "observation"
FEEDBACK_NOTE = "feedback_note"
ASPECTS = ("persiapan", "penyampaian", "pengelolaan_kelas", "penilaian")
WEAK_TIME = 0.25
"""The share of people whose time management is weaker than the rest of them."""


def round_of(
    held: AppraisalRound, name: str, rules: Appraisal, prefix: str, people: Sequence[Person], rng: random.Random
) -> tuple[list[Row], list[Row]]:
    """One row per rater and person judged (marks under `=`), and one that was sent after the round had closed."""
    judged = [(p, place) for p in people if (place := p.assignment(held.closes)) is not None]
    rows: list[Row] = []
    for person, place in judged:
        led = [p for p, a in judged if a.supervisor_nip == person.nip]
        near = [p for p, a in judged if a.unit.unit_id == place.unit.unit_id and p is not person and p not in led]
        near_count = sum(p.nip != place.supervisor_nip for p in near)
        # Here and there colleagues do not answer: too few of them to be told.
        asked: dict[RaterRole, int] = {
            "superior": int(place.supervisor_nip is not None),
            "peer": 2 if rng.random() < 0.12 else rng.randint(3, 5),
            "subordinate": len(led) - int(bool(led) and rng.random() < 0.15),
            "self": int(rng.random() < 0.9),
        }
        level = 4.15 + 6 * person.skill + {"top": 0.45, "long_absent": -0.9, "often_absent": -0.8}.get(person.part, 0.0)
        weak_time = person.part == "often_late" or rng.random() < WEAK_TIME
        for role, wanted in asked.items():
            for _ in range(min(wanted, near_count) if role == "peer" else wanted):
                rows.append(_sheet(held, name, rules, person.nip, role, level, weak_time, rng))
    rows.sort(key=lambda row: (str(row["submitted_at"]), str(row["subject_id"])))
    for number, row in enumerate(rows, start=1):
        row["response_id"] = f"{prefix}-{name[-6:]}-{number:05d}"
    closing = dt.datetime.combine(held.closes + dt.timedelta(days=2), dt.time(10, 15))
    late = [rows[0] | {"response_id": f"{prefix}-{name[-6:]}-late", "submitted_at": closing}] if rows else []
    return rows, late


def _sheet(
    held: AppraisalRound, name: str, rules: Appraisal, nip: str, role: RaterRole, level: float, weak_time: bool,
    rng: random.Random,
) -> Row:  # fmt: skip
    days = (held.closes - held.opens).days
    sent = dt.datetime.combine(held.opens + dt.timedelta(days=rng.randint(0, days)), dt.time(8))
    row: Row = {
        "response_id": "",
        "survey_code": held.survey_code,
        "round_id": name,
        "submitted_at": sent + dt.timedelta(seconds=rng.randrange(8 * 3600)),
        "subject_kind": "employee",
        "subject_id": nip,
        "role_code": role,
        "scale_max": rules.scale_max,
    }
    mood = rng.gauss(0.3 if role == "self" else 0.0, 0.25)
    for competency in rules.competencies_of(held):
        weak = 1.1 if weak_time and competency == "time_management" else 0.0
        row[f"={competency}"] = min(rules.scale_max, max(1, round(rng.gauss(level + mood - weak, 0.5))))
    return row


def answers_of(sheets: Sequence[Row]) -> list[Row]:
    """The same sheets as a long export: one row per answer."""
    return [
        {**{k: v for k, v in sheet.items() if k[0] != "="}, "element_code": name[1:], "score": value}
        for sheet in sheets
        for name, value in sheet.items()
        if name[0] == "="
    ]


def observations_of(prefix: str, people: Sequence[Person], days: Workdays, month: str, rng: random.Random) -> list[Row]:
    """One row per lesson that a head of school saw in the month; the teacher is told a few days later."""
    rows: list[Row] = []
    workdays = days.office_days_by_month[month]
    for person in people:
        place = person.assignment(workdays[0])
        if place is None or person.is_leader or not place.position.startswith("Guru") or rng.random() > 0.6:
            continue
        seen = dt.datetime.combine(rng.choice(workdays), dt.time(8, 15)) + dt.timedelta(minutes=45 * rng.randint(0, 5))
        # The sheet is sent when its feedback has been given, mostly soon.
        shared = min(
            seen + dt.timedelta(days=rng.choice((0, 1, 1, 2, 3, 6)), hours=2),
            dt.datetime.combine(workdays[-1], dt.time(15)),
        )
        marks: dict[str, Value] = {
            f"={a}": min(4, max(1, round(rng.gauss(3.1 + 4 * person.skill, 0.6)))) for a in ASPECTS
        }
        rows.append(
            {
                "response_id": f"{prefix}-OBS-{month[2:4]}{month[5:]}-{len(rows) + 1:04d}",
                "survey_code": OBSERVATION,
                "submitted_at": max(shared, seen),
                "subject_kind": "employee",
                "subject_id": person.nip,
                "role_code": "superior",
                "scale_max": 4,
                "observed_at": seen,
                "shared_at": max(shared, seen),
                **marks,
            }
        )
    return rows


def notes_of(prefix: str, people: Sequence[Person], days: Workdays, month: str, rng: random.Random) -> list[Row]:
    """One row per note that superiors gave their people in the month; seven of ten say what to do next, and whose work
    needs it least hears the least. What was seen in the last days of a month is told before it ends."""
    rows: list[Row] = []
    workdays = days.office_days_by_month[month]
    end = dt.datetime.combine(workdays[-1], dt.time(15, 30))
    for person in people:
        place = person.assignment(workdays[0])
        busy = 0.25 if person.part == "top" else 0.55
        if place is None or place.supervisor_nip is None or rng.random() > busy:
            continue
        for _ in range(rng.choice((1, 1, 2))):
            seen = dt.datetime.combine(rng.choice(workdays), dt.time(9)) + dt.timedelta(minutes=15 * rng.randint(0, 20))
            shared = min(seen + dt.timedelta(days=rng.choice((0, 1, 2, 4, 7, 12)), hours=1), end)
            rows.append(
                {
                    "response_id": f"{prefix}-CAT-{month[2:4]}{month[5:]}-{len(rows) + 1:04d}",
                    "survey_code": FEEDBACK_NOTE,
                    "element_code": "saran",
                    "submitted_at": shared,
                    "subject_kind": "employee",
                    "subject_id": person.nip,
                    "role_code": "superior",
                    "score": 2 if rng.random() < 0.7 else 1,
                    "scale_max": 2,
                    "observed_at": seen,
                    "shared_at": shared,
                }
            )
    return rows
