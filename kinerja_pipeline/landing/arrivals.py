"""Has anything come? A quick look at a region's landing folder that opens no file.

Here: which files lie there, and whether they are still being written. Not here: reading them (landing/deliveries).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import is_temporary
from kinerja_pipeline.landing.ledger import LEDGER
from kinerja_pipeline.validated.corrections import register_path

SETTLE_SECONDS = 2.0
"""A file that was changed so recently may still be written to."""

CORRECTIONS = "corrections"

Seen = Mapping[str, tuple[int, int]]
"""Size and time of change by name."""


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a region's files: a digest of their names, sizes and times of change by folder (a feed's, `lookup`,
    `corrections`), and those that may still be written to. Temporary names (.part, ~$, dotfiles) are no files yet."""

    folders: Mapping[str, str]
    unsettled: Seen


def look(home: Home, region: str, now: float, before: Seen) -> Look:
    """Looks at the files of the region, and its register of corrections. A file is settled when it was changed some
    seconds ago, or has not changed since it was seen unsettled (`before`): a clock may be wrong, or set by a copy."""
    found = dict(sorted(_files(home, region)))
    young = {n: seen for n, seen in found.items() if abs(now - seen[1] / 1e9) < SETTLE_SECONDS or seen[1] / 1e9 > now}
    unsettled = {name: seen for name, seen in young.items() if before.get(name) != seen}
    texts: dict[str, list[str]] = {}
    for name, (size, changed) in found.items():
        texts.setdefault(_folder(name), []).append(f"{name}\0{size}\0{changed}")
    return Look({folder: _digest(lines) for folder, lines in texts.items()}, unsettled)


def _folder(name: str) -> str:
    """landing/salor/task_record/2026/a.csv -> task_record, corrections/salor.yaml -> corrections"""
    parts = Path(name).parts
    return CORRECTIONS if parts[0] != "landing" else parts[2] if len(parts) > 3 else ""


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:16]


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
