"""A fault as a value: what an error means, whether a later attempt may cure it, and what may be told of it.

Here: error -> kind and text. Not here: which run met it (orchestration/alerting), what is advised (alerts/message).
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kinerja_pipeline.plain import unnumbered

Kind = Literal[
    "refused_file",
    "check",
    "publication",
    "correction",
    "declaration",
    "deployment",
    "upstream",
    "killed",
    "database",
    "machine",
    "program",
    "test",
]
CURABLE: frozenset[Kind] = frozenset({"database", "machine"})
"""What may be gone at the next attempt. A contract, a policy, a refused publication are what they are until mended."""

OWN = "kinerja_pipeline."
LONGEST = 700
"""Characters of an error's text in an alert; the rest stands in the run."""

_KINDS: dict[str, Kind] = {
    "Blocked": "check",
    "PublishRefused": "publication",
    "CorrectionError": "correction",
    "PolicyError": "declaration",
    "DeclarationError": "declaration",
    "ContractError": "declaration",
    "HomeError": "deployment",
    "WarehouseError": "deployment",
    "NothingPublished": "upstream",
}
_PASSING = {
    *(errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EAGAIN, errno.EBUSY, errno.ESTALE, errno.EMFILE, errno.ENFILE),
    # Linux lets nobody write any more to a disk that begins to fail.
    errno.EROFS,
    *(errno.ENOMEM, errno.ETIMEDOUT, errno.ENETDOWN, errno.ENETUNREACH, errno.EHOSTUNREACH),
}
_OF_SYSTEM = re.compile(r"\(os error ([0-9]+)\)")
_SQLITE = ("locked", "busy", "disk i/o error", "disk is full", "unable to open database file")
_REFUSED = ("authentication failed", "does not exist", "no pg_hba.conf entry")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that stands until it is cured. `scope` and `name` say where it stands, for the program: one look at a
    scope decides on all its names. `cause` tells one fault from another at the same place. The rest is for people;
    `path` is a page of the UI."""

    scope: str
    name: str
    kind: Kind
    cause: str
    detail: str
    count: int = 1
    region: str = ""
    month: str = ""
    feed: str = ""
    file: str = ""
    owner: str = ""
    path: str = ""


def kind_of(error: BaseException) -> Kind:
    """What the error means: what lies at the bottom of it, where that may pass by itself; else whose word it is."""
    chain = list(_chain(error))
    for each in chain:
        if (passing := _passing(each)) is not None:
            return passing
    for each in chain:
        if _is_own(each) and type(each).__name__ in _KINDS:
            return _KINDS[type(each).__name__]
    return "upstream" if any(map(_lacks_upstream, chain)) else "program"


def passing_cause(error: BaseException) -> str | None:
    """What the operating system or a database says of itself, where that lies at the bottom of it; it quotes nobody."""
    for each in _chain(error):
        if _passing(each) is not None:
            named = isinstance(each, OSError) and each.strerror
            return named or (str(each).strip().splitlines() or [type(each).__name__])[0]
    return None


def told(error: BaseException) -> str:
    """The error for people who may see nobody's data. What we wrote ourselves names tables and counts; what a library
    says may quote a value, so only its class is told."""
    own = next((each for each in _chain(error) if _is_own(each) or _lacks_upstream(each)), None)
    return masked(str(own)) if own is not None else type(error).__name__


def masked(text: str) -> str:
    """The text without the numbers of persons, which a file may be called by; cut where it is very long."""
    clean = unnumbered(text.strip())
    return clean if len(clean) <= LONGEST else f"{clean[:LONGEST]} ..."


def cause_of(text: str) -> str:
    """What stays the same of a fault's text from run to run: counts and numbers change."""
    return re.sub(r"[0-9]+", "#", text)[:200]


def _chain(error: BaseException) -> Iterator[BaseException]:
    now: BaseException | None = error
    while now is not None:
        yield now
        now = now.__cause__ or (None if now.__suppress_context__ else now.__context__)


def _is_own(error: BaseException) -> bool:
    return type(error).__module__.startswith(OWN)


def _lacks_upstream(error: BaseException) -> bool:
    """The lake has no such table yet; unlike the operating system's, this error has no number."""
    return isinstance(error, FileNotFoundError) and error.errno is None


def _passing(error: BaseException) -> Kind | None:
    """`database` or `machine` when a later attempt may do; known by their names, for importing two database drivers to
    ask would cost every start."""
    text = str(error).lower()
    names = {f"{c.__module__.partition('.')[0]}.{c.__name__}" for c in type(error).__mro__}
    if "sqlite3.OperationalError" in names:
        return "database" if any(sign in text for sign in _SQLITE) else None
    if "psycopg.OperationalError" in names:
        return None if any(sign in text for sign in _REFUSED) else "database"
    if isinstance(error, MemoryError | ConnectionError | TimeoutError):
        return "machine"
    number = error.errno if isinstance(error, OSError) else None
    if number is None and (said := _OF_SYSTEM.search(text)):
        number = int(said[1])
    return "machine" if number in _PASSING else None
