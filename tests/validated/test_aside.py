"""Rows laid aside while a month is judged leave nothing behind; what is not large never touches the disk."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from validated_world import ZONE, deliveries, landed

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.home import Home
from kinerja_pipeline.orchestration.leftovers import leftovers, remove
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.validated.aside import laid_aside
from kinerja_pipeline.validated.split import Aside, ConservationError, Split, conserved, split

ROSTER = load_contracts().incoming["shift_roster"]


def part(name: str, *nips: str) -> pl.DataFrame:
    rows = [
        {"nip": nip, "work_date": "2026-03-16", "schedule_id": "night", "_delivery_id": name, "_source_row": number}
        for number, nip in enumerate(nips, start=1)
    ]
    return landed(ROSTER, rows)


ANI, BUDI, CITRA = "197001011990011001", "197001011990011002", "197001011990011003"
LEDGER = deliveries(a="delta", b="delta", c="delta")


def judged(aside: Aside, *parts: pl.DataFrame) -> Split:
    return split(parts, ROSTER, zone=ZONE, references={}, deliveries=LEDGER, aside=aside)


def test_parts_beyond_what_is_kept_lie_on_the_disk_and_a_later_one_replaces_their_rows(tmp_path: Path) -> None:
    with laid_aside(tmp_path, kept_bytes=0) as aside:
        result = judged(aside, part("a", ANI, BUDI), part("b", BUDI, CITRA), part("c", CITRA))
        assert len(list(tmp_path.glob("*/*"))) == 3
        assert [rows["nip"].to_list() for rows in result.valid_parts(["nip"])] == [[ANI], [BUDI], [CITRA]]
        assert result.superseded.rows() == [("a", 2), ("b", 2)]
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_large_does_not_touch_the_disk(tmp_path: Path) -> None:
    with laid_aside(tmp_path) as aside:
        assert len(judged(aside, part("a", ANI), part("b", BUDI)).valid) == 2
        assert list(tmp_path.iterdir()) == []


def test_rows_that_are_not_read_back_stop_the_write_and_leave_the_old_table(tmp_path: Path) -> None:
    lake, place = Lake(tmp_path), ("validated", ROSTER.name, "salor")
    lake.write(pl.DataFrame({"nip": ["old"]}), *place, "2026-03")
    result = judged(pl.DataFrame.lazy, part("a", ANI, BUDI), part("b", CITRA))
    whole, first = list(result.valid_parts()), list(result.valid_parts())[:1]
    assert lake.write_parts(conserved(whole, result.tally, ROSTER.name), len, *place, "2026-04") == [2, 1]
    with pytest.raises(ConservationError, match="shift_roster: 3 rows are valid but 2 were read back"):
        lake.write_parts(conserved(first, result.tally, ROSTER.name), len, *place, "2026-03")
    assert lake.read(*place, "2026-03")["nip"].to_list() == ["old"]


def test_nothing_is_left_behind_when_judging_fails_in_the_middle(tmp_path: Path) -> None:
    def parts() -> Iterator[pl.DataFrame]:
        yield from (part("a", ANI), part("b", BUDI))
        assert len(list(tmp_path.glob("*/*"))) == 2
        raise OSError("the disk does not answer")

    with pytest.raises(OSError, match="does not answer"), laid_aside(tmp_path, kept_bytes=0) as aside:
        split(parts(), ROSTER, zone=ZONE, references={}, deliveries=LEDGER, aside=aside)
    assert list(tmp_path.iterdir()) == []


KILLED = """
import os, sys
from pathlib import Path
import polars as pl
from kinerja_pipeline.validated.aside import laid_aside
with laid_aside(Path(sys.argv[1]), kept_bytes=0) as aside:
    aside(pl.DataFrame({"nip": ["1"]}))
    os._exit(9)
"""


def test_what_a_killed_run_laid_aside_is_found_and_cleared_an_hour_later(tmp_path: Path) -> None:
    home, now = Home(tmp_path), dt.datetime.now(dt.UTC)
    home.lake.mkdir()
    subprocess.run([sys.executable, "-c", KILLED, str(home.lake)], check=False)
    [left] = home.lake.iterdir()
    assert len(list(left.iterdir())) == 1
    assert leftovers(home, [], now) == [], "it may still be under way"
    assert leftovers(home, [], now + dt.timedelta(hours=2)) == [left]
    remove([left])
    assert list(home.lake.iterdir()) == []
