"""Records: JSON Lines and Parquet, whose rows name or type their columns.

Here: reading them as text without rounding a number. Not here: what the columns mean (landing/reshape).
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from typing import Any

import polars as pl

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.landing.source import (
    MAX_CELL,
    MAX_RATIO,
    MAX_UNPACKED,
    SMALL_UNPACKED,
    UnreadableFile,
    Wanted,
    huge_cell,
    missing_column,
    positions_of,
    refuse_bomb,
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
    whole = utf8(data, path, mapping.encoding)
    decoder = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    names = wanted.names
    cells: dict[str, list[str | None]] = {n: [] for n in names}
    marks: dict[str, list[int]] = {n: [] for n in names}
    places: list[int] = []
    unreadable: set[int] = set()
    seen: set[str] = set()
    for number, line in enumerate(whole.decode("utf-8").split("\n"), start=1):
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
        refuse_many_columns(path, "the keys of its objects", len(seen))
        for name in names:
            value = row.get(name)
            if isinstance(value, _Number):
                marks[name].append(number)
            text = _json_text(value)
            if text is not None and len(text) > MAX_CELL:
                raise huge_cell(path, f"line {number}, '{name}'")
            cells[name].append(text)
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


_FIRST_DAY, _LAST_DAY = -719_161, 2_932_895
"""From 0001-01-02 to 9999-12-30, whatever the time zone, counted from 1970."""
_TRIAL_BYTES = 8 * 1024**3
_TRIAL_SECONDS = 600
_CELL_BYTES = 16
"""What Polars holds for a text of any length, beside the text."""
_TRIAL = """
import io, json, sys
import polars as pl

names, limit, most, cell = json.loads(sys.argv[1])
try:
    import resource
except ImportError:
    pass
else:
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
data = io.BytesIO(sys.stdin.buffer.read())
schema = pl.read_parquet_schema(data)
names = [name for name in names if name in schema]
size = pl.scan_parquet(data).select(pl.len()).collect().item() * len(names) * cell
if names and size <= most:
    table = pl.read_parquet(data, columns=names)
    texts = table.select(pl.col(pl.String, pl.Categorical, pl.Enum).cast(pl.String).str.len_bytes().sum())
    size += sum(count or 0 for row in texts.rows() for count in row)
print(size)
"""


def read_parquet(data: bytes, path: str, contract: Contract, wanted: Wanted) -> pl.DataFrame:
    """Parquet with flat columns, as text: whole numbers without a point, dates and times in ISO form."""
    if not (data.startswith(b"PAR1") and data.endswith(b"PAR1")):
        raise UnreadableFile(path, "the whole file", "it is not a Parquet file", "Export it again")
    refuse_bomb(path, _unpacked(data, path, wanted), len(data))
    schema = pl.read_parquet_schema(io.BytesIO(data))
    refuse_many_columns(path, "its schema", len(schema))
    positions = positions_of(list(schema), path, "its schema", wanted)
    for name, kind in schema.items():
        if name in positions and (kind.is_nested() or kind in (pl.Binary, pl.Object, pl.Duration)):
            remedy = "Deliver flat columns of texts, numbers, dates or times"
            raise UnreadableFile(path, f"column '{name}'", f"it holds {kind}, not one value per row", remedy)
    table = pl.read_parquet(io.BytesIO(data), columns=list(positions)).select(list(positions))
    table = table.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("_source_row"))
    marks = {
        name: table.filter(pl.col(name).is_not_null())["_source_row"].to_list()
        for name, kind in table.schema.items()
        if kind.is_numeric() and any(contract.column(c).kind == "string" for c in wanted.feeds.get(name, ()))
    }
    text = table.select(
        *(_plain(name, kind) for name, kind in table.schema.items() if name != "_source_row"), "_source_row"
    )
    return with_numeric(text, marks, contract, wanted)


def _unpacked(data: bytes, path: str, wanted: Wanted) -> int:
    """How much memory the wanted columns take as text, measured by another process that may not take all there is.

    Polars 2.1 aborts the process on some broken Parquet files (it allocates what the file claims);
    test_a_broken_parquet_file_does_not_end_the_process shows it. And a column of one value a billion times is a file of
    a few bytes.
    """
    most = max(SMALL_UNPACKED, min(MAX_UNPACKED, MAX_RATIO * len(data)))
    command = [sys.executable, "-c", _TRIAL, json.dumps([wanted.names, _TRIAL_BYTES, most, _CELL_BYTES])]
    told = ""
    with contextlib.suppress(subprocess.TimeoutExpired):
        trial = subprocess.run(command, input=data, capture_output=True, check=False, timeout=_TRIAL_SECONDS)
        told = trial.stdout.decode("utf-8", "replace") if trial.returncode == 0 else ""
    if not told.strip().isdecimal():
        raise UnreadableFile(path, "the whole file", "it is a broken Parquet file", "Export it again")
    return int(told)


def _plain(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if isinstance(kind, pl.Date | pl.Datetime):
        # Polars 2.1 panics on a year that it cannot write; the bare number is text, and no date.
        unit = {"ms": 10**3, "us": 10**6, "ns": 10**9}[kind.time_unit] if isinstance(kind, pl.Datetime) else 0
        days = column.to_physical() // (86_400 * unit) if unit else column.to_physical()
        far = ~days.is_between(_FIRST_DAY, _LAST_DAY)
        shape = "%Y-%m-%d %H:%M:%S%.f" if unit else "%Y-%m-%d"
        zone = "%:z" if isinstance(kind, pl.Datetime) and kind.time_zone else ""
        near = pl.when(~far).then(column).dt.strftime(shape + zone)
        return pl.when(far).then(column.to_physical().cast(pl.String)).otherwise(near).alias(name)
    if kind.is_float():
        whole = (column == column.floor()) & (column.abs() < 1e18)
        return (
            pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(column.cast(pl.String))
        )
    return column.cast(pl.String)
