"""What reading alone costs: Polars reads every delivered file as text, and nothing is done with it.

python benchmarks/peer_floor.py --files landing/manokwari
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import polars as pl
from peak import own_peak_gigabytes


def run(files: Path) -> int:
    count = 0
    for path in sorted(files.glob("*/*")):
        is_log = path.suffix == ".dat"
        options = {"separator": "\t", "quote_char": None, "has_header": False} if is_log else {}
        count += pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True, **options).height  # type: ignore[arg-type]
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=Path, required=True)
    parser.add_argument("--to", type=Path, help="not used: nothing is written")
    given = parser.parse_args()
    start, begun = time.perf_counter(), time.process_time()
    run(given.files)
    print(time.perf_counter() - start, time.process_time() - begun, own_peak_gigabytes())


if __name__ == "__main__":
    main()
