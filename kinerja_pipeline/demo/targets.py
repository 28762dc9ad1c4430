"""Targets that superiors of the made-up regions agreed with their people.

Here: rows of indicator_target. Not here: targets that a policy sets for everybody.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable

from kinerja_pipeline.demo.people import Person
from kinerja_pipeline.demo.rows import Row
from kinerja_pipeline.demo.workdays import first_day

TARGET_REGIONS = ("manokwari", "salor")
"""The regions whose essays ask for targets of one's own."""

CHOICES = {"task_on_time": (75.0, 80.0, 85.0, 90.0), "task_quantity": (90.0, 95.0, 100.0), "task_quality": (75.0, 80.0)}


def target_rows(people: Iterable[Person], month: str, rng: random.Random) -> list[Row]:
    """The targets for the quarter that begins with `month`: most people have one or two, agreed with their superior,
    mostly before it began; some are only proposed, and a few people have none."""
    quarter = f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}"
    rows: list[Row] = []
    for person in people:
        assignment = person.assignment(first_day(month))
        if assignment is None or rng.random() < 0.08:
            continue
        for indicator in sorted(rng.sample(list(CHOICES), rng.choice((1, 1, 2)))):
            late = rng.random() < 0.15
            days = rng.randint(1, 20) if late else -rng.randint(3, 25)
            agreed = dt.datetime.combine(first_day(month) + dt.timedelta(days=days), dt.time(9, rng.randrange(60)))
            is_agreed = rng.random() >= 0.04 and assignment.supervisor_nip is not None
            rows.append(
                {
                    "indicator_id": indicator,
                    "subject_kind": "employee",
                    "subject_id": person.nip,
                    "period": quarter,
                    "target": rng.choice(CHOICES[indicator]),
                    "agreed_at": agreed if is_agreed else None,
                    "agreed_by": assignment.supervisor_nip if is_agreed else None,
                }
            )
    return rows
