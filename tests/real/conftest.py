"""Real files, where KINERJA_REAL_DATA points at their folder; elsewhere these tests are not collected.

The files are never part of the repository. What the offices' own registers would say (who holds which PIN) is invented
here: every NIP, name and unit below is made up, only the PINs are those of the files.
"""

from __future__ import annotations

import csv
import datetime as dt
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from real_files import POLICIES, REAL_FILES, lines, records

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.landing.deliveries import LandingReport, land_region
from kinerja_pipeline.policies.loader import load_policies

DATA = os.environ.get("KINERJA_REAL_DATA")
collect_ignore = [] if DATA else [p.name for p in Path(__file__).parent.glob("test_*.py")]


@pytest.fixture(scope="session")
def data() -> Path:
    assert DATA is not None
    return Path(DATA)


def invented_nip(number: int) -> str:
    """Born 1980-01-01, appointed January 2005, a man, serial 001 and so on: nobody's number."""
    return f"198001012005011{number:03d}"


@pytest.fixture(scope="session")
def home(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home that received every real file, in the order of the dates that their names carry."""
    home = Home(tmp_path_factory.mktemp("real") / "home")
    init_home(home)
    for region, (feed, files) in REAL_FILES.items():
        folder = home.landing / region / feed
        folder.mkdir(parents=True)
        for position, name in enumerate(files):
            copy = Path(shutil.copy(data / name, folder))
            arrived = dt.datetime(2022, 4, 1, 8, position, tzinfo=dt.UTC).timestamp()
            os.utime(copy, (arrived, arrived))
    roster = [int(row["SCANNER ID"]) for row in records(data / "attendance/office_scanner/roster.csv")]
    _write_registers(home, "office", "1", dt.date(2020, 1, 1), roster)
    shop = {int(line.split("\t")[0]) for name in REAL_FILES["shop"][1] for line in lines(data / name)}
    _write_registers(home, "shop", "shop", dt.date(2016, 1, 1), sorted(shop))
    return home


def _write_registers(home: Home, region: str, device: str, since: dt.date, pins: Iterable[int]) -> None:
    people = [(pin, invented_nip(number)) for number, pin in enumerate(dict.fromkeys(pins), start=1)]
    _write(home, region, "org_unit", ["unit_id", "valid_from", "name"], [["unit", since, "Unit"]])
    _write(
        home,
        region,
        "device_pin",
        ["device_id", "pin", "valid_from", "nip"],
        [[device, pin, since, nip] for pin, nip in people],
    )
    _write(
        home,
        region,
        "employee",
        ["nip", "assignment_code", "valid_from", "name", "employment_status", "unit_id", "position_level"],
        [[nip, "utama", since, f"Pegawai {pin}", "pns", "unit", "pelaksana"] for pin, nip in people],
    )


def _write(home: Home, region: str, feed: str, header: list[str], rows: Iterable[Iterable[object]]) -> None:
    path = home.landing / region / feed / f"{feed}.csv"
    path.parent.mkdir(parents=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    arrived = dt.datetime(2022, 4, 1, tzinfo=dt.UTC).timestamp()
    os.utime(path, (arrived, arrived))


@pytest.fixture(scope="session")
def landed(home: Home) -> Callable[[str], LandingReport]:
    """Lands a region once, and gives the report of that landing."""
    policies = load_policies(POLICIES)
    reports: dict[str, LandingReport] = {}

    def land(region: str) -> LandingReport:
        if region not in reports:
            reports[region] = land_region(home, region, policies[region], load_contracts())
        return reports[region]

    return land
