"""Converted credit: months / 12 * share of the predicate * yearly coefficient, rounded by line (PermenPANRB 1/2023)."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from kpi_world import frame_of

from kinerja_pipeline.kpi.credit import credited
from kinerja_pipeline.policies.model import Credit

RULES = Credit(coefficients={"ahli_pertama": 12.5, "ahli_muda": 25.0, "Perawat Khusus": 37.5})
Job = tuple[str, str, str | None, str | None]
"""position, first day, last day, level"""


def points(
    predicate: str | None, period: str, *jobs: Job, rules: Credit = RULES, assignment: str = "utama"
) -> float | None:
    row = {"nip": "ani", "period": period, "official_predicate": predicate, "recommended_predicate": "sangat_baik"}
    schema = {**dict.fromkeys(row, pl.String), "credit_points": pl.Float64, "reason": pl.String}
    staff = [
        {
            "nip": "ani",
            "assignment_code": assignment,
            "position": position,
            "position_level": level,
            "valid_from": dt.date.fromisoformat(first),
            "valid_to": dt.date.fromisoformat(last) if last else None,
        }
        for position, first, last, level in jobs
    ]
    texts = dict.fromkeys(("nip", "assignment_code", "position", "position_level"), pl.String)
    employees = frame_of(staff, **texts, valid_from=pl.Date, valid_to=pl.Date)
    seen = credited(frame_of([row], **schema), employees, rules)
    assert seen.columns == list(schema)
    assert seen.height == 1
    value: float | None = seen["credit_points"][0]
    return value


FIRST: Job = ("Perawat", "2020-01-01", None, "ahli_pertama")


@pytest.mark.parametrize(
    ("predicate", "expected"),
    [("sangat_baik", 18.75), ("baik", 12.5), ("butuh_perbaikan", 9.38), ("kurang", 6.25), ("sangat_kurang", 3.13)],
)
def test_a_year_earns_150_100_75_50_or_25_percent_of_the_coefficient(predicate: str, expected: float) -> None:
    # 9.375 and 3.125 are rounded half-up.
    assert points(predicate, "2026", FIRST) == expected


@pytest.mark.parametrize(("period", "expected"), [("2026-Q1", 3.13), ("2026-S2", 6.25), ("2026-05", 1.04)])
def test_shorter_periods_earn_their_months(period: str, expected: float) -> None:
    # 12.5 * 3/12 = 3.125, 12.5 * 6/12, 12.5 / 12 = 1.0417
    assert points("baik", period, FIRST) == expected


def test_who_was_appointed_or_promoted_within_the_year_earns_by_line() -> None:
    assert points("baik", "2026", ("Perawat", "2026-09-15", None, "ahli_pertama")) == 4.17  # four months
    promoted = (("Perawat", "2020-01-01", "2026-05-31", "ahli_pertama"), ("Perawat", "2026-06-01", None, "ahli_muda"))
    # 5/12 * 12.5 = 5.2083, 7/12 * 25 = 14.5833
    assert points("baik", "2026", *promoted) == 19.79


def test_a_positions_own_coefficient_beats_that_of_its_level() -> None:
    assert points("baik", "2026", ("Perawat Khusus", "2020-01-01", None, "ahli_pertama")) == 37.5


@pytest.mark.parametrize(
    ("predicate", "job", "rules", "assignment"),
    [
        (None, FIRST, RULES, "utama"),  # a recommendation converts nothing
        ("baik", ("Camat", "2020-01-01", None, "administrator"), RULES, "utama"),
        ("baik", ("Perawat", "2020-01-01", None, None), RULES, "utama"),
        ("baik", FIRST, Credit(), "utama"),
        ("baik", FIRST, RULES, "plt"),
        ("baik", ("Perawat", "2027-01-01", None, "ahli_pertama"), RULES, "utama"),
    ],
)
def test_without_predicate_or_coefficient_there_is_no_credit(
    predicate: str | None, job: Job, rules: Credit, assignment: str
) -> None:
    assert points(predicate, "2026", job, rules=rules, assignment=assignment) is None
