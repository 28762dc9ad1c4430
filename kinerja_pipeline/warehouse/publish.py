"""Publishing: one region and month, with the longer periods that contain it, replaced in one transaction.

Here: what is replaced, the ledger of publications. Not here: checking and rounding frames (warehouse/outgoing), the
bulk path of each database (warehouse/bulk), opening and migrating (warehouse/database).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from kinerja_pipeline.contracts.model import Contract, Contracts
from kinerja_pipeline.contracts.tables import warehouse_tables
from kinerja_pipeline.facts.periods import periods_of
from kinerja_pipeline.warehouse.bulk import insert_rows, stage
from kinerja_pipeline.warehouse.database import is_up_to_date, lock, migrate, writing
from kinerja_pipeline.warehouse.outgoing import Checked, content_hash, outgoing_rows, outgoing_schema
from kinerja_pipeline.warehouse.restate import OPINION_FACT, RESTATED, Cause, changes, tellable

LEDGER, RESTATEMENT = "publication", "restatement"
KEPT = (LEDGER, RESTATEMENT)
"""Tables to which publications add, and which none replaces."""


class PublishRefused(Exception):
    """The frames break their contracts; nothing was published. A line per problem says where, how many, what to do."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What computed the rows: the program and the policy."""

    code: str
    policy: str


@dataclass(frozen=True, slots=True)
class Published:
    """One line of the ledger: a table and period (empty text for a table without periods) after a publication."""

    publication_id: str
    table_name: str
    period: str
    row_count: int
    content_hash: str
    previous_hash: str | None

    @property
    def is_changed(self) -> bool:
        return self.content_hash != self.previous_hash


@dataclass(frozen=True, slots=True)
class _Part:
    """What one line of the ledger stands for: the rows of a table that are replaced together."""

    contract: Contract
    period: str
    rows: pl.DataFrame
    hash: str

    @property
    def at(self) -> tuple[str, str]:
        return self.contract.name, self.period


def publish(
    engine: sa.Engine,
    contracts: Contracts,
    region: str,
    month: str,
    frames: Mapping[str, pl.DataFrame],
    *,
    versions: Versions,
    now: dt.datetime,
    run_id: str,
    causes: Mapping[str, Cause] | None = None,
    told: Callable[[Checked], None] = lambda _: None,
) -> list[Published]:
    """Replaces what the warehouse says about `region` and `month` (and its quarter, semester and year) by `frames`.

    A frame is the whole truth for its table: of a table with periods, for the region and those periods; of a table
    without, for the region (where the key has a policy version, for the versions in the frame). Tables that are not in
    `frames` stay. Parts whose content hash is that of the last publication are not written; the ledger line always is.
    What changes in a period that was closed is recorded in `restatement`, with its cause (`causes`, by period; without
    one it is the program). Readers see all of the old or all of the new. `told` hears what the contract says of each
    table, before the first of its rows is written. Raises PublishRefused, which leaves the warehouse as it was, and
    WarehouseError when the warehouse cannot be migrated.
    """
    checked = _checked(contracts.outgoing, region, month, frames, told)
    # A server takes one table while the next is judged. Not so where that would keep others from SQLite's one place
    # for a writer, or bring a warehouse up to date for a publication that is refused.
    is_judged_before = engine.dialect.name == "sqlite" or not is_up_to_date(engine)
    parts: Iterable[_Part] = list(checked) if is_judged_before else checked
    migrate(engine)
    tables = warehouse_tables(contracts.outgoing, engine.dialect.name).tables
    schema = "" if engine.dialect.name == "sqlite" else "reporting."
    with closing(checked), writing(engine) as connection:
        lock(connection, f"kinerja:{region}")
        ledger = tables[f"{schema}{LEDGER}"]
        latest = _latest(connection, ledger, region)
        publication_id = _next_id(connection, ledger, region)
        closed = _closed_periods(connection, tables[f"{schema}period_status"], region)
        differing: dict[str, dict[str, pl.DataFrame]] = {}
        published = []
        moved: dict[tuple[str, str], int] = {}
        # A longer period of which nothing was ever said needs no line that says nothing.
        told_of = (p for p in parts if p.at in latest or not p.rows.is_empty() or p.period in ("", month))
        for part, staged in _laid_down(connection, told_of, latest):
            previous = latest.get(part.at)
            if previous != part.hash:
                table = tables[f"{schema}{part.contract.name}"]
                if previous is not None and part.period in closed and part.contract.name in RESTATED:
                    stood = _stood(connection, table, region, part)
                    found = changes(part.contract, stood, part.rows)
                    differing.setdefault(part.period, {})[part.contract.name] = found
                _delete(connection, table, region, part)
                moved |= _insert_or_move(connection, table, region, part, staged)
            name, count = part.contract.name, len(part.rows)
            published.append(Published(publication_id, name, part.period, count, part.hash, previous))
        published += _left_behind(moved, published, latest, publication_id)
        if differing:
            opinions = _opinions(connection, tables[f"{schema}indicator"], region)
            fallback = Cause("code", versions.code)
            rows = [
                _recorded(table, found, publication_id, region, (causes or {}).get(period, fallback))
                for period, by_table in differing.items()
                for table, found in tellable(by_table, opinions).items()
            ]
            insert_rows(connection, tables[f"{schema}{RESTATEMENT}"], pl.concat(rows))
        fixed = {
            "region": region,
            "policy_version": versions.policy,
            "code_version": versions.code,
            "run_id": run_id,
            "published_at": now.astimezone(dt.UTC),
        }
        lines = [_line(line, contracts.outgoing[line.table_name].version, fixed) for line in published]
        if lines:
            connection.execute(sa.insert(ledger), lines)
    _checkpoint(engine)
    return published


