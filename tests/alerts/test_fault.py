"""What an error means: which may pass by itself, which are whose to mend, and what of it people may be told."""

from __future__ import annotations

import errno
import sqlite3

import polars as pl
import psycopg
import pytest
import sqlalchemy as sa

from kinerja_pipeline.alerts.fault import CURABLE, cause_of, kind_of, masked, told
from kinerja_pipeline.contracts.model import ContractError
from kinerja_pipeline.policies.indicators import DeclarationError
from kinerja_pipeline.policies.loader import PolicyError
from kinerja_pipeline.validated.corrections import CorrectionError
from kinerja_pipeline.validated.evidence import Blocked
from kinerja_pipeline.validated.split import ConservationError
from kinerja_pipeline.warehouse.database import WarehouseError
from kinerja_pipeline.warehouse.publish import PublishRefused

NIP = "198503122010011007"


def by_sqlalchemy(error: Exception) -> Exception:
    wrapped = sa.exc.OperationalError("INSERT", {}, error)
    wrapped.__cause__ = error
    return wrapped


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


GONE = psycopg.OperationalError("connection failed: server closed the connection unexpectedly")

CURED_BY_TIME = {
    "another writer holds SQLite": sqlite3.OperationalError("database is locked"),
    "SQLite's disk fails": by_sqlalchemy(sqlite3.OperationalError("disk I/O error")),
    "PostgreSQL is gone": by_sqlalchemy(GONE),
    "PostgreSQL is gone, as the warehouse says it": caused(WarehouseError("cannot be reached"), by_sqlalchemy(GONE)),
    "PostgreSQL waits too long for a lock": psycopg.errors.LockNotAvailable("canceling statement due to lock timeout"),
    "two transactions wait for each other": psycopg.errors.DeadlockDetected("deadlock detected"),
    "the disk fails": OSError(errno.EIO, "Input/output error"),
    "the disk is full": OSError(errno.ENOSPC, "No space left on device"),
    "the disk is full, as Polars says it": pl.exceptions.ComputeError("No space left on device (os error 28)"),
    "memory ran out": MemoryError(),
}


@pytest.mark.parametrize("error", CURED_BY_TIME.values(), ids=CURED_BY_TIME.keys())
def test_what_may_be_gone_at_the_next_attempt_is_curable(error: Exception) -> None:
    assert kind_of(error) in CURABLE


CURED_BY_PEOPLE = {
    "a refused publication": (PublishRefused("Nothing was published"), "publication"),
    "rows that break a blocking rule": (Blocked("12 of 12 rows break nip__rounded"), "check"),
    "a correction": (CorrectionError("does not fit"), "correction"),
    "a policy": (PolicyError("salor.yaml, line 2"), "declaration"),
    "an indicator's declaration": (DeclarationError("salor", ("indicators",), "no column"), "declaration"),
    "a contract": (ContractError("kpi.odcs.yaml"), "declaration"),
    "an address that is none": (WarehouseError("KINERJA_WAREHOUSE_URL is not a database address"), "deployment"),
    "rows that do not add up": (ConservationError("landed <> valid + rejected + superseded"), "program"),
    "SQL that is wrong": (by_sqlalchemy(sqlite3.OperationalError("no such column: nipp")), "program"),
    "a wrong password": (psycopg.OperationalError("FATAL: password authentication failed"), "program"),
    "a file that is not there": (FileNotFoundError(errno.ENOENT, "No such file"), "program"),
    "a table that was not made yet": (FileNotFoundError("facts/x of salor has no data; materialize it"), "upstream"),
    "a mistake of ours": (KeyError("nip"), "program"),
}


@pytest.mark.parametrize(("error", "kind"), CURED_BY_PEOPLE.values(), ids=CURED_BY_PEOPLE.keys())
def test_what_is_there_until_somebody_mends_it_is_not_curable(error: Exception, kind: str) -> None:
    assert kind_of(error) == kind
    assert kind not in CURABLE


def test_our_own_words_are_told_and_of_a_library_only_the_class() -> None:
    """Polars quotes the value that it could not read."""
    theirs = pl.exceptions.InvalidOperationError(f"conversion from str to i64 failed for value '{NIP}'")
    assert told(theirs) == "InvalidOperationError"
    assert told(caused(PublishRefused("kpi: 3 rows"), theirs)) == "kpi: 3 rows"
    assert told(FileNotFoundError("facts/x of salor has no data")) == "facts/x of salor has no data"


def test_numbers_of_persons_and_endless_texts_are_not_told() -> None:
    assert masked(f"cuti_{NIP}.pdf: it is empty, 9201014107850001 too") == "cuti_(NIP).pdf: it is empty, (NIP) too"
    assert masked("tugas_2026-02_00012345.csv") == "tugas_2026-02_00012345.csv"
    assert len(masked("x" * 5000)) < 1000


def test_a_fault_with_other_counts_is_the_same_fault() -> None:
    assert cause_of("kpi: 3 of 1200 rows of 2026-03") == cause_of("kpi: 17 of 90 rows of 2026-04")
    assert cause_of("kpi: 3 rows") != cause_of("evaluation: 3 rows")
