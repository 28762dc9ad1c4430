"""Records: JSON Lines and Parquet, whose rows name or type their columns.

Here: reading them as text without rounding a number. Not here: what the columns mean (landing/reshape).
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.landing.source import (
    UnreadableFile,
    Wanted,
    missing_column,
    positions_of,
    refuse_many_columns,
    with_numeric,
)
from kinerja_pipeline.landing.text import utf8
from kinerja_pipeline.policies.mapping import FileMapping


class _Number(str):
    """A JSON number's own text: converting it would round it."""

    __slots__ = ()


def read_jsonl(data: bytes, path: str, mapping: FileMapping, contract: Contract, wanted: Wanted) -> pl.DataFrame:
    """JSON Lines: one object per line, its keys are the columns; a line that is no object is `line__unreadable`."""
    text = utf8(data, path, mapping.encoding)
    decoder = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    names = wanted.names
    cells: dict[str, list[str | None]] = {n: [] for n in names}
    marks: dict[str, list[int]] = {n: [] for n in names}
    places: list[int] = []
    unreadable: set[int] = set()
    seen: set[str] = set()
    for number, line in enumerate(text.decode("utf-8").split("\n"), start=1):
        if not line.strip(" \t\r\0\x1a"):
            continue
        try:
            row: Any = decoder.decode(line.strip())
        except (ValueError, RecursionError):
            row = None
        places.append(number)
        if not isinstance(row, dict):
            unreadable.add(number)
            row = {}
        refuse_many_columns(path, f"line {number}", len(row))
        seen.update(row)
        for name in names:
            value = row.get(name)
            if isinstance(value, _Number):
                marks[name].append(number)
            cells[name].append(_json_text(value))
    if len(unreadable) == len(places):
        problem = "no line is a JSON object"
        raise UnreadableFile(path, "line 1", problem, "Deliver one object per line, or name its reader in the mapping")
    for name in wanted.needed:
        if name not in seen:
            raise missing_column(path, "the keys of its objects", name, sorted(seen))
    frame = pl.DataFrame(cells, schema=dict.fromkeys(names, pl.String)).with_columns(
        pl.Series("_source_row", places, dtype=pl.UInt32)
    )
    frame = with_numeric(frame, marks, contract, wanted)
    bad = pl.col("_source_row").is_in(pl.Series(sorted(unreadable), dtype=pl.UInt32).implode())
    return frame.with_columns(pl.when(bad).then(pl.lit("line__unreadable")).otherwise("_problem").alias("_problem"))


def _json_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False)
    # "\ud800" alone is legal JSON but no text.
    return str(value).encode("utf-8", "replace").decode()


_TRIAL = "import io, sys, polars; polars.read_parquet(io.BytesIO(sys.stdin.buffer.read()))"


def read_parquet(data: bytes, path: str, contract: Contract, wanted: Wanted) -> pl.DataFrame:
    """Parquet with flat columns, as text: whole numbers without a point, dates and times in ISO form."""
    if not (data.startswith(b"PAR1") and data.endswith(b"PAR1")):
        raise UnreadableFile(path, "the whole file", "it is not a Parquet file", "Export it again")
    # Polars 2.1 aborts the process on some broken Parquet files (it allocates what the file claims), so another process
    # tries first; test_a_broken_parquet_file_does_not_end_the_process shows it.
    trial = subprocess.run([sys.executable, "-c", _TRIAL], input=data, capture_output=True, check=False)
    if trial.returncode != 0:
        raise UnreadableFile(path, "the whole file", "it is a broken Parquet file", "Export it again")
    schema = pl.read_parquet_schema(io.BytesIO(data))
    refuse_many_columns(path, "its schema", len(schema))
    positions = positions_of(list(schema), path, "its schema", wanted)
    table = pl.read_parquet(io.BytesIO(data), columns=list(positions))
    for name, kind in table.schema.items():
        if kind.is_nested() or kind == pl.Binary or kind == pl.Object:
            raise UnreadableFile(
                path, f"column '{name}'", f"it holds {kind}, not one value per row", "Deliver flat columns"
            )
    table = table.select(list(positions)).with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("_source_row")
    )
    marks = {
        name: table.filter(pl.col(name).is_not_null())["_source_row"].to_list()
        for name, kind in table.schema.items()
        if kind.is_numeric() and any(contract.column(c).kind == "string" for c in wanted.feeds.get(name, ()))
    }
    text = table.select(
        *(_plain(name, kind) for name, kind in table.schema.items() if name != "_source_row"), "_source_row"
    )
    return with_numeric(text, marks, contract, wanted)


def _plain(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(kind, pl.Datetime):
        return column.dt.strftime("%Y-%m-%d %H:%M:%S%.f%:z" if kind.time_zone else "%Y-%m-%d %H:%M:%S%.f")
    if kind.is_float():
        whole = (column == column.floor()) & (column.abs() < 1e18)
        return (
            pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(column.cast(pl.String))
        )
    return column.cast(pl.String)
