"""People are worked through in stretches of their names: everybody is in exactly one."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from kinerja_pipeline.facts.by_people import Stretch, parted, stretches

NAMES = st.lists(st.text("0129aZé", max_size=3))


@given(known=NAMES, at_once=st.integers(1, 3), found=NAMES)
def test_every_name_known_or_not_is_in_exactly_one_stretch(known: list[str], at_once: int, found: list[str]) -> None:
    frame = pl.DataFrame({"nip": found}, schema={"nip": pl.String})
    held = [
        frame.filter(each.holds("nip"))["nip"].to_list()
        for each in stretches(pl.Series(known, dtype=pl.String), at_once)
    ]
    assert sorted(name for names in held for name in names) == sorted(found)


@given(known=NAMES, at_once=st.integers(1, 3))
def test_no_stretch_has_more_of_the_known_people_than_are_taken_at_once(known: list[str], at_once: int) -> None:
    people = pl.DataFrame({"nip": sorted(set(known))}, schema={"nip": pl.String})
    found = stretches(pl.Series(known, dtype=pl.String), at_once)
    assert all(len(people.filter(each.holds("nip"))) <= at_once for each in found)
    assert len(found) == max(1, -(-len(people) // at_once))


def test_who_has_no_name_is_in_no_stretch() -> None:
    # Also where one stretch holds everybody: a region's size must not decide who belongs to it.
    assert pl.DataFrame({"nip": [None]}, schema={"nip": pl.String}).filter(Stretch(None, None).holds("nip")).is_empty()


@given(known=NAMES, at_once=st.integers(1, 3), found=st.lists(st.none() | st.text("0129aZé", max_size=3)))
def test_rows_parted_at_once_are_those_that_each_stretch_holds(
    known: list[str], at_once: int, found: list[str | None]
) -> None:
    rows = pl.DataFrame({"nip": found, "row": range(len(found))}, schema={"nip": pl.String, "row": pl.Int64})
    shares = stretches(pl.Series(known, dtype=pl.String), at_once)
    parts = parted(rows, "nip", shares)
    assert [part.rows() for part in parts] == [rows.filter(share.holds("nip")).rows() for share in shares]
