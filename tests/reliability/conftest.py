"""The files of one region and month, in time and late, and processes that stand by to run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.context import BaseContext
from pathlib import Path

import pytest
from trials import PLACE
from victims import Victims

from kinerja_pipeline.demo.world import write_world
from kinerja_pipeline.home import Home, init_home

LATE_SHARE = 4
"""One file in so many comes after the month was published and closed."""


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Path, ...]]:
    """A landing folder with what came in time, and the files of the month that come later."""
    home = Home(tmp_path_factory.mktemp("kills") / "world")
    write_world(home, employees_per_region=12, months=(PLACE.month, PLACE.month))
    folder = home.landing / PLACE.region
    for before in folder.glob("*/capaian_2025.*"):
        before.unlink()  # Figures of months that nothing else speaks of.
    mine = sorted((f for f in folder.glob("*/*") if PLACE.month in f.name), key=lambda f: (f.stat().st_mtime, f.name))
    late = home.root / "late"
    moved = []
    for file in mine[-(len(mine) // LATE_SHARE) :]:
        target = late / file.parent.name / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        moved.append(file.rename(target))
    return folder, tuple(moved)


@pytest.fixture(scope="module")
def victims(loaded: BaseContext, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Victims]]:
    with ExitStack() as stack:

        def begin() -> Victims:
            nowhere = tmp_path_factory.mktemp("nowhere")
            init_home(Home(nowhere))
            found = Victims(loaded, PLACE, nowhere)
            stack.callback(found.close)
            return found

        yield begin
