"""Typed rows laid aside on the disk until a whole month has been judged.

Here: where they lie meanwhile, and that nothing stays of them. Not here: which rows, and what is read back of them
(validated/split).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from kinerja_pipeline.validated.split import Aside

KEPT_BYTES = 256 * 2**20
"""So much stays in memory: of a month that is not large nothing lies on the disk."""


@contextmanager
def laid_aside(lake: Path, kept_bytes: int = KEPT_BYTES) -> Iterator[Aside]:
    """Keeps the first rows in memory, and those beyond `kept_bytes` in a folder of the lake. It is made with the first
    of them and is gone at the end whatever happens; by its name leftovers are known (orchestration/leftovers) when the
    process is killed."""
    with ExitStack() as kept:
        folder = cache(lambda: Path(kept.enter_context(TemporaryDirectory(prefix=".aside.", suffix=".tmp", dir=lake))))
        number, free = count(), kept_bytes

        def aside(rows: pl.DataFrame) -> pl.LazyFrame:
            nonlocal free
            if (size := rows.estimated_size()) <= free:
                free -= int(size)
                return rows.lazy()
            path = folder() / f"{next(number)}.parquet"
            # Read back within minutes, some columns at a time: what is quick, not what is small.
            rows.write_parquet(path, compression="lz4", statistics=False)
            return pl.scan_parquet(path, glob=False, hive_partitioning=False)

        yield aside
