"""Landing a region's new files into the lake.

Here: finding files, landing or refusing each. Not here: reading landed rows back (landing/landed), the ledger's lines
(landing/ledger), the formats (landing/readers), the reshape (landing/reshape), and whether a row is right (validated/).
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import re
import stat
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import polars as pl

from kinerja_pipeline.contracts.model import Contract, Contracts
from kinerja_pipeline.facts.periods import add_months, month_end, month_of, month_start
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.landed import DATED, key_hashes, landed_file, months_with, region_folder
from kinerja_pipeline.landing.ledger import FIELDS, LEDGER, Delivery, append_delivery, in_force, read_ledger
from kinerja_pipeline.landing.readers import UnreadableFile, read_source
from kinerja_pipeline.landing.reshape import LandingError, Reshaped, reshape
from kinerja_pipeline.landing.versions import Reading, UnsupportedVersion, decides, named_version, reading_of
from kinerja_pipeline.orchestration.storage import whole_file
from kinerja_pipeline.plain import visible
from kinerja_pipeline.policies.mapping import FileMapping, Lookup, SetAside
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated.parsing import landing_month, parsed

READING = 1
"""To be increased when the readers or the reshape change the rows of a file: every file then lands again."""

_LAST_MOMENT = 253_370_764_800
"""The first second of the year 9999: a clock that is further off is taken for that."""
_IGNORED_FOLDERS = {"lookup"}
_TEMPORARY = (".part", ".tmp", ".crdownload", ".filepart")
_LOOKUP_READERS: dict[str, Literal["csv", "xlsx", "jsonl", "parquet"]] = {
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".jsonl": "jsonl",
    ".parquet": "parquet",
}


@dataclass(frozen=True, slots=True)
class LandingReport:
    """What one landing run did in a region: landed files, every refused file in words, files still being written."""

    region: str
    landed: tuple[Delivery, ...] = ()
    refused: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    known_count: int = 0
    touched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Months whose landed rows changed, by feed; `dated` for dated feeds."""

    @property
    def new_by_feed(self) -> dict[str, int]:
        return dict(Counter(d.feed for d in self.landed))


@dataclass(frozen=True, slots=True)
class _Found:
    """A file in the landing folder; `fault` says why it is not even opened."""

    path: Path
    name: str
    feed: str
    received_at: str
    fault: str | None


def land_region(
    home: Home,
    region: str,
    policy: Policy,
    contracts: Contracts,
    progress: Callable[[str], None] | None = None,
) -> LandingReport:
    """Lands every new or changed file of the region, refuses what cannot be read, and leaves the files where they are.

    The caller holds the region's lock. A run that is killed leaves at most Parquet files that the ledger does not name;
    the next run writes them again, identically.
    """
    folder = region_folder(home, region)
    ledger = read_ledger(folder)
    last = {d.file_name: d for d in ledger}
    last_of_bytes = {(d.file_name, d.delivery_id): d for d in ledger}
    sequence = max((d.sequence for d in ledger), default=0)
    landed: list[Delivery] = []
    refused: list[str] = []
    waiting: list[str] = []
    touched: dict[str, set[str]] = {}
    known = 0
    for found in _files(home, folder):
        data = _bytes(found)
        if data is None:
            waiting.append(visible(found.name))
            continue
        delivery_id = _identity(found, data)
        mapping, fingerprint = _mapping_of(found, folder, policy, contracts)
        before = last.get(found.name)
        is_known = before is not None and (before.delivery_id, before.fingerprint) == (delivery_id, fingerprint)
        if before and is_known and all(landed_file(home, region, before, m).is_file() for m in before.months):
            known += 1
            if before.status_code == "refused":
                refused.append(before.reason or "")
            continue
        # The same bytes under a changed mapping are the same delivery: it keeps its place and its arrival.
        again = before if before and before.delivery_id == delivery_id else None
        sequence += again is None
        start = _start(found, again, sequence, delivery_id, mapping, fingerprint)
        delivery, parts = _read_in(folder, found, data, start, mapping, policy, contracts)
        for month, part in parts.items():
            own = part.with_columns(pl.lit(delivery_id).alias("_delivery_id"))
            _write(own, landed_file(home, region, delivery, month))
        earlier = last_of_bytes.get((found.name, delivery_id))
        stale = set(earlier.months) - set(delivery.months) if earlier else set()
        append_delivery(folder, delivery)
        last[found.name] = last_of_bytes[found.name, delivery_id] = delivery
        same = [d for d in last_of_bytes.values() if (d.feed, d.delivery_id) == (found.feed, delivery_id)]
        for month in stale.difference(*(d.months for d in same)):
            landed_file(home, region, delivery, month).unlink(missing_ok=True)
        changed = stale | set(delivery.months)
        if changed:
            touched.setdefault(found.feed, set()).update(changed)
        if delivery.status_code == "landed":
            landed.append(delivery)
        else:
            refused.append(delivery.reason or "")
        if progress:
            outcome = f"{delivery.row_count} rows landed" if delivery.status_code == "landed" else "refused"
            progress(visible(f"{found.name}: {outcome}"))
    months = {feed: frozenset(names) for feed, names in touched.items()}
    return LandingReport(region, tuple(landed), tuple(refused), tuple(waiting), known, months)


