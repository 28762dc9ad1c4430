"""Whatever is delivered, nothing is lost, and the row that stands is the one a slow plain reading finds.

The oracle below shares no code with the split: it reads each cell from a table written by hand and decides row by row.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from validated_world import ZONE, landed

from kinerja_pipeline.contracts.model import Column, Contract, Rule
from kinerja_pipeline.validated.aside import laid_aside
from kinerja_pipeline.validated.split import Aside, Split, split

UNREADABLE = object()

IDS = {"A": "A", " A ": "A", "B": "B", "C": "C", "??": "??", None: None, " ": None}
local = dt.datetime.fromisoformat
MARCH, APRIL = local("2026-03-05"), local("2026-04-25")
DATES = {
    "2026-03-05": MARCH,
    "2026-03-05 00:00:00": MARCH,
    "05/03/2026": MARCH,
    "2026-04-25": APRIL,
    "25/04/2026": APRIL,
    "04/25/2026": UNREADABLE,
    "kemarin": UNREADABLE,
    None: None,
    "2000-01-01": local("2000-01-01"),
}
SEPARATED = {"05/03/2026": (5, 3), "25/04/2026": (25, 4), "04/25/2026": (4, 25)}
VALUES = {"1": 1.0, "1.0": 1.0, "1,5": 1.5, "1.5": 1.5, "-1": -1.0, "banyak": UNREADABLE, None: None}

CONTRACT = Contract(
    *("thing", "incoming", "1.0.0", "One row per thing.", "id"),
    columns=(
        Column("id", "string", "Which.", is_required=True, key_position=1, pattern="^[A-Z]$"),
        Column("at", "timestamp", "When.", is_required=True),
        Column("value", "number", "How many.", minimum=0),
    ),
    rules=(
        Rule("id__missing", "missing", ("id",), "error", ""),
        Rule("id__pattern", "pattern", ("id",), "error", ""),
        Rule("at__missing", "missing", ("at",), "error", ""),
        Rule("at__unreadable", "unreadable", ("at",), "error", ""),
        Rule("at__month_first", "month_first", ("at",), "error", ""),
        Rule("value__unreadable", "unreadable", ("value",), "error", ""),
        Rule("value__range", "range", ("value",), "error", ""),
        Rule("value__high", "row", ("value",), "warning", "", predicate="value > 1"),
        Rule("at__month", "month", ("at",), "error", ""),
        Rule("key__conflict", "conflict", ("id",), "error", ""),
    ),
    month_from="at",
)


class Cells(NamedTuple):
    delivery: int
    id: str | None
    at: str | None
    value: str | None
    is_torn: bool
    arrived: str


class World(NamedTuple):
    modes: list[str]
    scopes: list[str]
    rows: list[Cells]


cells = st.builds(
    Cells,
    delivery=st.integers(0, 3),
    id=st.sampled_from(["A", "A", "B", "B", "C", "C", *IDS]),
    at=st.sampled_from(["2026-03-05"] * 6 + ["2026-04-25"] * 3 + list(DATES)),
    value=st.sampled_from(["1", "1.0", "1", "1,5", *VALUES]),
    is_torn=st.sampled_from([False] * 9 + [True]),
    arrived=st.sampled_from(["2026-03", "2026-04"]),
)
worlds = st.builds(
    World,
    modes=st.lists(st.sampled_from(["append", "delta", "full"]), min_size=4, max_size=4),
    scopes=st.lists(st.sampled_from(["one", "one", "one", "other"]), min_size=4, max_size=4),
    rows=st.lists(cells, min_size=6, max_size=14) | st.lists(cells, max_size=5),
)


def month_of(row: Cells) -> str:
    """Where landing puts a row: its own month, or the month of arrival when that cannot be read or is too early."""
    at: Any = DATES[row.at]
    return f"{at:%Y-%m}" if at in (MARCH, APRIL) else row.arrived


# ---- the oracle ------------------------------------------------------------------------------------------------------


def judged_slowly(world: World, month: str) -> tuple[set[int], dict[int, set[str]], set[int]]:
    """Valid rows, rejected rows with their reasons, superseded rows, as places in `world.rows`."""
    failures: dict[int, set[str]] = {}
    meaning: dict[int, tuple[Any, Any, Any]] = {}
    for place, row in enumerate(world.rows):
        why: set[str] = set()
        identity, at, value = IDS[row.id], DATES[row.at], VALUES[row.value]
        if identity is None:
            why.add("id__missing")
        elif identity == "??":
            why.add("id__pattern")
        parts = [SEPARATED[r.at] for r in world.rows if r.delivery == row.delivery and r.at in SEPARATED]
        is_english = any(second > 12 for _, second in parts) and not any(first > 12 for first, _ in parts)
        if row.at in SEPARATED and is_english:
            why.add("at__month_first")
        elif at is None:
            why.add("at__missing")
        elif at is UNREADABLE:
            why.add("at__unreadable")
        elif f"{at:%Y-%m}" != month_of(row):
            why.add("at__month")
        if value is UNREADABLE:
            why.add("value__unreadable")
        elif value is not None and value < 0:
            why.add("value__range")
        failures[place] = {"row__long"} if row.is_torn else why
        meaning[place] = (identity, at, value)

    good = [place for place in failures if not failures[place]]
    for place in good:
        twins = [
            o
            for o in good
            if world.rows[o].delivery == world.rows[place].delivery and meaning[o][0] == meaning[place][0]
        ]
        if any(meaning[twin] != meaning[place] for twin in twins):
            failures[place] = {"key__conflict"}

    def is_replaced(place: int) -> bool:
        mine = world.rows[place].delivery
        for other in good:
            if other == place or meaning[other][0] != meaning[place][0] or failures[other]:
                continue
            theirs = world.rows[other].delivery
            if theirs > mine or (theirs == mine and other < place):
                return True
        for later in range(mine + 1, 4):
            stands = [o for o in good if not failures[o] and world.rows[o].delivery == later]
            speaks = any(month_of(world.rows[o]) == month for o in stands)
            names = {meaning[o][0] for o in meaning if world.rows[o].delivery == later}
            if world.scopes[later] != world.scopes[mine]:
                continue
            if world.modes[later] == "full" and speaks and meaning[place][0] not in names:
                return True
        return False

    inside = {place for place, row in enumerate(world.rows) if month_of(row) == month}
    rejected = {place: failures[place] for place in inside if failures[place]}
    superseded = {place for place in inside - set(rejected) if is_replaced(place)}
    return inside - set(rejected) - superseded, rejected, superseded


# ---- the split -------------------------------------------------------------------------------------------------------


def frame_of(world: World) -> pl.DataFrame:
    rows = [
        {
            "id": row.id,
            "at": row.at,
            "value": row.value,
            "_delivery_id": f"d{row.delivery}",
            "_source_row": place,
            "_problem": "row__long" if row.is_torn else None,
            "_raw": "..." if row.is_torn else None,
            "_month": month_of(row),
        }
        for place, row in enumerate(world.rows)
    ]
    return landed(CONTRACT, rows)


def split_of(
    world: World,
    month: str,
    frame: pl.DataFrame | Iterable[pl.DataFrame] | None = None,
    aside: Aside = pl.DataFrame.lazy,
) -> Split:
    ledger = pl.DataFrame(
        {
            "delivery_id": [f"d{i}" for i in range(4)],
            "sequence": range(1, 5),
            "delivery_mode": world.modes,
            "delivery_scope": world.scopes,
        }
    )
    rows = frame_of(world) if frame is None else frame
    return split(rows, CONTRACT, zone=ZONE, references={}, deliveries=ledger, month=month, aside=aside)


MONTHS = ("2026-03", "2026-04")


CONTRADICTS_ITSELF = World(
    ["append", "append", "full", "append"],
    ["one"] * 4,
    [Cells(0, "B", "2026-03-05", "1", False, "2026-03")]
    + [Cells(2, "A", "2026-03-05", value, False, "2026-03") for value in ("1", "1,5")],
)


@settings(max_examples=50)
@given(worlds)
@example(CONTRADICTS_ITSELF)  # a full delivery whose only rows are in conflict is rejected whole: it drops nothing
def test_the_rows_that_stand_are_those_a_slow_plain_reading_finds_and_none_is_lost(world: World) -> None:
    ended: Counter[int] = Counter()
    counted: Counter[str] = Counter()
    keys: list[str] = []
    for month in MONTHS:
        valid, rejected, superseded = judged_slowly(world, month)
        result = split_of(world, month)
        assert set(result.valid["_source_row"]) == valid
        assert {r["_source_row"]: set(r["_reasons"]) for r in result.rejected.iter_rows(named=True)} == rejected
        assert set(result.superseded["_source_row"]) == superseded
        for part in (result.valid, result.rejected, result.superseded):
            ended.update(part["_source_row"].to_list())
        for line in result.tally.filter(pl.col("rule_id") == "all").iter_rows(named=True):
            assert line["landed_count"] == line["valid_count"] + line["rejected_count"] + line["superseded_count"]
            counted[line["delivery_id"]] += line["landed_count"]
        keys += result.valid["id"].to_list()
    assert ended == Counter(range(len(world.rows)))
    assert counted == Counter(f"d{row.delivery}" for row in world.rows)
    assert len(keys) == len(set(keys)), "one version of a key stands, in all months together"


@settings(max_examples=25)
@given(worlds, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(world: World, chance: random.Random) -> None:
    frame = frame_of(world)
    order = list(range(len(frame)))
    chance.shuffle(order)
    straight, shuffled = split_of(world, "2026-03"), split_of(world, "2026-03", frame[order])
    for before, after in zip(parts_of(straight), parts_of(shuffled), strict=True):
        assert before.equals(after)


@settings(max_examples=25)
@given(worlds)
def test_rows_that_come_delivery_by_delivery_end_as_those_that_come_at_once(world: World) -> None:
    together = frame_of(world).sort("_delivery_id", maintain_order=True)
    assert_same(split_of(world, "2026-03", one_by_one(together)), split_of(world, "2026-03", together))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(worlds)
def test_rows_laid_aside_on_the_disk_end_as_those_kept_in_memory(tmp_path: Path, world: World) -> None:
    together = frame_of(world).sort("_delivery_id", maintain_order=True)
    with laid_aside(tmp_path, kept_bytes=0) as aside:
        on_disk = split_of(world, "2026-03", one_by_one(together), aside)
        assert_same(on_disk, split_of(world, "2026-03", together))
        assert on_disk.valid.schema == split_of(world, "2026-03", together).valid.schema
    assert list(tmp_path.iterdir()) == []


def one_by_one(together: pl.DataFrame) -> Iterable[pl.DataFrame]:
    return (together.filter(pl.col("_delivery_id") == f"d{delivery}") for delivery in range(4))


def assert_same(apart: Split, at_once: Split) -> None:
    for of_parts, of_all in zip(parts_of(apart), parts_of(at_once), strict=True):
        assert of_parts.equals(of_all)
    assert (apart.asked_count, apart.null_counts) == (at_once.asked_count, at_once.null_counts)


def parts_of(result: Split) -> list[pl.DataFrame]:
    return [*(part.sort("_source_row") for part in (result.valid, result.rejected, result.superseded)), result.tally]


@settings(max_examples=25)
@given(worlds)
def test_no_delivery_of_only_bad_rows_takes_a_valid_row_away(world: World) -> None:
    first = World(world.modes, world.scopes, [row for row in world.rows if row.delivery < 3])
    spoilt = World(
        world.modes, world.scopes, [*first.rows, *(row._replace(delivery=3, value="banyak") for row in first.rows)]
    )
    assert set(split_of(spoilt, "2026-03").valid["_source_row"]) == set(split_of(first, "2026-03").valid["_source_row"])
