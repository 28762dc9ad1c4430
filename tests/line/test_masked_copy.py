"""The masked copy of a region that has run names nobody whom any of its delivered files or tables names."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from line_world import Finished

from kinerja_pipeline.warehouse.masking import export_masked


def test_no_number_and_no_name_of_the_region_stands_in_the_copy(
    finished: Callable[[str], Finished], tmp_path: Path
) -> None:
    home = finished("manokwari").home
    export_masked(f"sqlite:///{home.warehouse}", tmp_path / "copy.db", "a key of the tests, known to everybody")
    with closing(sqlite3.connect(f"file:{home.warehouse}?mode=ro", uri=True)) as warehouse:
        names = {name for (name,) in warehouse.execute("SELECT name FROM employee")}
        numbers = {nip for (nip,) in warehouse.execute("SELECT nip FROM employee UNION SELECT nip FROM attendance_day")}
    files = [p.read_bytes() for p in (home.landing / "manokwari").rglob("*") if p.suffix in (".csv", ".jsonl", ".dat")]
    numbers |= {found.decode() for file in files for found in re.findall(rb"\b[0-9]{18}\b", file)}
    copy = (tmp_path / "copy.db").read_bytes()
    assert len(numbers) > 5
    assert [secret for secret in names | numbers if secret.encode() in copy] == []