def has_unread(home: Home, region: str, policy: Policy, contracts: Contracts) -> bool:
    """Whether landing would do anything: read a file, wait for one, or write again what the lake has lost."""
    folder = region_folder(home, region)
    last = {d.file_name: d for d in read_ledger(folder)}
    for found in _files(home, folder):
        data, before = _bytes(found), last.get(found.name)
        if data is None or before is None or before.delivery_id != _identity(found, data):
            return True
        is_read = before.fingerprint == _mapping_of(found, folder, policy, contracts)[1]
        if not is_read or not all(landed_file(home, region, before, m).is_file() for m in before.months):
            return True
    return False


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A file that landing would read now, as the line it would write; whether its bytes are known (then it is the
    mapping, the contract or an id file that changed); and the months in which keys of its rows stand already."""

    delivery: Delivery
    is_known: bool
    shared: frozenset[str]


def foresee(home: Home, region: str, policy: Policy, contracts: Contracts) -> list[Foreseen]:
    """What landing would do now, in its order. Nothing is written; files still being written are left out."""
    folder = region_folder(home, region)
    ledger = read_ledger(folder)
    last = {d.file_name: d for d in ledger}
    sequence = max((d.sequence for d in ledger), default=0)
    landed = [d for d in in_force(ledger) if d.status_code == "landed"]
    foreseen: list[tuple[Delivery, bool]] = []
    keys: dict[str, pl.Series] = {}
    for found in _files(home, folder):
        data = _bytes(found)
        if data is None:
            continue
        delivery_id = _identity(found, data)
        mapping, fingerprint = _mapping_of(found, folder, policy, contracts)
        before = last.get(found.name)
        is_known = before is not None and before.delivery_id == delivery_id
        if before and is_known and before.fingerprint == fingerprint:
            continue
        sequence += not is_known
        start = _start(found, before if is_known else None, sequence, delivery_id, mapping, fingerprint)
        line, parts = _read_in(folder, found, data, start, mapping, policy, contracts)
        if parts:
            keys[line.file_name] = key_hashes(parts.values(), contracts.incoming[found.feed])
        foreseen.append((line, is_known))
    shared = months_with(home, region, [line for line, _ in foreseen], lambda line: keys[line.file_name], landed)
    return [Foreseen(line, is_known, months) for (line, is_known), months in zip(foreseen, shared, strict=True)]


# ---- finding files ---------------------------------------------------------------------------------------------------


def _files(home: Home, folder: Path) -> list[_Found]:
    """Every delivered file of the region in the order of arrival, with what forbids opening it."""
    root = home.root.resolve()
    found: list[_Found] = []
    for place, folders, names in os.walk(folder, followlinks=False):
        here = Path(place)
        links = [n for n in folders if (here / n).is_symlink()]
        top = here == folder
        folders[:] = sorted(n for n in folders if not n.startswith(".") and not (top and n in _IGNORED_FOLDERS))
        for name in sorted([*names, *links]):
            if is_temporary(name) or (top and name == LEDGER):
                continue
            if top and name in _IGNORED_FOLDERS:
                continue
            path = here / name
            relative = path.relative_to(folder)
            shown = _shown(relative.as_posix())
            feed = "unknown" if top else _shown(relative.parts[0])
            at, fault = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), None
            try:
                status = path.stat()
                at = dt.datetime.fromtimestamp(min(int(status.st_mtime), _LAST_MOMENT), dt.UTC)
                if visible(shown) != shown:
                    fault = "its name holds characters that cannot be seen. Rename it"
                elif not path.resolve(strict=True).is_relative_to(root):
                    fault = "it is a link that leads outside the home. Deliver the file itself"
                elif path.is_symlink() and path.is_dir():
                    fault = "it is a link to a folder. Deliver the files themselves"
                elif not stat.S_ISREG(status.st_mode):
                    fault = "it is not a file that can be read. Deliver an ordinary file"
                elif top:
                    fault = f"it lies outside the feeds' folders. Move it to landing/{folder.name}/<feed>/"
                elif not os.access(path, os.R_OK):
                    fault = "this account may not read it. Allow reading and land again"
            except (OSError, RuntimeError):
                fault = "it is a link that leads nowhere. Deliver the file itself"
            found.append(_Found(path, shown, feed, at.isoformat(timespec="seconds"), fault))
    return sorted(found, key=lambda f: (f.received_at, f.name))


def _shown(name: str) -> str:
    """The name as text; bytes of another encoding stand as `\\xe9`, so that two such names stay two."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _lies_there(folder: Path, shown: str) -> bool:
    raw = re.sub(rb"\\x([89a-f][0-9a-f])", lambda found: bytes.fromhex(found[1].decode()), shown.encode())
    return os.path.lexists(folder / shown) or os.path.lexists(folder / os.fsdecode(raw))


