"""Landed rows as landing leaves them, written down cell by cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from kinerja_pipeline.contracts.model import Contract

ZONE = "Asia/Jakarta"
OWN = {
    "_delivery_id": pl.String,
    "_source_row": pl.UInt32,
    "_problem": pl.String,
    "_raw": pl.String,
    "_month": pl.String,
}


def landed(contract: Contract, rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows as text; what a row does not name is null. `_month` is left out for dated feeds."""
    own = OWN if contract.is_event else {name: kind for name, kind in OWN.items() if name != "_month"}
    schema = {**dict.fromkeys(contract.names, pl.String), **own}
    cells = [{name: row.get(name) for name in schema} for row in rows]
    unknown = {name for row in rows for name in row} - set(schema)
    assert not unknown, f"no such columns: {unknown}"
    return pl.DataFrame(cells, schema=schema)


def deliveries(*, scopes: Mapping[str, str] | None = None, **modes: str) -> pl.DataFrame:
    """The ledger's lines, in the order they are named: name of the delivery and its mode, all of one scope unless
    `scopes` says otherwise."""
    lines = [
        {"delivery_id": name, "sequence": place, "delivery_mode": mode, "delivery_scope": (scopes or {}).get(name, "*")}
        for place, (name, mode) in enumerate(modes.items(), start=1)
    ]
    text = ("delivery_id", "delivery_mode", "delivery_scope")
    return pl.DataFrame(lines, schema={**dict.fromkeys(text, pl.String), "sequence": pl.Int64})
