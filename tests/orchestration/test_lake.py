"""The lake: whole files, whether they are written at once or part by part."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from kinerja_pipeline.orchestration import storage
from kinerja_pipeline.orchestration.storage import Lake

PLACE = ("facts", "attendance_day", "salor", "2026-04")


def part(*days: int) -> pl.DataFrame:
    return pl.DataFrame({"nip": [f"n{day}" for day in days], "day": days}, schema={"nip": pl.String, "day": pl.Int64})


def test_parts_are_one_file_in_their_order_and_what_is_told_of_each_comes_back(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    told = lake.write_parts(iter([part(3, 1), part(), part(2)]), lambda rows: rows["day"].to_list(), *PLACE)
    assert told == [[3, 1], [], [2]]
    assert lake.read(*PLACE).equals(part(3, 1, 2))


def test_a_table_is_read_in_parts_that_lose_no_row_and_keep_the_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "PART_ROWS", 2)
    lake = Lake(tmp_path)
    lake.write(part(5, 4, 3), *PLACE)
    lake.write(part(2, 1), *PLACE[:3], "2026-05")
    found = [rows["day"].to_list() for rows in lake.read_parts(*PLACE[:3], ["2026-04", "2026-05"], columns=["day"])]
    assert found == [[5, 4], [3, 2], [1]]


def test_a_table_without_rows_is_one_part_that_has_its_columns(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write(part(), *PLACE)
    assert [rows.schema for rows in lake.read_parts(*PLACE)] == [part().schema]


@pytest.mark.parametrize("fault", [ValueError("no more days"), OSError(errno.ENOSPC, "No space left on device")])
def test_what_goes_wrong_in_a_part_is_raised_as_it_is_and_leaves_the_old_file(tmp_path: Path, fault: Exception) -> None:
    lake = Lake(tmp_path)
    lake.write(part(1), *PLACE)

    def parts() -> Iterator[pl.DataFrame]:
        yield part(2)
        raise fault

    with pytest.raises(type(fault)) as raised:
        lake.write_parts(parts(), len, *PLACE)
    assert raised.value is fault
    assert lake.read(*PLACE).equals(part(1))
    assert [path.name for path in lake.path(*PLACE).parent.iterdir()] == ["2026-04.parquet"]