def is_temporary(name: str) -> bool:
    """Whether the name says that a program is still writing, or keeps a note of its own."""
    return name.startswith((".", "~$")) or name.lower().endswith(_TEMPORARY)


def _bytes(found: _Found) -> bytes | None:
    """The file's bytes; None while it is still being written, or cannot be read right now."""
    if found.fault:
        return b""
    try:
        before = found.path.stat()
        data = found.path.read_bytes()
        after = found.path.stat()
    except OSError:
        return None  # Gone since it was found, or its disk does not answer.
    is_settled = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns) and len(
        data
    ) == after.st_size
    return data if is_settled else None


def _identity(found: _Found, data: bytes) -> str:
    # What is not opened has no bytes to tell it by; its name and fault do.
    return hashlib.sha256(f"{found.name}\0{found.fault}".encode() if found.fault else data).hexdigest()


def _mapping_of(found: _Found, folder: Path, policy: Policy, contracts: Contracts) -> tuple[FileMapping | None, str]:
    """The first mapping of the feed whose glob fits, and a fingerprint of all that decides how it is read."""
    mappings = policy.feeds.get(found.feed, [])
    within = found.name.partition("/")[2]
    names = {within.casefold(), within.rpartition("/")[2].casefold()}
    mapping = next((m for m in mappings if any(fnmatchcase(n, m.files.casefold()) for n in names)), None)
    contract = contracts.incoming.get(found.feed)
    deciding: dict[str, Any] = {
        "reading": READING,
        "mapping": _stated(mapping) if mapping else [_stated(m) for m in mappings],
        "feeds": None if mapping else sorted(policy.feeds),
        "columns": [f"{c.name}:{c.kind}:{c.is_required}:{c.pattern}:{c.strip}" for c in contract.columns]
        if contract
        else None,
        "month": [contract.month_from if contract else None, policy.time_zone, policy.first_month],
        "lookups": [_digest(_lookup_path(folder, k)) for k in mapping.lookup] if mapping else [],
    }
    if mapping and contract:
        with contextlib.suppress(UnsupportedVersion):
            deciding |= decides(contract, named_version(within, mapping))
    text = json.dumps(deciding, sort_keys=True, ensure_ascii=False)
    return mapping, hashlib.sha256(text.encode()).hexdigest()


