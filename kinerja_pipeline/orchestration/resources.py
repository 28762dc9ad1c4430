"""Run-time resources: the home, the clock, and the lock that keeps two runs off one region.

Here: what a run needs from outside. Not here: settings' names (home.py).
"""

from __future__ import annotations

import datetime as dt
import fcntl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dagster import ConfigurableResource, DagsterRun, InitResourceContext
from pydantic import PrivateAttr

from kinerja_pipeline.home import Home, home_from_environment
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.model import Policy


class HomeResource(ConfigurableResource[Home]):
    """The deployment's home, read from KINERJA_HOME when the run starts."""

    @property
    def home(self) -> Home:
        return home_from_environment()

    @property
    def lake(self) -> Lake:
        return Lake(self.home.lake)


class Clock(ConfigurableResource[dt.date]):
    """Today and now; `today` (2026-07-06) is set to recompute as of a date, empty means the machine's clock."""

    today: str = ""

    def local_today(self, zone: ZoneInfo) -> dt.date:
        return dt.date.fromisoformat(self.today) if self.today else dt.datetime.now(zone).date()

    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)


class RegionLock(ConfigurableResource[None]):
    """One run at a time per region, from reading other months to the commit, for command line and daemon alike.

    The lock is the operating system's, so a killed run leaves none behind.
    """

    _region: str = PrivateAttr("")

    @contextmanager
    def yield_for_execution(self, context: InitResourceContext) -> Generator[Any, None, None]:
        region = partition_of(context.run)[0] if context.run else ""
        with locked(home_from_environment(), region or "all"):
            yield self


REGION_TAG, MONTH_TAG, PARTITION_TAG = "dagster/partition/region", "dagster/partition/month", "dagster/partition"
COMMAND_TAG = "kinerja/command"
"""Runs of the command line carry it, with the region."""
KILLED_COMMAND = "The command that launched this run was killed; nothing was published."


def partition_of(run: DagsterRun) -> tuple[str, str]:
    """The region and month that a run works on, each empty where it has none."""
    return run.tags.get(REGION_TAG) or run.tags.get(PARTITION_TAG, ""), run.tags.get(MONTH_TAG, "")


def local_day(policy: Policy, today: dt.date | None) -> dt.date:
    """The region's day; `today` may lie in the past and never in the future."""
    clock = dt.datetime.now(policy.zone).date()
    return min(today or clock, clock)


def is_locked(home: Home, region: str) -> bool:
    """Whether a run holds the region's lock just now."""
    path = _lock_path(home, region)
    if not path.exists():
        return False
    with path.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _lock_path(home: Home, region: str) -> Path:
    return home.locks / f"{''.join(c if c.isalnum() or c in '_-' else '_' for c in region)}.lock"


@contextmanager
def locked(home: Home, region: str) -> Generator[None, None, None]:
    """Holds the region's lock; waits while another run holds it."""
    home.locks.mkdir(parents=True, exist_ok=True)
    with _lock_path(home, region).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
