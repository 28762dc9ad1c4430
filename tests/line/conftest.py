"""The small world, and homes in which `kinerja run --all` has run over it: made once for a whole test run."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from line_world import TOGETHER, Finished, home_with, once, run, write_small_world

from kinerja_pipeline.home import Home


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this test run see, and no other test run."""
    base = tmp_path_factory.getbasetemp()
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "line"


@pytest.fixture(scope="session")
def world(shared: Path) -> Path:
    """The landing folder of the small world, all five regions; planted.pickle beside it says what is wrong in it."""

    def make(place: Path) -> None:
        regions = write_small_world(Home(place))
        (place / "planted.pickle").write_bytes(pickle.dumps(regions))

    return once(shared / "world", make) / "landing"


@pytest.fixture(scope="session")
def finished(shared: Path, world: Path) -> Callable[[str], Finished]:
    """finished(region): the home in which that region has run. Read or copy it, never write to it."""

    def of(region: str) -> Finished:
        regions = TOGETHER if region in TOGETHER else (region,)

        def make(place: Path) -> None:
            result = run(home_with(place / "home", world, *regions), "--all")
            (place / "told.pickle").write_bytes(pickle.dumps((result.exit_code, result.output)))

        place = once(shared / f"finished-{'-'.join(regions)}", make)
        exit_code, output = pickle.loads((place / "told.pickle").read_bytes())
        planted = pickle.loads((world.parent / "planted.pickle").read_bytes())[region]
        return Finished(Home(place / "home"), exit_code, output, planted)

    return of
