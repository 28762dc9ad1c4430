"""One trial of many spoiled files: lays them into a home, lands them, splits what landed, and counts another way.

Here: what was seen of each case, as numbers. Not here: how files are spoiled (bad_input), what must hold
(test_bad_input).
"""

from __future__ import annotations

import contextlib
import csv
import faulthandler
import io
import os
import random
import re
import resource
import shutil
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
from bad_input import KINDS, Good, Size, spoiled_name, spoiled_page

from kinerja_pipeline.contracts.model import ContractError, Contracts, contracts_folder, load_contracts, read_contract
from kinerja_pipeline.demo.world import write_world
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.landing.deliveries import deliveries, land_region
from kinerja_pipeline.landing.landed import scan_landed
from kinerja_pipeline.landing.ledger import Delivery, read_ledger
from kinerja_pipeline.plain import visible
from kinerja_pipeline.policies.loader import PolicyError, load_policies
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated.corrections import CorrectionError, read_register
from kinerja_pipeline.validated.split import split

ARRIVED = 1_775_000_000
FAULT = "a fault of this program"


@dataclass(slots=True)
class Seen:
    """What was seen of one kind of fault."""

    trials: int = 0
    refused: int = 0
    landed: int = 0
    lost_rows: int = 0
    tracebacks: list[str] = field(default_factory=list)
    longest: float = 0.0
    peak_megabytes: int = 0

    def add(self, other: Seen) -> None:
        for name in ("trials", "refused", "landed", "lost_rows", "tracebacks"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.longest = max(self.longest, other.longest)
        self.peak_megabytes = max(self.peak_megabytes, other.peak_megabytes)


class Meter:
    """Seconds and peak memory since the last look, this process and those it waited for; ends a process that hangs."""

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self.restart()

    def restart(self) -> None:
        if self.limit:
            faulthandler.dump_traceback_later(self.limit, exit=True)
            Path("/proc/self/clear_refs").write_text("5")
        self.started = time.perf_counter()

    def look(self) -> tuple[float, int]:
        seconds = time.perf_counter() - self.started
        peak = 0
        if self.limit:
            status = Path("/proc/self/status").read_text()
            peak = int(re.search(r"VmHWM:\s+(\d+)", status)[1]) // 1024  # type: ignore[index]
            peak = max(peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
        self.restart()
        return seconds, peak


# ---- the good files --------------------------------------------------------------------------------------------------


def good_files(folder: Path) -> dict[str, list[Good]]:
    """The demo world's files of one month, by region."""
    home = Home(folder / "good")
    init_home(home)
    write_world(home, employees_per_region=5, months=("2026-01", "2026-01"))
    found: dict[str, list[Good]] = {}
    for region, policy in load_policies().items():
        for path in sorted((home.landing / region).glob("*/*")):
            feed = path.parent.name
            mapping = next((m for m in policy.feeds.get(feed, []) if fnmatchcase(path.name, m.files)), None)
            if mapping is not None:
                found.setdefault(region, []).append(Good(feed, path.name, path.read_bytes(), mapping))
    return found


# ---- files -----------------------------------------------------------------------------------------------------------


def trial_of_files(
    folder: Path,
    region: str,
    good: list[Good],
    seeds: range,
    size: Size,
    told: Callable[[int, str], None],
    limit: float | None,
) -> dict[str, Seen]:
    """Spoils one file per seed, lands them all in one home, splits every feed. `told` hears how far it has come."""
    policy, contracts = load_policies()[region], load_contracts()
    home = Home(folder / f"{region}-{seeds.start}")
    init_home(home)
    outside = folder / "outside.csv"
    outside.write_bytes(b"nip,secret\n1,2\n")
    lookup = folder / "good" / "landing" / region / "lookup"
    if lookup.is_dir():
        shutil.copytree(lookup, home.landing / region / "lookup")
    cases: dict[str, tuple[str, Good]] = {}
    for number in seeds:
        rng = random.Random(number)
        one = _drawn(good, rng)
        place = home.landing / region / one.feed / f"{number:06d}"
        place.mkdir(parents=True)
        kind = rng.choice([*KINDS[one.mapping.reader], "names, links, clocks"])
        told(number, f"{kind} of {one.feed}/{one.name}")
        cases[place.name] = kind, one
        if kind == "names, links, clocks":
            path = spoiled_name(place, one, rng, outside)
        else:
            path = place / one.name
            path.write_bytes(KINDS[one.mapping.reader][kind](one, rng, size))
        if path.is_file() and not path.is_symlink() and kind != "names, links, clocks":
            os.utime(path, (ARRIVED + number, ARRIVED + number))
    seen = {kind: Seen() for kind, _ in cases.values()}
    for kind, _ in cases.values():
        seen[kind].trials += 1
    meter = Meter(limit)

    def after(text: str) -> None:
        kind, _ = cases[text.split("/")[1]]
        told(-1, text)
        seconds, peak = meter.look()
        seen[kind].longest = max(seen[kind].longest, seconds)
        seen[kind].peak_megabytes = max(seen[kind].peak_megabytes, peak)

    land_region(home, region, policy, contracts, after)
    split_by = _split_all(home, region, policy, contracts)
    for line in {d.file_name: d for d in read_ledger(home.landing / region)}.values():
        kind, one = cases[line.file_name.split("/")[1]]
        _judge(
            seen[kind], line, home.landing / region / line.file_name, one, split_by.get((line.feed, line.delivery_id))
        )
    faulthandler.cancel_dump_traceback_later()
    shutil.rmtree(home.root)
    return seen


def _drawn(good: list[Good], rng: random.Random) -> Good:
    """A file, every format as often as any other but Parquet, which takes a process each."""
    readers = sorted({g.mapping.reader for g in good})
    weights = [1 if r == "parquet" else 6 for r in readers]
    (reader,) = rng.choices(readers, weights)
    return rng.choice([g for g in good if g.mapping.reader == reader])


def _split_all(home: Home, region: str, policy: Policy, contracts: Contracts) -> dict[tuple[str, str], Counter[str]]:
    """Rows by delivery: landed (in the lake's files), valid, rejected, superseded (in the frames), told (the tally)."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    arrivals = deliveries(home, region)
    for feed in policy.feeds:
        landed = scan_landed(home, region, feed, None)
        if not landed.height:
            continue
        contract = contracts.incoming[feed]
        result = split(landed, contract, zone=policy.time_zone, references={}, deliveries=arrivals)
        frames = {"landed": landed, "valid": result.valid, "rejected": result.rejected, "superseded": result.superseded}
        for name, frame in frames.items():
            for delivery, count in frame.group_by("_delivery_id").len().iter_rows():
                counts.setdefault((feed, delivery), Counter())[name] = count
        for row in result.tally.filter(pl.col("rule_id") == "all").iter_rows(named=True):
            names = ("landed", "valid", "rejected", "superseded")
            counts[feed, row["delivery_id"]]["told"] = sum(row[f"{n}_count"] for n in names[1:])
            assert all(row[f"{n}_count"] == counts[feed, row["delivery_id"]][n] for n in names), row
    return counts


def _judge(seen: Seen, line: Delivery, path: Path, one: Good, split_by: Counter[str] | None) -> None:
    if line.status_code == "refused":
        seen.refused += 1
        reason, name = line.reason or "", visible(line.file_name)
        is_sentence = reason.startswith((f"{name}, ", f"{name}: ", "lookup/")) and reason.endswith((".", "?"))
        if FAULT in reason or not is_sentence or visible(reason) != reason:
            seen.tracebacks.append(reason)
        return
    seen.landed += 1
    assert line.row_count is not None
    assert line.file_row_count is not None
    in_split = split_by or Counter()
    ended = in_split["valid"] + in_split["rejected"] + in_split["superseded"]
    counts = {line.row_count, sum(line.months.values()), in_split["landed"], ended, in_split["told"]}
    lost = max(counts) - min(counts)
    with contextlib.suppress(OSError, ValueError):
        lost += abs((rows_in(path.read_bytes(), one) or line.file_row_count) - line.file_row_count)
    seen.lost_rows += lost
    if lost:
        seen.tracebacks.append(f"{line.file_name}: {lost} rows lost: {counts}, file {line.file_row_count}")


def rows_in(data: bytes, good: Good) -> int | None:
    """How many rows a person counts in the file; None where that is a matter of opinion (quotes that never close)."""
    reader, blank = good.mapping.reader, " \t\r\0\x1a"
    if reader == "parquet":
        return pl.read_parquet(io.BytesIO(data)).height
    if reader == "xlsx":
        return _sheet_rows(data, good)
    text = data.decode("utf-8" if reader == "attlog" else good.encoding, "replace").removeprefix("\ufeff")
    if good.encoding == "cp1252":
        with contextlib.suppress(UnicodeDecodeError):
            text = data.decode("utf-8-sig")
    lines = text.split("\n") if "\n" in text or reader != "csv" else text.split("\r")
    if reader != "csv":
        return sum(bool(line.strip(blank)) for line in lines)
    if '"' in text:
        return None
    names = good.mapping.column_names or next(csv.reader(_lines_of(good)[good.head - 1 :], delimiter=good.delimiter))
    needed = {" ".join(name.split()) for name in names}
    places = [n for n, line in enumerate(lines) if needed <= {" ".join(c.split()) for c in line.split(good.delimiter)}]
    ordered = sorted(places, key=lambda n: (n != good.head - 1, n))
    start = good.head if good.mapping.column_names else ordered[0] + 1 if ordered else good.head
    return sum(bool(line.replace(good.delimiter, "").strip(blank)) for line in lines[start:])


def _lines_of(good: Good) -> list[str]:
    return good.data.decode(good.encoding).removeprefix("\ufeff").splitlines()


def _sheet_rows(data: bytes, good: Good) -> int | None:
    """Rows with text below the header of a workbook with one sheet; None where rows carry no numbers."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    sheets = [n for n in archive.namelist() if n.startswith("xl/worksheets/sheet")]
    if len(sheets) != 1 or good.mapping.sheet_as:
        return None
    names = [n for n in archive.namelist() if n == "xl/sharedStrings.xml"]
    mark = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    texts = ["".join(si.itertext()) for n in names for si in ElementTree.fromstring(archive.read(n)).iter(f"{mark}si")]
    filled: set[int] = set()
    for row in ElementTree.fromstring(archive.read(sheets[0])).iter(f"{mark}row"):
        for cell in row.iter(f"{mark}c"):
            place = re.fullmatch(r"[A-Z]+(\d+)", cell.get("r", ""))
            if place is None:
                return None
            value = "".join(cell.itertext())
            if cell.get("t") == "s":
                value = texts[int(value)] if value.isdecimal() and int(value) < len(texts) else value
            if value.strip():
                filled.add(int(place[1]))
    if not texts or good.mapping.header_row not in filled:
        return None
    return sum(row > good.mapping.header_row for row in filled)


# ---- pages -----------------------------------------------------------------------------------------------------------


REGISTER = """\
corrections:
  - feed: training_record
    where: {nip: "199001012020011001", programme_id: D-1, completed_date: 2026-02-03}
    column: hours
    expected: 80
    value: 8
    reason: salah ketik
    owner: Kepala Diklat
    date: 2026-03-01
  - feed: attendance_log
    file: attendance_log/2026-02_attlog.dat
    row: 14
    action: drop
    column: pin
    expected: "51"
    reason: uji coba mesin
    owner: Kepala Diklat
    date: 2026-03-02
"""


def trial_of_pages(
    folder: Path, seeds: range, size: Size, told: Callable[[int, str], None], limit: float | None
) -> dict[str, Seen]:
    """Spoils one policy, contract or register of corrections per seed, and reads it as every command does."""
    seen: dict[str, Seen] = {}
    contracts = load_contracts()
    policies = sorted(p for p in Path(load_policies.__code__.co_filename).parent.glob("*.yaml"))
    incoming = sorted((contracts_folder() / "incoming").glob("*.odcs.yaml"))
    outgoing = sorted((contracts_folder() / "outgoing").glob("*.odcs.yaml"))
    meter = Meter(limit)
    for number in seeds:
        rng = random.Random(number)
        place = folder / f"pages-{number}"
        place.mkdir()
        source = rng.choice([rng.choice(policies), rng.choice(incoming), rng.choice(outgoing), None])
        text = REGISTER if source is None else source.read_text(encoding="utf-8")
        kind, data = spoiled_page(text, rng, size)
        told(number, f"{kind} of {source}")
        path = place / (source.name if source else "salor.yaml")
        path.write_bytes(data)
        one = Seen(trials=1)
        meter.restart()
        try:
            if source is None:
                read_register(path, contracts.incoming)
            elif source in policies:
                load_policies(place)
            else:
                read_contract(path, "incoming" if source in incoming else "outgoing")
            one.landed = 1
        except (PolicyError, ContractError, CorrectionError) as refusal:
            one.refused = 1
            if path.name not in str(refusal) and "yaml" not in str(refusal):
                one.tracebacks.append(f"{number}: {refusal}")
        except Exception as problem:
            one.tracebacks.append(f"{number} {kind} of {path.name}: {type(problem).__name__}: {problem}"[:300])
        one.longest, one.peak_megabytes = meter.look()
        seen.setdefault(f"{kind} (page)", Seen()).add(one)
        shutil.rmtree(place)
    faulthandler.cancel_dump_traceback_later()
    return seen


def together(parts: list[Mapping[str, Seen]]) -> dict[str, Seen]:
    whole: dict[str, Seen] = {}
    for part in parts:
        for kind, seen in part.items():
            whole.setdefault(kind, Seen()).add(seen)
    return dict(sorted(whole.items()))