def _checked(
    outgoing: Mapping[str, Contract],
    region: str,
    month: str,
    frames: Mapping[str, pl.DataFrame],
    told: Callable[[Checked], None],
) -> Generator[_Part]:
    """The parts of each table that keeps its contract, the next being judged meanwhile; raises PublishRefused after the
    last, with what is wrong with any."""
    periods = list(periods_of(month).values())
    problems = [
        f"{name}: not a table one can publish; pages are in data_contracts/outgoing"
        for name in sorted(frames)
        if name not in outgoing or name in KEPT
    ]

    def judged(name: str) -> tuple[Checked, list[_Part]]:
        checked = outgoing_rows(outgoing[name], frames[name], region, periods)
        return checked, [] if checked.problems else list(_parts(checked.contract, checked.rows, periods))

    with ThreadPoolExecutor(1) as ahead:
        for checked, parts in ahead.map(judged, sorted(frames.keys() & outgoing.keys() - set(KEPT))):
            told(checked)
            problems += checked.problems
            if not problems:
                yield from parts
    if problems:
        raise refusal(region, month, problems)


def _laid_down(
    connection: sa.Connection, parts: Iterable[_Part], latest: Mapping[tuple[str, str], str]
) -> Iterator[tuple[_Part, str | None]]:
    """The parts, each with where its rows lie ready, if the database gains by that and they are not there already."""
    if connection.dialect.name != "sqlite":
        yield from ((part, None) for part in parts)
        return
    parts = list(parts)
    changed = [part for part in parts if latest.get(part.at) != part.hash]
    names = dict(zip((part.at for part in changed), stage(connection, [part.rows for part in changed]), strict=True))
    yield from ((part, names.get(part.at)) for part in parts)


def refusal(region: str, month: str, problems: Iterable[str]) -> PublishRefused:
    lines = "\n".join(f"- {problem}" for problem in problems)
    return PublishRefused(f"Nothing was published for {region} {month}; the warehouse is as it was.\n{lines}")


def _parts(contract: Contract, rows: pl.DataFrame, periods: Iterable[str]) -> Iterable[_Part]:
    if "period" not in contract.names:
        yield _Part(contract, "", rows, content_hash(contract, rows))
        return
    for period in periods:
        part = rows.filter(pl.col("period") == period)
        yield _Part(contract, period, part, content_hash(contract, part))


def _latest(connection: sa.Connection, ledger: sa.Table, region: str) -> dict[tuple[str, str], str]:
    """The content hash of the last publication of every table and period of the region."""
    c = ledger.c
    last = (
        sa.select(c.table_name, c.period, sa.func.max(c.publication_id).label("publication_id"))
        .where(c.region == region)
        .group_by(c.table_name, c.period)
        .subquery()
    )
    query = sa.select(c.table_name, c.period, c.content_hash).join(
        last,
        sa.and_(
            c.publication_id == last.c.publication_id, c.table_name == last.c.table_name, c.period == last.c.period
        ),
    )
    return {(table, period): digest for table, period, digest in connection.execute(query)}


def _closed_periods(connection: sa.Connection, table: sa.Table, region: str) -> set[str]:
    """The periods of which readers have been told that they are closed."""
    query = sa.select(table.c.period).where(table.c.region == region, table.c.status_code == "closed")
    return set(connection.execute(query).scalars())


def _opinions(connection: sa.Connection, table: sa.Table, region: str) -> set[str]:
    """The indicators of the region that are means of what people say, under whichever policy."""
    query = sa.select(table.c.indicator_id).where(table.c.region == region, table.c.source == OPINION_FACT)
    return set(connection.execute(query).scalars())