def _stated(mapping: FileMapping) -> dict[str, Any]:
    page = mapping.model_dump(mode="json")
    # What came to the model later must not land every file again.
    return {name: value for name, value in page.items() if name != "contract_version" or value is not None}


def _lookup_path(folder: Path, lookup: Lookup) -> Path | None:
    """The id file inside landing/<region>/lookup; None where its name leads out of that folder or nothing is there."""
    place = folder / "lookup"
    path = place / lookup.file
    is_inside = path.resolve().is_relative_to(place.resolve()) and place.resolve().is_relative_to(folder.resolve())
    return path if is_inside and path.is_file() else None


def _digest(path: Path | None) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else None


# ---- landing one file ------------------------------------------------------------------------------------------------


def _start(
    found: _Found,
    again: Delivery | None,
    sequence: int,
    delivery_id: str,
    mapping: FileMapping | None,
    fingerprint: str,
) -> Delivery:
    """The ledger's line as far as it is known before the file is read; `again` is the line of the same bytes before."""
    return Delivery(
        sequence=again.sequence if again else sequence,
        delivery_id=delivery_id,
        feed=found.feed,
        file_name=found.name,
        received_at=again.received_at if again else found.received_at,
        status_code="refused",
        reason=None,
        file_row_count=None,
        row_count=None,
        set_aside={},
        months={},
        delivery_mode=mapping.delivery if mapping else None,
        delivery_scope=mapping.files if mapping else None,
        first_event_date=None,
        last_event_date=None,
        fingerprint=fingerprint,
    )


def _read_in(
    folder: Path,
    found: _Found,
    data: bytes,
    start: Delivery,
    mapping: FileMapping | None,
    policy: Policy,
    contracts: Contracts,
) -> tuple[Delivery, dict[str, pl.DataFrame]]:
    """The ledger's line, and the landed rows by month; none when the file is refused."""
    contract = contracts.incoming.get(found.feed)
    try:
        if found.fault:
            raise _Refusal(found.fault)
        if mapping is None or contract is None:
            raise _Refusal(_no_mapping(found, policy, contracts))
        reading = reading_of(contract, named_version(found.name.partition("/")[2], mapping))
        result = _read_as(reading, data, found.name, mapping, contract, folder)
        parts, span = _by_month(result.landed, contract, policy, start.received_at)
    except UnreadableFile as problem:
        return _refused(start, str(problem)), {}
    except (_Refusal, UnsupportedVersion) as problem:
        return _refused(start, f"{found.name}: {problem}."), {}
    except (LandingError, pl.exceptions.PolarsError) as problem:
        return _refused(start, f"{found.name}: a fault of this program, please report it: {problem}"), {}
    except (Exception, pl.exceptions.PanicException) as problem:
        # Whatever a file does to a reader, the other files of the region land. What stood in it stays out of the text.
        return _refused(start, f"{found.name}: a fault of this program, please report it: {_where(problem)}"), {}
    line = Delivery(
        **{
            **asdict(start),
            "status_code": "landed",
            "file_row_count": result.file_row_count,
            "row_count": result.landed.height,
            "set_aside": dict(result.set_aside),
            "months": {month: part.height for month, part in parts.items()},
            "first_event_date": span[0].isoformat() if span else None,
            "last_event_date": span[1].isoformat() if span else None,
            "contract_version": reading.version,
        }
    )
    return line, parts


def _read_as(
    reading: Reading, data: bytes, name: str, mapping: FileMapping, contract: Contract, folder: Path
) -> Reshaped:
    ids = {lookup.file: _lookup(folder, lookup, mapping, reading.contract) for lookup in mapping.lookup}
    result = reshape(read_source(data, name, mapping, reading.contract), mapping, reading.contract, ids)
    return replace(result, landed=reading.brought_forward(result.landed, contract))


