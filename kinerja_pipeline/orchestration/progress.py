"""What whoever waits for a run sees: how many regions are done and how long the rest will take, what is worked on now,
and a line for each region that has ended.

Here: bars on a terminal, and lines anywhere. Not here: what is run (launch), what it came to (the command).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

_RECENT = 600.0
"""Seconds by which the time that is left is judged: a region takes seconds or minutes."""


@contextmanager
def shown(regions: Sequence[str], console: Console) -> Iterator[Waiting]:
    """Bars while the regions are worked on, if somebody looks; none of them stays."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[of]}"), TimeElapsedColumn())
    # Nothing is drawn into a file, where nobody sees it.
    with Progress(
        *columns,
        _TimeLeft(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        speed_estimate_period=_RECENT,
    ) as progress:
        yield Waiting(progress, regions)


class Waiting:
    """How far the regions are. Beforehand nobody knows more than that each is one of so many."""

    def __init__(self, progress: Progress, regions: Sequence[str]) -> None:
        self._progress, self._lock = progress, Lock()
        self._left = set(regions)
        self._parts = dict.fromkeys(regions, 0.0)
        self._bars: dict[str, TaskID] = {}
        self._all = progress.add_task("all regions", total=len(regions), of="", visible=len(regions) > 1)

    def tell(self, region: str, at: str, done: int, total: int | None) -> None:
        """What a region is at, and how many of its months are done. (What it told last may come when it has ended.)"""
        with self._lock:
            if region not in self._left:
                return
            if region not in self._bars:
                self._bars[region] = self._progress.add_task(region, of="")
            of = f"{done}/{total} months" if total else ""
            name = f"  {region} {at}".rstrip()
            self._progress.update(self._bars[region], description=name, completed=done, total=total, of=of)
            self._moved(region, done / total if total else 0.0)

    def ended(self, region: str, how: str) -> None:
        """A region has ended: a line says how, and what is left."""
        with self._lock:
            self._left.discard(region)
            if (bar := self._bars.pop(region, None)) is not None:
                how = f"{how} in {_clock(self._task(bar).elapsed or 0)}"
                self._progress.remove_task(bar)
            self._moved(region, 1.0)
            remaining = self._task(self._all).time_remaining
        left = f"; {len(self._left)} left" if self._left else ""
        left += f", about {_clock(remaining)}" if left and remaining else ""
        if len(self._parts) > 1:
            self._progress.console.print(f"{region}: {how}{left}", highlight=False, soft_wrap=True)

    def _moved(self, region: str, part: float) -> None:
        self._parts[region] = part
        of = f"{len(self._parts) - len(self._left)}/{len(self._parts)}"
        self._progress.update(self._all, completed=sum(self._parts.values()), of=of)

    def _task(self, number: TaskID) -> Task:
        return next(task for task in self._progress.tasks if task.id == number)


class _TimeLeft(ProgressColumn):
    """Rich's own column of it does not say that it is what is left."""

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        known = task.total is not None and task.time_remaining
        return Text(f"{_clock(task.time_remaining or 0)} left" if known else "")


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
