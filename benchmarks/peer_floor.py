"""What reading alone costs: Polars reads every delivered file as text, and nothing is done with it.

python benchmarks/peer_floor.py --files landing/manokwari --to /tmp/floor
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
from peer_process import main


def run(files: Path, _: Path) -> int:
    count = 0
    for path in sorted(files.glob("*/*")):
        is_log = path.suffix == ".dat"
        options = {"separator": "\t", "quote_char": None, "has_header": False} if is_log else {}
        count += pl.read_csv(path, infer_schema=False, truncate_ragged_lines=True, **options).height  # type: ignore[arg-type]
    return count


if __name__ == "__main__":
    main(run, __doc__)
