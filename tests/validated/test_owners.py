"""Taps are of employees, of PINs that nobody holds on that day, or of people who are not employed on that day."""

from __future__ import annotations

import datetime as dt

import polars as pl

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.validated.owners import owners, sentence

LOG = load_contracts().incoming["attendance_log"]
MARCH = dt.date(2026, 3, 1)


def taps(*rows: tuple[str, int]) -> pl.LazyFrame:
    """Taps on the only device: PIN and day of March."""
    each = [("m1", pin, dt.datetime.combine(MARCH.replace(day=day), dt.time(7, 30))) for pin, day in rows]
    schema = {"device_id": pl.String, "pin": pl.String, "tapped_at": pl.Datetime("us")}
    return pl.LazyFrame(each, schema=schema, orient="row")


def pins(*rows: tuple[str, str, dt.date, dt.date | None]) -> pl.DataFrame:
    dated = {"valid_from": pl.Date, "valid_to": pl.Date}
    schema = {**dict.fromkeys(("device_id", "pin", "nip"), pl.String), **dated}
    return pl.DataFrame([("m1", *row) for row in rows], schema=schema, orient="row")


def people(*rows: tuple[str, str, dt.date, dt.date | None]) -> pl.DataFrame:
    dated = {"valid_from": pl.Date, "valid_to": pl.Date}
    return pl.DataFrame(rows, schema={**dict.fromkeys(("nip", "assignment_code"), pl.String), **dated}, orient="row")


PINS = pins(("1", "ani", MARCH, None), ("2", "budi", MARCH, None), ("3", "citra", dt.date(2026, 3, 10), None))
PEOPLE = people(
    ("ani", "utama", MARCH, None),
    ("ani", "plt", MARCH, None),  # an acting assignment beside it makes no second tap
    ("budi", "utama", MARCH, dt.date(2026, 3, 5)),
    ("citra", "plt", MARCH, None),
)


def test_every_tap_is_counted_once() -> None:
    found = owners(
        taps(
            ("1", 2), ("1", 2), ("1", 3),  # ani
            ("2", 5), ("2", 6),  # budi, on his last day and after it
            ("3", 9), ("3", 10),  # before citra had the PIN; then hers, who only acts for somebody
            ("4", 2),  # nobody's
        ),
        PINS,
        PEOPLE,
    )  # fmt: skip
    assert found == (8, 4, 2, 2, 2, 2)
    assert found.tap_count == found.employee_count + found.nobody_count + found.inactive_count
    assert sentence(found, LOG) == (
        "4 of 8 taps are of employees (50.0%); 2 of 2 PINs that nobody holds on that day; 2 of 2 people not employed "
        "on that day; at least 90% must be. Deliver device_pin with who holds these PINs since when, and employee with "
        "the assignments that are lacking: these days count as not recorded until then."
    )


def test_a_pin_that_was_handed_on_is_of_its_new_holder() -> None:
    handed_on = pins(("1", "gone", dt.date(2026, 1, 1), None), ("1", "ani", MARCH, None))
    found = owners(taps(("1", 2)), handed_on, PEOPLE)
    assert (found.employee_count, found.inactive_count) == (1, 0)
    assert sentence(found, LOG) == "1 of 1 taps are of employees (100.0%)."


def test_no_taps_are_no_fault() -> None:
    found = owners(taps(), PINS, PEOPLE)
    assert (found.share, sentence(found, LOG)) == (1.0, "No taps.")
