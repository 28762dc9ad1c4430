"""What the process of every peer is asked, and what it tells last: seconds, the processor's seconds, peak memory."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from peak import own_peak_gigabytes


def main(run: Callable[[Path, Path], object], page: str | None) -> None:
    """Has `run` read the files and leave its answers; what it imported before is not counted."""
    parser = argparse.ArgumentParser(description=page.splitlines()[0] if page else None)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    start, begun = time.perf_counter(), time.process_time()
    run(given.files, given.to)
    print(time.perf_counter() - start, time.process_time() - begun, own_peak_gigabytes())
