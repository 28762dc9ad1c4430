"""The lake: whole files, whether they are written at once or part by part."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from kinerja_pipeline.orchestration.storage import Lake

PLACE = ("facts", "attendance_day", "salor", "2026-04")


def part(*days: int) -> pl.DataFrame:
    return pl.DataFrame({"nip": [f"n{day}" for day in days], "day": days}, schema={"nip": pl.String, "day": pl.Int64})


def test_parts_are_one_file_in_their_order_and_the_columns_asked_for_come_back(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    kept = lake.write_parts(iter([part(3, 1), part(), part(2)]), ["day"], *PLACE)
    assert kept["day"].to_list() == [3, 1, 2]
    assert kept.columns == ["day"]
    assert lake.read(*PLACE).equals(part(3, 1, 2))


@pytest.mark.parametrize("fault", [ValueError("no more days"), OSError(errno.ENOSPC, "No space left on device")])
def test_what_goes_wrong_in_a_part_is_raised_as_it_is_and_leaves_the_old_file(tmp_path: Path, fault: Exception) -> None:
    lake = Lake(tmp_path)
    lake.write(part(1), *PLACE)

    def parts() -> Iterator[pl.DataFrame]:
        yield part(2)
        raise fault

    with pytest.raises(type(fault)) as raised:
        lake.write_parts(parts(), ["day"], *PLACE)
    assert raised.value is fault
    assert lake.read(*PLACE).equals(part(1))
    assert [path.name for path in lake.path(*PLACE).parent.iterdir()] == ["2026-04.parquet"]
