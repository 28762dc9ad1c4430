"""Who may read what on PostgreSQL: roles, row-level security, and the schema in which analysts read pseudonyms.

Here: running sql/postgresql, and the masked twin of each table as its contract classifies it. Not here: accounts and
passwords (an administrator makes them), the masked SQLite copy (warehouse/masking).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.warehouse.pseudonyms import NO_NAME, How, how_masked
from kinerja_pipeline.warehouse.views import MARK, create_views, drop_views, load_views, run_script, sql_folder

MASKED = "reporting_masked"
PUBLISHER = "kinerja_publisher"
_LONGEST_REGION = 63 - len("kinerja_region_")
"""PostgreSQL cuts longer names, and two roles would become one."""


@dataclass(frozen=True, slots=True)
class Roles:
    """What the roles are made from: the regions that get one, and the key of the analysts' pseudonyms."""

    regions: Sequence[str]
    key: str


def has_roles(connection: sa.Connection) -> bool:
    """Whether the roles were ever established in this warehouse."""
    return connection.dialect.name == "postgresql" and sa.inspect(connection).has_schema(MASKED)


def is_current(connection: sa.Connection) -> bool:
    """Whether the masked schema is as contracts and files have it now, or there is none."""
    if not has_roles(connection):
        return True
    found = connection.execute(
        sa.text("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name"), {"name": MASKED}
    ).scalar_one()
    return bool(found == _digest())


def become_publisher(connection: sa.Connection) -> None:
    """Until the transaction ends: what is made belongs to the publisher, whose account ever is logged in."""
    if has_roles(connection):
        connection.exec_driver_sql(f"SET LOCAL ROLE {PUBLISHER}")


def establish(connection: sa.Connection, roles: Roles) -> list[str]:
    """Makes the roles that are missing, hands the warehouse to the publisher and sets the key of the pseudonyms."""
    connection.exec_driver_sql("RESET ROLE")
    run_script(connection, _script("roles"))
    quote = connection.dialect.identifier_preparer.quote
    known = set(connection.execute(sa.text("SELECT rolname FROM pg_roles")).scalars())
    for region in roles.regions:
        name = f"kinerja_region_{region}"
        if name not in known:
            connection.exec_driver_sql(f"CREATE ROLE {quote(name)} NOLOGIN")
        connection.exec_driver_sql(f"GRANT kinerja_region TO {quote(name)}")
    inner, outer = _pads(roles.key)
    connection.execute(
        sa.text(
            "INSERT INTO reporting_key.pseudonym_key (inner_pad, outer_pad) VALUES (:inner, :outer) "
            "ON CONFLICT (is_only) DO UPDATE SET inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad"
        ),
        {"inner": inner, "outer": outer},
    )
    return [f"roles {PUBLISHER}, kinerja_analyst", *(f"role kinerja_region_{region}" for region in roles.regions)]


def drop_masked(connection: sa.Connection) -> None:
    """Drops the masked views, which would hold the tables as they are."""
    if has_roles(connection):
        drop_views(connection, MASKED)


def refresh(connection: sa.Connection) -> list[str]:
    """Makes the masked views and says who may read what; nothing where no roles were established."""
    if not has_roles(connection):
        return []
    become_publisher(connection)
    drop_views(connection, MASKED)
    for statement in _masked_tables():
        run_script(connection, statement)
    create_views(connection, MASKED)
    run_script(connection, _script("access"))
    run_script(connection, f"COMMENT ON SCHEMA {MASKED} IS '{_digest()}'")
    return [f"{len(load_contracts().outgoing)} tables masked for analysts, row-level security for the regions"]


def _script(name: str) -> str:
    return (sql_folder() / "postgresql" / f"{name}.sql").read_text(encoding="utf-8")


def _digest() -> str:
    parts = [*_masked_tables(), _script("access"), *(f"{view.name} {view.sql}" for view in load_views())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _masked_tables() -> Iterator[str]:
    """Each table's twin: it runs with the publisher's rights, and whoever reads it sees no more than it selects."""
    for contract in load_contracts().outgoing.values():
        how = how_masked(contract)
        columns = ",\n  ".join(f"{_expression(contract, c, how[c])} AS {c}" for c in contract.names)
        name = f"{MASKED}.{contract.name}"
        comment = f"{contract.description} ({MARK} masked)".replace("'", "''")
        yield (
            f"CREATE VIEW {name} AS\nSELECT\n  {columns}\nFROM reporting.{contract.name} AS t\n"
            f"CROSS JOIN reporting_key.pseudonym_key AS k;\nCOMMENT ON VIEW {name} IS '{comment}'"
        )


def _expression(contract: Contract, column: str, how: How) -> str:
    # HMAC-SHA-256 by hand: sha256 is built in, hmac would need an extension.
    whose = "subject_id" if how == "led" else column
    inner = f"sha256(k.inner_pad || convert_to(t.{whose}, 'UTF8'))"
    pseudonym = f"'p' || left(encode(sha256(k.outer_pad || {inner}), 'hex'), 20)"
    match how:
        case "number":
            return pseudonym
        case "subject":
            return f"CASE WHEN t.subject_kind = 'employee' THEN {pseudonym} ELSE t.{column} END"
        case "led":
            rest = f"substr(t.{column}, length(t.subject_id) + 1)"
            return f"CASE WHEN t.subject_kind = 'employee' THEN {pseudonym} || {rest} ELSE t.{column} END"
        case "name":
            return f"CASE WHEN t.{column} IS NOT NULL THEN '{NO_NAME}' END"
        case "text" if contract.column(column).pattern is None and not _joins(contract, column):
            return f"regexp_replace(t.{column}, '(?<![0-9A-Za-z])[0-9]{{18}}(?![0-9A-Za-z])', '(NIP)', 'g')"
        case _:
            return f"t.{column}"


def _joins(contract: Contract, column: str) -> bool:
    """Whether the column is a key that other tables have, too: such a one stays what it is, and an index finds it."""
    others = (c for c in load_contracts().outgoing.values() if c.name != contract.name)
    return contract.column(column).key_position is not None and any(column in c.names for c in others)


def _pads(key: str) -> tuple[bytes, bytes]:
    """The key as HMAC mixes it in (RFC 2104), so that the database gives the pseudonyms of warehouse/masking."""
    raw = key.encode()
    block = (hashlib.sha256(raw).digest() if len(raw) > 64 else raw).ljust(64, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)


def is_region_name(region: str) -> bool:
    """Whether a role can be called after the region."""
    return len(region.encode()) <= _LONGEST_REGION and re.fullmatch(r"[\w-]+", region) is not None
