"""Has anything come? A quick look at a region's landing folder that opens no file.

Here: which files lie there, and whether they are still being written. Not here: reading them (landing/deliveries).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import is_temporary
from kinerja_pipeline.landing.ledger import LEDGER
from kinerja_pipeline.validated.corrections import register_path

SETTLE_SECONDS = 3.0
"""A file that was changed so recently may still be written to."""

Seen = Mapping[str, tuple[int, int]]
"""Size and time of change by name."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a region's files: a digest of all of them by name, size and time of change, and those that may still be
    written to. Temporary names (.part, .tmp, ~$, dotfiles) are no files yet."""

    digest: str
    unsettled: Seen


def look(home: Home, region: str, now: float, before: Seen) -> Look:
    """Looks at the files of the region, and its register of corrections. A file is settled when it was changed some
    seconds ago, or has not changed since it was seen unsettled (`before`): a clock may be wrong, or set by a copy."""
    found = dict(sorted(_files(home, region)))
    young = {n: seen for n, seen in found.items() if abs(now - seen[1] / 1e9) < SETTLE_SECONDS or seen[1] / 1e9 > now}
    unsettled = {name: seen for name, seen in young.items() if before.get(name) != seen}
    text = "\n".join(f"{name}\0{size}\0{changed}" for name, (size, changed) in found.items())
    return Look(hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16], unsettled)


def _files(home: Home, region: str) -> Iterator[tuple[str, tuple[int, int]]]:
    folder = home.landing / region
    register = register_path(home.corrections, region)
    places = [(register.parent, [register.name])] if register.is_file() else []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        places.append((Path(place), [n for n in names if not is_temporary(n) and (Path(place), n) != (folder, LEDGER)]))
    for here, names in places:
        for name in names:
            try:
                status = (here / name).stat()
            except OSError:
                continue  # Gone since, or a link that leads nowhere: landing says so.
            yield os.path.relpath(here / name, home.root), (status.st_size, status.st_mtime_ns)
