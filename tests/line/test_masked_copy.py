"""The masked copy of a region that has run names nobody whom any of its delivered files or tables names."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from home_warehouse import address, query
from line_world import Finished

from kinerja_pipeline.warehouse.masking import export_masked


def test_no_number_and_no_name_of_the_region_stands_in_the_copy(
    finished: Callable[[str], Finished], tmp_path: Path
) -> None:
    home = finished("manokwari").home
    export_masked(address(home), tmp_path / "copy.db", "a key of the tests, known to everybody")
    names = {str(name) for (name,) in query(home, "SELECT name FROM employee")}
    numbers = {str(n) for (n,) in query(home, "SELECT nip FROM employee UNION SELECT nip FROM attendance_day")}
    files = [p.read_bytes() for p in (home.landing / "manokwari").rglob("*") if p.suffix in (".csv", ".jsonl", ".dat")]
    numbers |= {found.decode() for file in files for found in re.findall(rb"\b[0-9]{18}\b", file)}
    copy = (tmp_path / "copy.db").read_bytes()
    assert len(numbers) > 5
    assert [secret for secret in names | numbers if secret.encode() in copy] == []