class _Refusal(Exception):
    """Why a file is not read at all."""


def read_delivery(home: Home, policy: Policy, contract: Contract, file: Path) -> Reshaped:
    """What landing would make of `file` by its name and the region's mappings; nothing is written.

    Raises UnreadableFile.
    """
    name = file.name.casefold()
    mapping = next((m for m in policy.feeds.get(contract.name, []) if fnmatchcase(name, m.files.casefold())), None)
    if mapping is None:
        globs = ", ".join(f"'{m.files}'" for m in policy.feeds.get(contract.name, []))
        problem = f"the name fits none of the mappings of {contract.name} ({globs or 'none declared'})"
        raise UnreadableFile(
            file.name, "its name", problem, f"Rename it, or add a mapping to the policy of {policy.region}"
        )
    try:
        reading = reading_of(contract, named_version(f"{file.absolute().parent.name}/{file.name}", mapping))
    except UnsupportedVersion as problem:
        text, _, remedy = str(problem).partition(". ")
        raise UnreadableFile(file.name, "its version", text, remedy) from None
    return _read_as(reading, file.read_bytes(), file.name, mapping, contract, home.landing / policy.region)


def _refused(start: Delivery, reason: str) -> Delivery:
    return Delivery(**{**asdict(start), "reason": visible(reason)})


def _where(problem: BaseException) -> str:
    *_, last = traceback.extract_tb(problem.__traceback__)
    return f"{type(problem).__name__} in {Path(last.filename).name}, line {last.lineno}"


def _no_mapping(found: _Found, policy: Policy, contracts: Contracts) -> str:
    if found.feed not in contracts.incoming:
        known = ", ".join(sorted(policy.feeds)) or "none yet"
        return f"'{found.feed}' is no feed. Move it to a feed's folder (declared for this region: {known})"
    if not policy.feeds.get(found.feed):
        return f"the policy of {policy.region} declares no mapping for {found.feed}. Add one under feeds"
    globs = ", ".join(f"'{m.files}'" for m in policy.feeds[found.feed])
    return f"its name fits none of the mappings of {found.feed} ({globs}). Rename it, or add a mapping"


def _lookup(folder: Path, lookup: Lookup, mapping: FileMapping, contract: Contract) -> pl.DataFrame:
    """The id file as text. Raises UnreadableFile: an id file with a wrong row would give rows the wrong id."""
    name = f"lookup/{lookup.file}"
    path = _lookup_path(folder, lookup)
    if path is None:
        raise UnreadableFile(
            name, "the lookup folder", "there is no such file", f"Put it in landing/{folder.name}/lookup/"
        )
    reader = _LOOKUP_READERS.get(path.suffix.lower())
    if reader is None:
        known = ", ".join(_LOOKUP_READERS)
        raise UnreadableFile(name, "its name", f"the ending is not one of {known}", "Deliver it as CSV")
    named = {target: mapping.columns.get(target, target) for target in contract.names}
    columns = {target: lookup.take[new] for target, new in named.items() if new in lookup.take}
    taken = list(dict.fromkeys((lookup.key, *lookup.take.values())))
    ids = FileMapping(
        reader=reader,
        columns=columns,
        constants={c.name: "-" for c in contract.columns if c.name not in columns},
        # Read for their cells only: nothing is set aside, for no cell holds this text.
        set_aside={f"id{i}": SetAside(column=c, values=["\0"]) for i, c in enumerate(taken)},
    )
    rows = read_source(path.read_bytes(), name, ids, contract)
    broken = rows.filter(pl.col("_problem").is_not_null())
    if len(broken):
        place = f"line {broken['_source_row'][0]}"
        raise UnreadableFile(name, place, f"the row is {broken['_problem'][0]}", "Correct the id file and land again")
    rows = rows.select(taken)
    twice = rows.select(pl.col(lookup.key).str.strip_chars().alias("_id"), *lookup.take.values()).unique()
    twice = twice.filter(pl.col("_id").is_duplicated() & (pl.col("_id") != ""))
    if len(twice):
        problem = f"{twice['_id'].n_unique()} ids stand there with different values"
        raise UnreadableFile(name, f"column '{lookup.key}'", problem, "Leave one row per id and land again")
    return rows


