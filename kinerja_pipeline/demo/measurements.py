"""Figures that the made-up agencies measure themselves: budgets everywhere, and what each region's essay is about.

Here: rows of indicator_measurement. Not here: which of them become indicators (the region's policy).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kinerja_pipeline.demo.regions import Region, Unit
from kinerja_pipeline.demo.rows import Row

Draw = Callable[[Unit, int, random.Random], tuple[float | None, float | None, float | None]]
"""Unit, months since the first, randomness -> numerator, denominator, value."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure: which units report it, whether the year before was delivered too, and whether it is told
    for every working day (then `draw` is a day's)."""

    indicator_id: str
    reports: Callable[[Unit], bool]
    draw: Draw
    has_year_before: bool = False
    is_daily: bool = False


def _budget(unit: Unit, month: int, rng: random.Random) -> tuple[float | None, float | None, float | None]:
    planned = unit.staff * rng.randint(9, 12) * 1_000_000
    return float(round(planned * rng.uniform(0.86, 1.02))), float(planned), None


def _share(low: float, high: float, of: int) -> Draw:
    def draw(unit: Unit, month: int, rng: random.Random) -> tuple[float | None, float | None, float | None]:
        whole = max(4, of + rng.randint(-of // 10, of // 10))
        return float(round(whole * rng.uniform(low, high))), float(whole), None

    return draw


def _exam(unit: Unit, month: int, rng: random.Random) -> tuple[float | None, float | None, float | None]:
    pupils = round((unit.population or 300) * rng.uniform(0.9, 0.98))
    return float(round(pupils * rng.uniform(70, 81))), float(pupils), None


def _waste(unit: Unit, month: int, rng: random.Random) -> tuple[float | None, float | None, float | None]:
    return None, None, round(unit.staff * rng.uniform(0.4, 0.7), 2)


def _visits(unit: Unit, month: int, rng: random.Random) -> tuple[float | None, float | None, float | None]:
    growth = 1.06 if month >= 0 else 1.0
    return None, None, float(round((unit.population or 8000) * 0.11 * growth * rng.uniform(0.94, 1.06)))


def _visits_per_staff(unit: Unit, month: int, rng: random.Random) -> tuple[float | None, float | None, float | None]:
    return float(round(unit.staff * rng.uniform(52, 74))), float(unit.staff), None


def _puskesmas(unit: Unit) -> bool:
    return unit.name.startswith("Puskesmas")


BUDGET = Figure("budget_absorption", lambda unit: True, _budget)
FIGURES: dict[str, tuple[Figure, ...]] = {
    "manokwari": (BUDGET, Figure("immunisation_coverage", _puskesmas, _share(0.86, 1.0, 140))),
    "salor": (BUDGET, Figure("exam_mean", lambda unit: unit.schedule_id is not None, _exam, has_year_before=True)),
    "mamuju": (BUDGET, Figure("visits_per_staff", _puskesmas, _visits_per_staff)),
    "pariaman": (
        BUDGET,
        Figure("waste_collected", lambda unit: unit.sector == "cleaning", _waste, is_daily=True),
        Figure("health_visits", lambda unit: _puskesmas(unit) or unit.shift_share > 0, _visits, has_year_before=True),
    ),
    "nanggalo": (BUDGET,),
}


def measurement_rows(
    region: Region, month: str, number: int, rng: random.Random, workdays: Sequence[dt.date] = ()
) -> list[Row]:
    """The region's figures of one month; `number` counts months from the world's first, negative before it."""
    return [
        _row(figure.indicator_id, unit.unit_id, period, figure.draw(unit, number, rng))
        for figure in FIGURES[region.region]
        for unit in region.units
        if figure.reports(unit) and (number >= 0 or figure.has_year_before)
        for period in ([day.isoformat() for day in workdays] if figure.is_daily else [month])
    ]


def _row(indicator_id: str, unit_id: str, period: str, drawn: tuple[float | None, float | None, float | None]) -> Row:
    numerator, denominator, value = drawn
    return {
        "indicator_id": indicator_id,
        "subject_kind": "unit",
        "subject_id": unit_id,
        "period": period,
        "numerator": numerator,
        "denominator": denominator,
        "value": value,
    }
