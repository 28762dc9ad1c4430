"""Whether a peer gave the product's answers: its Parquet files against the lake's, cell by cell.

    python benchmarks/answers.py --home /tmp/big --of /tmp/duckdb

What a peer says is a second opinion, written from the same rules by other means: a difference is somebody's mistake.
Text, days, instants and counts are the same or not; other numbers may differ by what adding in another order leaves.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from big_month import MONTH, REGION
from peer_rules import INDICATORS

from kinerja_pipeline.home import Home
from kinerja_pipeline.orchestration.storage import Lake

KEYS: Mapping[str, Sequence[str]] = {
    "attendance_day": ("nip", "work_date"),
    "attendance_month": ("nip",),
    "task_outcome": ("task_id",),
    "satisfaction_index": ("unit_id",),
    "kpi": ("subject_kind", "subject_id", "indicator_id"),
}
NEAR = 1e-9


def ours(home: Home, table: str) -> pl.DataFrame:
    """The product's rows that a peer computes too: of the month alone, and what has evidence."""
    rows = Lake(home.lake).read("kpi" if table == "kpi" else "facts", table, REGION, MONTH)
    if table == "satisfaction_index":
        return rows.filter(period=pl.lit(MONTH))
    if table == "kpi":
        is_peers = pl.col("indicator_id").is_in(list(INDICATORS)) & (pl.col("subject_kind") != "region")
        return rows.filter(pl.col("period") == MONTH, is_peers, pl.col("evidence_count") > 0)
    return rows


def differences(home: Home, folder: Path, tables: Sequence[str] = tuple(KEYS)) -> list[str]:
    """What differs, a line per table and column; nothing where all is the same."""
    found: list[str] = []
    for table in tables:
        own, other = ours(home, table), pl.read_parquet(folder / f"{table}.parquet")
        if lacking := [name for name in other.columns if name not in own.columns]:
            found.append(f"{table}: {', '.join(lacking)} is not in ours")
            continue
        found += [f"{table}: {text}" for text in _differing(own.select(other.columns), other, KEYS[table])]
    return found


def _differing(own: pl.DataFrame, other: pl.DataFrame, key: Sequence[str]) -> list[str]:
    own, other = (_plain(frame) for frame in (own, other))
    other = other.cast({name: own.schema[name] for name in other.columns})  # type: ignore[arg-type]
    only_own = own.join(other, on=key, how="anti")
    only_other = other.join(own, on=key, how="anti")
    found = [
        f"{len(rows)} rows only {whose}, as {rows.select(key).row(0)}"
        for whose, rows in (("ours", only_own), ("theirs", only_other))
        if len(rows)
    ]
    if len(own) != len(other):
        found.append(f"{len(own)} rows ours, {len(other)} theirs")
    both = own.join(other, on=key, suffix=" of theirs", validate="1:1")
    for name in own.columns:
        if name in key:
            continue
        differ = both.filter(~_same(name, own.schema[name]))
        if len(differ):
            values = differ.select(*key, name, f"{name} of theirs").row(0)
            found.append(f"{name} differs in {len(differ)} of {len(both)} rows, as {values}")
    return found


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Instants in UTC without a zone, so that engines that know no zone can be compared."""
    zoned = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Datetime) and kind.time_zone]
    return frame.with_columns(pl.col(zoned).dt.convert_time_zone("UTC").dt.replace_time_zone(None)) if zoned else frame


def _same(name: str, kind: pl.DataType) -> pl.Expr:
    one, two = pl.col(name), pl.col(f"{name} of theirs")
    if not kind.is_float():
        return one.eq_missing(two)
    is_near = (one - two).abs() <= NEAR * pl.max_horizontal(one.abs(), two.abs(), 1.0)
    return pl.when(one.is_null() | two.is_null()).then(one.is_null() & two.is_null()).otherwise(is_near)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--of", type=Path, required=True)
    given = parser.parse_args()
    found = differences(Home(given.home), given.of)
    print("\n".join(found) or "the same, cell by cell")


if __name__ == "__main__":
    main()
