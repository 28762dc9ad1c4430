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


@contextmanager
def laid_aside(lake: Path) -> Iterator[Aside]:
    """Keeps rows in a folder of the lake that is made with the first of them, and is gone at the end whatever happens;
    by its name leftovers are known (orchestration/leftovers) when the process is killed."""
    with ExitStack() as kept:
        folder = cache(lambda: Path(kept.enter_context(TemporaryDirectory(prefix=".aside.", suffix=".tmp", dir=lake))))
        number = count()

        def aside(rows: pl.DataFrame) -> pl.LazyFrame:
            path = folder() / f"{next(number)}.parquet"
            # Read back within minutes, some columns at a time: what is quick, not what is small.
            rows.write_parquet(path, compression="lz4", statistics=False)
            return pl.scan_parquet(path, glob=False, hive_partitioning=False)

        yield aside
