"""Whose taps they are: believed taps against the registers of PINs and of people.

Here: counts of taps by what the registers know of them. Not here: taps whose PIN no register has ever known, which the
split rejects, what a day means for a person (facts/attendance).
"""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

from kinerja_pipeline.contracts.model import TAPS_OF_EMPLOYEES, Contract
from kinerja_pipeline.facts.periods import in_force


class Owners(NamedTuple):
    """Believed taps of a month: all = of employees + of nobody + of somebody who is not employed."""

    tap_count: int
    employee_count: int
    nobody_count: int
    inactive_count: int
    pins_of_nobody: int
    people_inactive: int

    @property
    def share(self) -> float:
        return self.employee_count / self.tap_count if self.tap_count else 1.0


def owners(taps: pl.LazyFrame, device_pins: pl.DataFrame, employees: pl.DataFrame) -> Owners:
    """Every tap belongs to who holds its PIN on that day; an employee is who has a main assignment on that day.

    The taps are gone through twice and never held together.
    """
    pin = ["device_id", "pin"]
    held = in_force(device_pins.select(*pin, "nip", "valid_from", "valid_to"), pin)
    main = employees.filter(pl.col("assignment_code") == "utama").select("nip", "valid_from", "valid_to")
    employed = in_force(main, ["nip"])
    day = pl.col("tapped_at").dt.date()
    # Nearly every PIN has one holder, employed throughout: only the taps of others are looked up day by day.
    of_pins = taps.group_by(pin).agg(pl.len().alias("taps"), first=day.min(), last=day.max())
    pins = of_pins.collect(engine="streaming")
    is_always = (pl.col("valid_from") <= pl.col("first")) & (pl.col("valid_to") >= pl.col("last"))
    sure = pins.join(held, on=pin).filter(is_always).drop("valid_from", "valid_to")
    sure = sure.join(employed, on="nip").filter(is_always)
    others = pins.join(sure, on=pin, how="anti").select(pin)
    of_days = taps.join(others.lazy(), on=pin, how="semi").group_by(*pin, date=day).agg(pl.len().alias("taps"))
    days = of_days.collect(engine="streaming")
    is_then = pl.col("date").is_between("valid_from", "valid_to")
    by_person = days.join(held, on=pin).filter(is_then).drop("valid_from", "valid_to")
    of_employees = by_person.join(employed, on="nip").filter(is_then)
    keys = [*pin, "date"]
    nobody = days.join(by_person, on=keys, how="anti")
    inactive = by_person.join(of_employees, on=keys, how="anti")
    return Owners(
        tap_count=int(pins["taps"].sum()),
        employee_count=int(sure["taps"].sum()) + int(of_employees["taps"].sum()),
        nobody_count=int(nobody["taps"].sum()),
        inactive_count=int(inactive["taps"].sum()),
        pins_of_nobody=nobody.select(pin).n_unique(),
        people_inactive=inactive["nip"].n_unique(),
    )


def least_share(contract: Contract) -> float:
    """The share of taps that must be of employees; none where the contract asks nothing."""
    bound = contract.bound(TAPS_OF_EMPLOYEES)
    return bound.low if bound else 0.0


def sentence(found: Owners, contract: Contract) -> str:
    """The counts in words, with what to do where too many taps are of nobody."""
    if not found.tap_count:
        return "No taps."
    told = f"{found.employee_count} of {found.tap_count} taps are of employees ({found.share:.1%})"
    lost = [
        f"{found.nobody_count} of {found.pins_of_nobody} PINs that nobody holds on that day"
        if found.nobody_count
        else "",
        f"{found.inactive_count} of {found.people_inactive} people not employed on that day"
        if found.inactive_count
        else "",
    ]
    told = "; ".join([told, *(text for text in lost if text)])
    if found.share >= least_share(contract):
        return f"{told}."
    return (
        f"{told}; at least {least_share(contract):.0%} must be. Deliver device_pin with who holds these PINs since "
        "when, and employee with the assignments that are lacking: these days count as not recorded until then."
    )