def _stood(connection: sa.Connection, table: sa.Table, region: str, part: _Part) -> pl.DataFrame:
    """The rows that the part is about to replace."""
    names = part.contract.names
    query = sa.select(*(table.c[n] for n in names)).where(table.c.region == region, table.c.period == part.period)
    rows = [tuple(row) for row in connection.execute(query)]
    return pl.DataFrame(rows, schema=outgoing_schema(part.contract), orient="row")


def _recorded(table: str, found: pl.DataFrame, publication_id: str, region: str, cause: Cause) -> pl.DataFrame:
    texts = {"publication_id": publication_id, "table_name": table, "region": region}
    texts |= {"cause_code": cause.code, "cause_id": cause.id}
    return found.with_columns(pl.lit(text).alias(name) for name, text in texts.items())


def _next_id(connection: sa.Connection, ledger: sa.Table, region: str) -> str:
    """The region's publications are numbered under its lock: the later one sorts last, whatever the clock says."""
    last = connection.execute(sa.select(sa.func.max(ledger.c.publication_id)).where(ledger.c.region == region)).scalar()
    number = int(last.rpartition("-")[2]) + 1 if last else 1
    return f"{region}-{number:08d}"


def _delete(connection: sa.Connection, table: sa.Table, region: str, part: _Part) -> None:
    where = table.c.region == region
    if part.period:
        where &= table.c.period == part.period
    elif "policy_version" in part.contract.key:
        # The dictionary keeps what earlier policies declared: the periods they ruled still refer to it.
        where &= table.c.policy_version.in_(part.rows["policy_version"].unique().sort().to_list())
    connection.execute(sa.delete(table).where(where))


def _insert_or_move(
    connection: sa.Connection, table: sa.Table, region: str, part: _Part, staged: str | None
) -> dict[tuple[str, str], int]:
    """Inserts the rows; those that another month still holds (a task delivered again under another month) leave it.

    Rows can only stand in the way where the key does not name the period. That is rare, so it is looked into only when
    the insert fails. Returns how many rows are left in each period that lost some.
    """
    if not part.period or "period" in part.contract.key:
        insert_rows(connection, table, part.rows, staged)
        return {}
    try:
        with connection.begin_nested():
            insert_rows(connection, table, part.rows, staged)
        return {}
    except (sa.exc.IntegrityError, connection.dialect.loaded_dbapi.IntegrityError):
        left = _delete_moved(connection, table, region, part)
        insert_rows(connection, table, part.rows, staged)
        return left


def _delete_moved(connection: sa.Connection, table: sa.Table, region: str, part: _Part) -> dict[tuple[str, str], int]:
    elsewhere = sa.and_(table.c.region == region, table.c.period != part.period)
    key = [c for c in part.contract.key if c != "region"]
    named = sa.Table(
        "published_key", sa.MetaData(), *(sa.Column(c, table.c[c].type) for c in key), prefixes=["TEMPORARY"]
    )
    named.create(connection)
    insert_rows(connection, named, part.rows.select(key))
    is_named = sa.tuple_(*(table.c[c] for c in key)).in_(sa.select(*named.c))
    lost = connection.execute(sa.delete(table).where(elsewhere, is_named).returning(table.c.period)).scalars().all()
    named.drop(connection)
    left = {}
    for period in sorted(set(lost)):
        count = sa.select(sa.func.count()).select_from(table).where(table.c.region == region, table.c.period == period)
        left[part.contract.name, period] = connection.execute(count).scalar_one()
    return left


def _left_behind(
    moved: Mapping[tuple[str, str], int],
    published: Sequence[Published],
    latest: Mapping[tuple[str, str], str],
    publication_id: str,
) -> list[Published]:
    """Ledger lines of months that lost rows to this one. Their hash is unknown until they are published again."""
    replaced = {(line.table_name, line.period) for line in published}
    return [
        Published(publication_id, table, period, count, "", latest.get((table, period)))
        for (table, period), count in moved.items()
        if (table, period) not in replaced
    ]


def _line(line: Published, contract_version: str, fixed: Mapping[str, object]) -> dict[str, object]:
    return {
        "publication_id": line.publication_id,
        "table_name": line.table_name,
        "period": line.period,
        "row_count": line.row_count,
        "content_hash": line.content_hash,
        "previous_hash": line.previous_hash,
        "contract_version": contract_version,
        **fixed,
    }


def _checkpoint(engine: sa.Engine) -> None:
    """Moves SQLite's write-ahead log into the file and empties it; a reader that is still busy postpones that to the
    next publication, for a publisher waits for no reader."""
    if engine.dialect.name != "sqlite":
        return
    driver: Any = engine.raw_connection()
    try:
        waiting = driver.execute("PRAGMA busy_timeout").fetchone()[0]
        driver.execute("PRAGMA busy_timeout = 0")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        driver.execute(f"PRAGMA busy_timeout = {waiting}")
    finally:
        driver.close()
