"""A home of two or one made-up regions, two months, twelve employees each, and what one asks of it.

The whole line runs here as it does for an operator: files, the command line, Dagster, the lake, the warehouse.
"""

from __future__ import annotations

import dataclasses
import fcntl
import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from home_warehouse import address, has_table, query

from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.demo.world import RegionSummary, write_world
from kinerja_pipeline.facts.periods import periods_of
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.warehouse.database import open_warehouse
from kinerja_pipeline.warehouse.status import content_hashes

TODAY = "2026-04-10"
MONTHS = ("2026-02", "2026-03")
REGIONS = ("mamuju", "manokwari", "nanggalo", "pariaman", "salor")
TOGETHER = ("manokwari", "pariaman")
"""These two share a home; each of the others has one of its own, so that the workers of a test run share the work."""

IN_SCENARIOS = ("mamuju", "nanggalo")
"""Their months are computed where all scenarios are."""


def of_regions(*rows: Any) -> list[Any]:
    """Cases of a test, each a region or one with more; those of the regions IN_SCENARIOS are scenarios."""
    cases = [row if isinstance(row, tuple) else (row,) for row in rows]
    return [pytest.param(*c, marks=pytest.mark.scenario if c[0] in IN_SCENARIOS else ()) for c in cases]


WITH_LONGER_PERIODS = ("kpi", "evaluation", "unit_evaluation", "satisfaction_element", "satisfaction_index")
"""Tables of the lake whose files hold the longer periods beside their month."""
TABLES = tuple(name for name in load_contracts().outgoing if name not in ("publication", "restatement"))
MONTHLY = tuple(name for name in TABLES if "period" in load_contracts().outgoing[name].names)


@dataclasses.dataclass(frozen=True, slots=True)
class Finished:
    """A home after one `kinerja run --all`, the exit code and text of that run, and what the world says it planted.
    Tests only read it, or copy it."""

    home: Home
    exit_code: int
    output: str
    planted: RegionSummary


def kinerja(home: Home, *arguments: str, **environment: str) -> Result:
    """`kinerja <arguments>` in this process, with the home in the environment."""
    settings = {"KINERJA_HOME": str(home.root), "KINERJA_WAREHOUSE_URL": address(home), **environment}
    return CliRunner().invoke(main, arguments, env=settings)


def run(home: Home, *arguments: str, **environment: str) -> Result:
    return kinerja(home, "run", *arguments, "--today", TODAY, **environment)


def succeeded(result: Result) -> str:
    """What the command printed, when it ended well."""
    assert (result.exit_code, result.exception) == (0, None), f"{result.output}\n{result.exc_info}"
    return result.output


def home_with(root: Path, world: Path, *regions: str) -> Home:
    """A new home with the world's files of these regions, as old as they were delivered."""
    home = Home(root)
    init_home(home)
    for region in regions:
        shutil.copytree(world / region, home.landing / region)
    return home


def hashes(home: Home | str, region: str) -> dict[tuple[str, str], str]:
    """Content hash by table and period, of a home's warehouse or of the one at an address."""
    engine = open_warehouse(home if isinstance(home, str) else address(home))
    found = content_hashes(engine).filter(pl.col("region") == region)
    engine.dispose()
    return {(table, period): digest for _, table, period, digest in found.iter_rows()}


def lake_files(home: Home) -> dict[str, str]:
    """Every file of the lake, with a digest of its bytes. Of indicators, evaluations and satisfaction only the month
    itself counts: the quarter and year beside it, the list of programmes, what was noted, and what was found of
    published tables, are those of the moment.
    """
    own = {"training_programme", "basis", "shared_keys", "reported", "registers", "published"}
    files = [p for p in sorted(home.lake.rglob("*")) if p.is_file() and not own & set(p.parts)]
    return {str(p.relative_to(home.lake)): _digest(p) for p in files}


def _digest(path: Path) -> str:
    data = path.read_bytes()
    if path.parts[-3] in WITH_LONGER_PERIODS:
        frame = pl.read_parquet(path).filter(pl.col("period") == path.stem)
        data = frame.write_ndjson().encode()
    return hashlib.sha256(data).hexdigest()


def torn_publications(home: Home, region: str) -> list[str]:
    """What a reader would see of a publication that is there in part: nothing, ever."""
    if not has_table(home, "publication"):
        return []
    ledger = query(
        home,
        f"""SELECT table_name, period, row_count FROM publication p WHERE region = '{region}' AND publication_id =
        (SELECT max(publication_id) FROM publication l
         WHERE (l.region, l.table_name, l.period) = (p.region, p.table_name, p.period))""",
    )
    promised = {(str(table), str(period)): count for table, period, count in ledger}
    problems = []
    for table in TABLES:
        column = "period" if table in MONTHLY else "''"
        found = query(home, f"SELECT {column}, count(*) FROM {table} WHERE region = '{region}' GROUP BY 1")
        seen = {(table, str(period)): count for period, count in found}
        known = {key: count for key, count in promised.items() if key[0] == table and count}
        problems += [f"{table}: ledger {known}, table {seen}"] if seen != known else []
    for month in {period for _, period in promised if period in MONTHS}:
        expected = {(t, month) for t in MONTHLY} | {(t, "") for t in TABLES if t not in MONTHLY}
        expected |= {("kpi", period) for period in periods_of(month).values()}
        problems += [f"{month}: {sorted(expected - promised.keys())} are not published"] * (expected > promised.keys())
    return problems


def once(place: Path, make: Callable[[Path], None]) -> Path:
    """`place`, made by whichever worker of the test run comes first; the others wait for it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            beside = place.with_suffix(".new")
            shutil.rmtree(beside, ignore_errors=True)
            beside.mkdir()
            make(beside)
            beside.rename(place)
    return place


def write_small_world(home: Home) -> dict[str, RegionSummary]:
    """The world's files without the figures of the year before, whose months nothing else speaks of."""
    init_home(home)
    summary = write_world(home, employees_per_region=12, months=(MONTHS[0], MONTHS[-1]))
    regions = {}
    for name, region in summary.regions.items():
        before = [f for f in region.files if "/capaian_2025." in f.path]
        for file in before:
            (home.landing / name / file.path).unlink()
        regions[name] = dataclasses.replace(region, files=tuple(f for f in region.files if f not in before))
    return regions
