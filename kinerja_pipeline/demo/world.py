"""Writes the demo world: the files of five regions in a home's landing folder, the same bytes and times for a seed.

Here: the public entry, writing files once, the summary of what was planted. Not here: what is in the files.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.demo.damage import BAD_ROWS
from kinerja_pipeline.demo.deliveries import RegionWorld, deliveries_of, region_world
from kinerja_pipeline.demo.formats import Supplier, file_bytes, id_file_bytes
from kinerja_pipeline.demo.people import Part
from kinerja_pipeline.demo.regions import REGIONS
from kinerja_pipeline.demo.rows import Delivery
from kinerja_pipeline.demo.surveys import SKM, answer_labels
from kinerja_pipeline.demo.workdays import month_range
from kinerja_pipeline.home import Home
from kinerja_pipeline.policies.loader import load_policies


@dataclass(frozen=True, slots=True)
class FileSummary:
    """One delivered file: `landed` rows after the declared reshape, and how many of them a pipeline must reject
    (`planted`, by kind) or supersede once every file has landed."""

    feed: str
    path: str
    landed: int
    superseded: int
    set_aside: int
    planted: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RegionSummary:
    """What one region delivered, and who in it plays a part worth looking for."""

    region: str
    employee_count: int
    unit_count: int
    files: tuple[FileSummary, ...]
    parts: Mapping[Part, tuple[str, ...]]

    def landed(self, feed: str) -> int:
        return sum(f.landed for f in self.files if f.feed == feed)

    def superseded(self, feed: str) -> int:
        return sum(f.superseded for f in self.files if f.feed == feed)

    def planted(self, feed: str) -> dict[str, int]:
        """Wrong rows by kind (damage.BAD_ROWS names the rule of each)."""
        total: Counter[str] = Counter()
        for file in self.files:
            if file.feed == feed:
                total.update(file.planted)
        return dict(sorted(total.items()))

    def rejected(self, feed: str) -> dict[str, int]:
        """Rows that must be rejected, by rule."""
        total: Counter[str] = Counter()
        for kind, count in self.planted(feed).items():
            total[BAD_ROWS[kind]] += count
        return dict(sorted(total.items()))


DEMO_MONTHS = ("2026-01", "2026-06")
"""First and last month of the world; measurements that grow go a year further back."""


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """What was planted in each region; `written` files were new or had changed, `unchanged` were there already."""

    regions: Mapping[str, RegionSummary]
    months: tuple[str, ...]
    written: int
    unchanged: int


def write_world(
    home: Home,
    *,
    employees_per_region: int = 300,
    months: tuple[str, str] = DEMO_MONTHS,
    seed: int = 2026,
    progress: Callable[[str], None] | None = None,
) -> WorldSummary:
    """Writes every region's files under `home.landing/<region>/<feed>/`, with the times at which they would arrive.

    The files follow the packaged policies, whatever the home overrides. A file that is there with the same bytes is
    left alone, so a second call changes nothing. `progress` is told each region and feed as it begins.
    """
    policies, contracts = load_policies(), load_contracts().incoming
    every_month = month_range(*months)
    regions: dict[str, RegionSummary] = {}
    written = unchanged = 0
    for region in REGIONS:
        policy = policies[region.region]
        files: list[FileSummary] = []
        world = region_world(region, policy, contracts, every_month, employees_per_region, seed)
        for delivery, path in _paths(home, world, progress):
            data = _delivery_bytes(world, delivery, contracts)
            is_new = _write_once(path, data, delivery.received_at.timestamp())
            written, unchanged = written + is_new, unchanged + (not is_new)
            files.append(_file_summary(delivery, f"{delivery.feed}/{delivery.file_name}"))
        _write_id_files(home, world)
        parts = {part: tuple(p.nip for p in world.people if p.part == part) for part in Part.__args__}  # type: ignore[attr-defined]
        regions[region.region] = RegionSummary(region.region, len(world.people), len(region.units), tuple(files), parts)
    return WorldSummary(regions, tuple(every_month), written, unchanged)


def _paths(home: Home, world: RegionWorld, progress: Callable[[str], None] | None) -> Iterable[tuple[Delivery, Path]]:
    feed = ""
    for delivery in deliveries_of(world):
        if progress is not None and delivery.feed != feed:
            progress(f"{world.region.region}: {delivery.feed}")
        feed = delivery.feed
        yield delivery, home.landing / world.region.region / delivery.feed / delivery.file_name


def _delivery_bytes(world: RegionWorld, delivery: Delivery, contracts: Mapping[str, Contract]) -> bytes:
    mapping = world.mapping(delivery.feed, delivery.file_name)
    supplier = Supplier(world.region, world.policy.zone)
    return file_bytes(supplier, mapping, contracts[delivery.feed], delivery.rows)


def _write_id_files(home: Home, world: RegionWorld) -> None:
    """The id files that mappings look up, as old as the first delivery."""
    for mapping in world.policy.feeds["feedback_response"]:
        for lookup in mapping.lookup:
            data = id_file_bytes(answer_labels(world.policy.surveys[SKM]))
            at = world.arrival(world.days.months[0], 2, 7).timestamp()
            _write_once(home.landing / world.region.region / "lookup" / lookup.file, data, at)


def _write_once(path: Path, data: bytes, modified: float) -> bool:
    """Writes the file beside itself and renames it, unless the same bytes are there; whether it was written."""
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # A landing run that looks meanwhile must not find half a file under a name it reads.
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(data)
    os.utime(beside, (modified, modified))
    beside.replace(path)
    return True


def _file_summary(delivery: Delivery, path: str) -> FileSummary:
    return FileSummary(
        delivery.feed, path, delivery.landed, delivery.superseded, delivery.set_aside, dict(delivery.planted)
    )
