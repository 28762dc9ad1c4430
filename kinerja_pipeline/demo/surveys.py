"""Answers to the public satisfaction surveys of a region's service units.

Here: one row per respondent (answers under `=`, profile under `+`), and the same as a long export. Not here: how a
supplier lays them out (the policy's feeds, demo/formats).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence

from kinerja_pipeline.demo.regions import Region, Unit
from kinerja_pipeline.demo.rows import Row
from kinerja_pipeline.demo.workdays import Workdays
from kinerja_pipeline.policies.model import Survey

SKM = "skm"
PROFILE = {"pendidikan": "5", "pekerjaan": "6"}
"""Questions about the respondent in a long export; their answers share the table with the scores."""
OCCUPATIONS = ("PNS", "Swasta", "Wiraswasta", "Petani", "Nelayan", "Ibu rumah tangga", "Pelajar")
EDUCATION = ("SD", "SMP", "SMA", "D3", "S1", "S2")
BURST = 6
STRAIGHT_SHARE = 0.68
UNHAPPY = 0.5
"""Points of four by which the answers to a poor service are lower: from class B to C."""


def surveys_of_units(region: Region, surveys: Mapping[str, Survey]) -> list[tuple[str, Unit]]:
    """Which survey each unit holds: schools ask parents and cleaning crews ask residents where the policy says so."""
    held = []
    for unit in region.units:
        if "parents" in surveys and unit.sector == "education" and unit.schedule_id is not None:
            held.append(("parents", unit))
        elif "residents" in surveys and unit.sector == "cleaning":
            held.append(("residents", unit))
        elif unit.respondents:
            held.append((SKM, unit))
    return held


def responses_of(
    region: Region, surveys: Mapping[str, Survey], days: Workdays, share: float, rng: random.Random
) -> dict[str, list[Row]]:
    """Per month one row per respondent, in the order of sending; `share` scales the numbers down for small worlds."""
    taste = {
        (code, unit.unit_id): (rng.uniform(3.05, 3.55), {e: rng.gauss(0, 0.13) for e in surveys[code].elements})
        for code, unit in surveys_of_units(region, surveys)
    }
    months: dict[str, list[Row]] = {}
    for number, month in enumerate(days.months):
        rows: list[Row] = []
        workdays = days.office_days_by_month[month]
        for code, unit in surveys_of_units(region, surveys):
            wanted = unit.respondents or 60
            few = unit.unit_id == region.few_answers
            count = wanted if few else max(6, round(wanted * share * rng.uniform(0.85, 1.15)))
            times = _times(workdays, count, rng)
            if unit.unit_id == region.straight_liners and number == len(days.months) - 1 and count > BURST:
                times[:BURST] = [times[0] + dt.timedelta(seconds=7 * n) for n in range(BURST)]
            straight = STRAIGHT_SHARE if unit.unit_id == region.straight_liners else 0.04
            mean, offsets = taste[(code, unit.unit_id)]
            mean -= UNHAPPY if unit.unit_id == region.poor_service else 0
            for at in times:
                rows.append(_response(code, surveys[code], unit, at, mean, offsets, straight, rng))
        rows.sort(key=lambda r: (str(r["submitted_at"]), str(r["subject_id"])))
        for place, row in enumerate(rows, start=1):
            row["response_id"] = f"{region.prefix}-{month[2:4]}{month[5:]}-{place:05d}"
        months[month] = rows
    return months


def elements_of(row: Row) -> list[str]:
    return [name[1:] for name in row if name.startswith("=")]


def exported_answers(rows: Sequence[Row]) -> list[Row]:
    """A long export: one row per answer, the score as the id of an answer label, profile answers as text."""
    found: list[Row] = []
    for row in rows:
        base = {name: value for name, value in row.items() if name[0] not in "=+"}
        for name, question in PROFILE.items():
            found.append(base | {"element_code": question, "score": None, "+respon_teks": row[f"+{name}"]})
        for e in elements_of(row):
            found.append(base | {"element_code": e, "score": answer_id(e, row[f"={e}"]), "+respon_teks": None})
    return found


def answer_id(element: str, score: object) -> str:
    return f"{10 + int(element[1:])}{score}"


def answer_labels(survey: Survey) -> list[Row]:
    """The id file of a long export: one row per answer label and its score; one label is above the scale."""
    words = ("Tidak baik", "Kurang baik", "Baik", "Sangat baik", "Istimewa")
    return [
        {"jawaban_id": answer_id(element, score), "jawaban_pilihan": words[score - 1], "skor": score}
        for element in survey.elements
        for score in range(1, len(words) + 1)
    ]


def _times(workdays: Sequence[dt.date], count: int, rng: random.Random) -> list[dt.datetime]:
    return [
        dt.datetime.combine(rng.choice(workdays), dt.time(8)) + dt.timedelta(seconds=rng.randrange(7 * 3600))
        for _ in range(count)
    ]


def _response(
    code: str, survey: Survey, unit: Unit, at: dt.datetime, mean: float, offsets: Mapping[str, float], straight: float,
    rng: random.Random,
) -> Row:  # fmt: skip
    row: Row = {
        "response_id": "",
        "survey_code": code,
        "submitted_at": at,
        "subject_kind": "unit",
        "subject_id": unit.unit_id,
        "role_code": "public",
        "scale_max": survey.scale_max,
        "+nama": f"Responden {rng.randint(1000, 9999)}",
        "+no_hp": f"0800{rng.randint(10_000_000, 99_999_999)}",
        "+pendidikan": rng.choice(EDUCATION),
        "+pekerjaan": rng.choice(OCCUPATIONS),
    }
    mood = rng.gauss(0, 0.35)
    same = 4 if rng.random() < straight else None
    for element in survey.elements:
        drawn = round(rng.gauss(mean + mood + offsets[element], 0.45))
        row[f"={element}"] = same or min(survey.scale_max, max(1, drawn))
    return row
