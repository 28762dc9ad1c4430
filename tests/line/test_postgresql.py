"""The same command publishes to PostgreSQL, and the same content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from line_world import MONTHLY, TODAY, Finished, hashes, home_with, kinerja, run, succeeded

from kinerja_pipeline.warehouse.database import open_warehouse


@pytest.mark.scenario
def test_a_month_published_to_postgresql_has_the_hashes_it_has_in_sqlite(
    finished: Callable[[str], Finished], world: Path, tmp_path: Path, postgresql_url: str
) -> None:
    home = home_with(tmp_path / "home", world, "salor")
    address = postgresql_url.replace("postgresql+psycopg", "postgresql")
    succeeded(run(home, "--region", "salor", "--month", "2026-02", KINERJA_WAREHOUSE_URL=address))
    assert not home.warehouse.exists()
    wanted = hashes(finished("salor").home, "salor")
    registers = {("region", ""), ("indicator", ""), ("employee", ""), ("org_unit", "")}
    # The list of deliveries is complete only when all their months have been judged.
    month = {key for key in wanted if key[1] == "2026-02"} | registers
    found = hashes(postgresql_url, "salor")
    assert {key: found.get(key) for key in month} == {key: wanted[key] for key in month}
    assert len(month) == len(MONTHLY) + len(registers)

    told = succeeded(kinerja(home, "status", KINERJA_WAREHOUSE_URL=address))
    assert "salor" in told
    assert "2026-02" in told
    engine = open_warehouse(postgresql_url)
    with engine.connect() as connection:
        last = connection.scalar(sa.text("SELECT max(work_date) FROM reporting.attendance_day"))
    engine.dispose()
    assert str(last) == "2026-02-28" < TODAY
