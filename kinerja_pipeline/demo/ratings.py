"""The superiors' monthly ratings of the made-up employees and the predicates of their units.

Here: rows of performance_rating, with a few objections told a month later. Not here: what the pipeline recommends.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

from kinerja_pipeline.demo.people import Person
from kinerja_pipeline.demo.regions import Region
from kinerja_pipeline.demo.rows import Row
from kinerja_pipeline.demo.tasks import DECLINE_MONTHS
from kinerja_pipeline.demo.workdays import Workdays, last_day

PREDICATES: dict[tuple[str, str], str] = {
    ("di_atas", "di_atas"): "sangat_baik",
    ("di_atas", "sesuai"): "baik",
    ("di_atas", "di_bawah"): "kurang",
    ("sesuai", "di_atas"): "baik",
    ("sesuai", "sesuai"): "baik",
    ("sesuai", "di_bawah"): "kurang",
    ("di_bawah", "di_atas"): "butuh_perbaikan",
    ("di_bawah", "sesuai"): "butuh_perbaikan",
    ("di_bawah", "di_bawah"): "sangat_kurang",
}
"""PermenPANRB 6/2022: results x behaviour -> predicate."""
OBJECTIONS = 2


def ratings_of(
    region: Region, people: Sequence[Person], days: Workdays, rng: random.Random
) -> dict[str, tuple[list[Row], list[Row]]]:
    """Per month the new ratings, and the earlier ones that come again because of an objection."""
    months: dict[str, tuple[list[Row], list[Row]]] = {}
    before: list[Row] = []
    for number, month in enumerate(days.months):
        declining = number >= len(days.months) - DECLINE_MONTHS
        rows = [
            _rating(person, month, declining, rng)
            for person in people
            if person.assignment(last_day(month)) is not None and (person.part == "top" or rng.random() < 0.95)
        ]
        objected = rng.sample(before, min(OBJECTIONS, len(before)))
        is_last = number == len(days.months) - 1
        again = [_objected(row, rng, is_open=is_last and n == 0) for n, row in enumerate(objected)]
        months[month] = (rows + [_unit_rating(u.unit_id, month, rng) for u in region.units], again)
        before = [r for r in rows if r["predicate"] in ("butuh_perbaikan", "kurang", "baik")]
    return months


def _rating(person: Person, month: str, declining: bool, rng: random.Random) -> Row:
    result, behaviour = "sesuai", "di_atas" if rng.random() < 0.2 else "sesuai"
    if person.part == "top":
        result, behaviour = "di_atas", "di_atas" if rng.random() < 0.6 else "sesuai"
    elif person.part == "declining" and declining:
        result = "di_bawah"
    elif person.part == "long_absent" and declining:
        behaviour = "di_bawah"
    elif rng.random() < 0.06:
        # A superior who sees it otherwise than the task records do.
        result = rng.choice(("di_atas", "di_bawah"))
    predicate = PREDICATES[(result, behaviour)]
    if person.part != "top" and rng.random() < 0.01:
        predicate = rng.choice(("baik", "sangat_baik"))
    return {
        "subject_kind": "employee",
        "subject_id": person.nip,
        "period_kind": "month",
        "period": month,
        "result_rating": result,
        "behaviour_rating": behaviour,
        "predicate": predicate,
        "has_new_idea": rng.random() < (0.5 if person.part == "top" else 0.02),
        "received_at": _clock(last_day(month), 1, rng),
        "objected_at": None,
        "decided_at": None,
        "decision_code": None,
    }


def _unit_rating(unit_id: str, month: str, rng: random.Random) -> Row:
    draw = rng.random()
    return {
        "subject_kind": "org_unit",
        "subject_id": unit_id,
        "period_kind": "month",
        "period": month,
        "result_rating": None,
        "behaviour_rating": None,
        "predicate": "istimewa" if draw < 0.08 else "butuh_perbaikan" if draw > 0.93 else "baik",
        "has_new_idea": None,
        "received_at": None,
        "objected_at": None,
        "decided_at": None,
        "decision_code": None,
    }


def _objected(row: Row, rng: random.Random, *, is_open: bool) -> Row:
    """The same rating with an objection within 14 days of its receipt, and mostly the decision on it."""
    received = row["received_at"]
    assert isinstance(received, dt.datetime)
    objected = received + dt.timedelta(days=rng.randint(2, 12), hours=1)
    decided = objected + dt.timedelta(days=rng.randint(3, 8))
    verdict = {} if is_open else {"decided_at": decided, "decision_code": rng.choice(("upheld", "changed"))}
    return row | {"objected_at": objected} | verdict


def _clock(day: dt.date, after: int, rng: random.Random) -> dt.datetime:
    return dt.datetime.combine(day + dt.timedelta(days=after), dt.time(9)) + dt.timedelta(minutes=rng.randrange(360))
