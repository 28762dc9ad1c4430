"""What killed processes leave behind in a home, and what may be removed of it: files that nothing will ever read.

Here: finding and removing them. Not here: who asks (doctor, the weekly tidying), runs that are called started
(orchestration/abandoned).
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.ledger import read_ledger

LEFT_SECONDS = 3600
"""A file beside its target that is older than this belongs to no running process: the longest write takes minutes."""


def leftovers(home: Home, regions: Iterable[str], now: dt.datetime) -> list[Path]:
    """Half-written files, rows laid aside, and landed rows of months in which the ledger says their file has none,
    longer ago than any write takes. Delivered files are the suppliers', whatever they are called."""
    found = [*_beside(home), *(path for region in regions for path in _replaced(home, region))]
    return [path for path in found if (age := _age(path, now)) is not None and age > LEFT_SECONDS]


def remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _beside(home: Home) -> Iterator[Path]:
    for folder in (home.lake, home.reports, home.approvals):
        yield from folder.rglob(".*.tmp")
    for folder in (home.root, home.dagster):
        yield from folder.glob(".*.tmp")
    # Dagster's event log is made in a folder beside it.
    yield from home.dagster.glob("*/.new-*")


def _replaced(home: Home, region: str) -> Iterator[Path]:
    """Landing was killed after its line and before it removed what the same file had landed under an earlier mapping.

    Of a delivery that the ledger does not know at all nothing is removed: the ledger may come from a backup.
    """
    lines = {(d.feed, d.file_name, d.delivery_id): d for d in read_ledger(home.landing / region)}.values()
    named: dict[tuple[str, str], set[str]] = {}
    for line in lines:
        named.setdefault((line.feed, line.delivery_id), set()).update(line.months)
    for path in (home.lake / "landing").glob(f"*/{region}/*/*.parquet"):
        months = named.get((path.parts[-4], path.stem))
        if months is not None and path.parent.name not in months:
            yield path


def _age(path: Path, now: dt.datetime) -> float | None:
    try:
        return now.timestamp() - path.stat().st_mtime
    except FileNotFoundError:
        return None  # Its process has just ended well.
