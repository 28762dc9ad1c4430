"""datacontract-cli as an independent peer: it lints every page, and counts on the same rows what our rules count.

    make datacontract                       # installs the peer into .datacontract, from datacontract.txt

Rows: two months of a made-up region, landed, with wrong values planted for every rule that both know, so that the
counts are not zero; typed as the split types them, for the peer reads no text by our forms. Compared: values that are
missing, patterns, lengths, ranges, codes, row conditions; beside them keys without an empty cell that stand twice (no
fault in a feed: the later row stands). Not compared: types (the peer tests none in Parquet), references between pages.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import yaml
from rich.console import Console
from rich.table import Table

from kinerja_pipeline.contracts.model import Column, Contract, load_contracts
from kinerja_pipeline.demo.world import write_world
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.landing.deliveries import deliveries, land_region
from kinerja_pipeline.landing.landed import scan_landed
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated.evidence import counts
from kinerja_pipeline.validated.parsing import parsed
from kinerja_pipeline.validated.split import split

REGION, MONTHS = "salor", ("2026-02", "2026-03")
FAMILIES = {
    "field_regex": "pattern",
    "field_min_length": "length",
    "field_max_length": "length",
    "field_minimum": "range",
    "field_maximum": "range",
    "field_invalid_values": "code",
}
"""The peer's kinds of checks, and our family of rules; two of its kinds may make up one of our rules."""
REQUIRED = ("field_required", "field_primary_key_required")
UNIQUE = ("primary_key_unique", "field_primary_key_unique")
EVERY = 29
"""One row in so many is spoiled, in one column after the other."""


class Compared(NamedTuple):
    feed: str
    rule: str
    ours: int
    theirs: int


def spoiled(landed: pl.DataFrame, contract: Contract) -> pl.DataFrame:
    """The landed rows with a wrong value here and there: each column in rows of its own, in all of its ways."""
    place = pl.int_range(pl.len())
    changes = []
    for position, column in enumerate(contract.columns):
        ways = list(_wrong(column))
        text = pl.col(column.name)
        for way, value in enumerate(ways):
            hit = (place % EVERY == position % EVERY) & (place // EVERY % len(ways) == way)
            text = pl.when(hit).then(pl.lit(value, pl.String)).otherwise(text)
        changes.append(text.alias(column.name))
    return landed.with_columns(changes)


def _wrong(column: Column) -> Iterator[str | None]:
    if column.is_required:
        yield None
    if column.pattern is not None:
        yield "?!"
    if column.codes:
        yield "entah"
    if column.min_length is not None:
        yield "x" * (column.min_length - 1)
    if column.max_length is not None:
        yield "x" * (column.max_length + 1)
    if column.minimum is not None:
        yield str(int(column.minimum) - 1)
    if column.maximum is not None:
        yield str(int(column.maximum) + 1)


def ours(landed: pl.DataFrame, contract: Contract, policy: Policy, ledger: pl.DataFrame) -> dict[str, int]:
    """What the split counted, by rule; `<column>__null` counts what is missing or could not be read."""
    result = split(landed, contract, zone=policy.time_zone, references={}, deliveries=ledger)
    found = counts(result)
    rules = {r.name: found.failed.get(r.name, 0) for r in contract.rules}
    return {**rules, **{f"{name}__null": count for name, count in found.nulls.items()}}


def compared(contract: Contract, own: Mapping[str, int], checks: list[dict[str, Any]], repeated: int) -> list[Compared]:
    rows: dict[str, int] = {}
    conditions = [r for r in contract.rules if r.what == "row"]
    for check in checks:
        kind, column, count = check["kind"], check["column"], check["count"]
        if check["result"] == "error":
            raise SystemExit(f"{contract.name}: {check['key']} could not be run: {check['reason']}")
        if kind in FAMILIES:
            rule = f"{column}__{FAMILIES[kind]}"
            rows[rule] = rows.get(rule, 0) + count
        elif kind in REQUIRED:
            rows[f"{column}__null"] = count
        elif kind in UNIQUE:
            rows["keys that stand twice"] = count
        elif kind == "model_quality_sql":
            rows[conditions[int(check["key"].rpartition("_")[2])].name] = count
    return [
        Compared(contract.name, rule, {**own, "keys that stand twice": repeated}[rule], n) for rule, n in rows.items()
    ]


def typed_frame(landed: pl.DataFrame, contract: Contract, policy: Policy) -> pl.DataFrame:
    whole = landed.filter(pl.col("_problem").is_null())
    return whole.select(parsed(column, policy.time_zone).alias(column.name) for column in contract.columns)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--python", required=True, help="the Python in whose environment datacontract-cli is")
    given = parser.parse_args()
    contracts, policy = load_contracts(), load_policies()[REGION]
    pages = [str(c.path) for c in (*contracts.incoming.values(), *contracts.outgoing.values())]
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        init_home(home)
        write_world(home, employees_per_region=30, months=MONTHS)
        land_region(home, REGION, policy, contracts)
        own: dict[str, dict[str, int]] = {}
        repeated: dict[str, int] = {}
        for name, contract in contracts.incoming.items():
            landed = spoiled(scan_landed(home, REGION, name, None), contract)
            own[name] = ours(landed, contract, policy, deliveries(home, REGION, name))
            frame = typed_frame(landed, contract, policy)
            frame.write_parquet(Path(folder) / f"{name}.parquet")
            repeated[name] = (
                frame.drop_nulls(contract.key).group_by(contract.key).len().filter(pl.col("len") > 1).height
            )
            page = yaml.safe_load(contract.path.read_text(encoding="utf-8"))
            server = {"type": "local", "path": f"{folder}/{name}.parquet", "format": "parquet"}
            page["servers"] = [{"server": "landed", **server}]
            (Path(folder) / f"{name}.odcs.yaml").write_text(yaml.safe_dump(page, sort_keys=False), encoding="utf-8")
        asked = {"lint": pages, "test": [f"{folder}/{name}.odcs.yaml" for name in contracts.incoming]}
        side = [given.python, str(Path(__file__).with_name("datacontract_side.py"))]
        said = subprocess.run(side, input=json.dumps(asked), capture_output=True, text=True)
        if said.returncode:
            sys.exit(said.stderr)
        answer = json.loads(said.stdout)
    complaints = [f"{Path(page).name}: {text}" for page, texts in answer["lint"].items() for text in texts]
    rows = [
        row
        for page, checks in answer["test"].items()
        for name in [Path(page).name.removesuffix(".odcs.yaml")]
        for row in compared(contracts.incoming[name], own[name], checks, repeated[name])
    ]
    different = [row for row in rows if row.ours != row.theirs]
    table = Table("feed", "rule", "ours", "datacontract", title="Rows that break a rule", title_justify="left")
    for row in different or rows:
        if row.ours or row.theirs:
            table.add_row(row.feed, row.rule, str(row.ours), str(row.theirs))
    Console().print(table)
    print(*complaints, sep="\n")
    print(f"lint: {len(pages)} pages, {len(complaints)} complaints.")
    nonzero = sum(1 for row in rows if row.ours)
    print(f"test: {len(rows)} rules of {len(own)} feeds, {nonzero} of them broken; {len(different)} counts differ.")
    sys.exit(bool(complaints or different))


if __name__ == "__main__":
    main()