def _by_month(
    landed: pl.DataFrame, contract: Contract, policy: Policy, received_at: str
) -> tuple[dict[str, pl.DataFrame], tuple[dt.date, dt.date] | None]:
    """The landed rows by month, and the first and last day they speak of.

    A row whose month is unreadable, before the region's first month or over a year after arrival belongs to the month
    of arrival, where the split rejects it with its reason.
    """
    if contract.month_from is None:
        return {DATED: landed}, None
    arrival = month_of(dt.datetime.fromisoformat(received_at).astimezone(ZoneInfo(policy.time_zone)).date())
    arrival = max(arrival, policy.first_month)
    dates = _dates(landed, contract, policy.time_zone)
    is_near = pl.col("_month").is_between(pl.lit(policy.first_month), pl.lit(add_months(arrival, 12)))
    near = dates.filter(is_near)
    span: tuple[dt.date, dt.date] | None = None
    if len(near):
        # The extremes of an empty or text-period column come from its months.
        first: Any = near["_day"].min() or month_start(str(near["_month"].min()))
        last: Any = near["_day"].max() or month_end(str(near["_month"].max()))
        span = (first, last)
    settled = dates.select(pl.when(is_near.fill_null(False)).then("_month").otherwise(pl.lit(arrival))).to_series()
    months = settled.unique().sort()
    # A file is of one month or two: a filter for each takes a third of what partition_by does.
    return {m: landed if len(months) == 1 else landed.filter(settled == m) for m in months}, span


def _dates(landed: pl.DataFrame, contract: Contract, zone: str) -> pl.DataFrame:
    """`_month` and `_day` of every landed row; no day where the contract has periods."""
    assert contract.month_from is not None
    column = contract.column(contract.month_from)
    if column.kind not in ("date", "timestamp"):
        return landed.select(landing_month(contract, zone).alias("_month"), pl.lit(None, pl.Date).alias("_day"))
    # Read once, and a month's name written once per day: for every row again it takes longer than reading the file.
    days = landed.select(parsed(column, zone).dt.date().alias("_day"))
    named = days.unique().with_columns(_month=pl.col("_day").dt.strftime("%Y-%m"))
    return days.join(named, on="_day", how="left", maintain_order="left")


# ---- files of the lake -----------------------------------------------------------------------------------------------


def _write(frame: pl.DataFrame, target: Path) -> None:
    with whole_file(target) as file:
        frame.write_parquet(file, compression="zstd")


def deliveries(home: Home, region: str, feed: str | None = None) -> pl.DataFrame:
    """One row per feed and delivery (of one feed, or all): its last line in the ledger, in order of arrival.

    A refusal is left out once the file lands, was replaced by another version, or is gone.
    """
    ledger = read_ledger(region_folder(home, region))
    last = {d.file_name: d for d in ledger}
    folder = region_folder(home, region)

    def stands(line: Delivery) -> bool:
        is_last = last[line.file_name].delivery_id == line.delivery_id
        return line.status_code == "landed" or (is_last and _lies_there(folder, line.file_name))

    rows = [asdict(d) for d in in_force(ledger) if stands(d) and feed in (None, d.feed)]
    count = pl.List(pl.Struct({"name": pl.String, "row_count": pl.Int64}))
    for row in rows:
        for name in ("set_aside", "months"):
            row[name] = [{"name": key, "row_count": value} for key, value in row[name].items()]
    whole = ("sequence", "file_row_count", "row_count")
    schema: dict[str, Any] = {
        name: pl.Int64 if name in whole else count if name in ("set_aside", "months") else pl.String for name in FIELDS
    }
    frame = pl.DataFrame(rows, schema=schema)
    return frame.with_columns(
        pl.col("received_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_unit="us", time_zone="UTC"),
        pl.col("first_event_date", "last_event_date").str.to_date("%Y-%m-%d"),
    )
