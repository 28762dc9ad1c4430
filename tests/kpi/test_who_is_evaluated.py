"""Who is evaluated in a period, and in which unit."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kinerja_pipeline.kpi.people import people

D = dt.date
JANUARY, MARCH_END = D(2026, 1, 1), D(2026, 3, 31)


def assignments(*rows: tuple[str, str, str, str, dt.date, dt.date | None]) -> pl.DataFrame:
    schema = dict.fromkeys(("nip", "assignment_code", "unit_id", "position_level"), pl.String)
    return pl.DataFrame(rows, schema={**schema, "valid_from": pl.Date, "valid_to": pl.Date}, orient="row")


def units(frame: pl.DataFrame, start: dt.date, end: dt.date) -> dict[str, str]:
    return dict(people(frame, start, end).select("nip", "unit_id").iter_rows())


def test_the_last_unit_of_the_period_counts() -> None:
    moved = assignments(
        ("ani", "utama", "disdik", "pengawas", D(2026, 3, 16), None),
        ("ani", "utama", "dinkes", "pelaksana", D(2024, 1, 1), D(2026, 3, 15)),
    )
    assert units(moved, D(2026, 3, 1), MARCH_END) == {"ani": "disdik"}
    assert units(moved, D(2026, 2, 1), D(2026, 2, 28)) == {"ani": "dinkes"}
    assert people(moved, JANUARY, MARCH_END)["position_level"].to_list() == ["pengawas"]


def test_who_left_in_february_belongs_to_the_quarter_and_not_to_march() -> None:
    left = assignments(("ani", "utama", "dinkes", "pelaksana", D(2024, 1, 1), D(2026, 2, 10)))
    assert units(left, JANUARY, MARCH_END) == {"ani": "dinkes"}
    assert units(left, D(2026, 2, 10), D(2026, 2, 28)) == {"ani": "dinkes"}
    assert units(left, D(2026, 2, 11), MARCH_END) == {}


def test_who_starts_after_the_last_counted_day_is_not_there_yet() -> None:
    new = assignments(("ani", "utama", "dinkes", "pelaksana", D(2026, 3, 20), None))
    assert units(new, D(2026, 3, 1), D(2026, 3, 19)) == {}
    assert units(new, D(2026, 3, 1), D(2026, 3, 20)) == {"ani": "dinkes"}


def test_an_acting_assignment_is_not_evaluated() -> None:
    both = assignments(
        ("ani", "utama", "dinkes", "pelaksana", D(2024, 1, 1), None),
        ("ani", "plt", "setda", "pengawas", D(2026, 3, 1), None),
        ("budi", "plt", "setda", "jpt", D(2026, 3, 1), None),
    )
    assert units(both, D(2026, 3, 1), MARCH_END) == {"ani": "dinkes"}


def test_nobody_employed_gives_an_empty_table() -> None:
    assert people(assignments(), JANUARY, MARCH_END).columns == ["nip", "unit_id", "position_level"]
