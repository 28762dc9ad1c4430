"""What a region asks of the ledger of publications, in a warehouse of the whole country / in one of its own.

    python benchmarks/ledger.py --nights 60

A ledger gets a line per table, period and region with every publication. Asked is what a run asks: what is held of the
region (to know what has changed) and what a publication must know before it writes. Other regions must cost nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from big_month import MONTH, TODAY
from measuring import Figure, Timed, in_turn, ratio, show, told
from national import REGIONS

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.warehouse.database import migrate, open_warehouse, writing
from kinerja_pipeline.warehouse.publish import Versions, publish
from kinerja_pipeline.warehouse.status import held

_LINES = """
WITH RECURSIVE
    night(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM night WHERE n < :nights),
    place(r) AS (SELECT 0 UNION ALL SELECT r + 1 FROM place WHERE r + 1 < :regions)
INSERT INTO publication
    (publication_id, table_name, region, period, row_count, content_hash,
     contract_version, policy_version, code_version, run_id, published_at)
SELECT printf('wilayah%03d-%08d', r, n), value, printf('wilayah%03d', r), :month, 1, hex(randomblob(32)),
    '1', '1', '1', hex(randomblob(16)), '2026-05-20 00:00:00.000000'
FROM night, place, json_each(:tables)
"""


def figures(nights: int = 30) -> tuple[list[Figure], dict[str, Timed]]:
    with tempfile.TemporaryDirectory() as folder:
        engines = {
            name: _warehouse(Path(folder) / f"{regions}.db", nights, regions)
            for name, regions in (("country", REGIONS), ("region", 1))
        }
        assert _held(engines["country"]) == _held(engines["region"]) == {MONTH}
        timed = in_turn(
            {name: lambda engine=engine: _asked(engine) for name, engine in engines.items()}, clock=time.process_time
        )
        for engine in engines.values():
            engine.dispose()
    name = f"a region's questions to a ledger of {nights} nights, of {REGIONS} regions / of its own"
    return [Figure(name, ratio(timed, "country", "region"), 1.5, "x", told(timed))], timed


def _warehouse(file: Path, nights: int, regions: int) -> sa.Engine:
    engine = open_warehouse(f"sqlite:///{file}")
    migrate(engine)
    values = {"nights": nights, "regions": regions, "month": MONTH, "tables": _tables()}
    with writing(engine) as connection:
        connection.execute(sa.text(_LINES), values)
    return engine


def _tables() -> str:
    names = sorted(load_contracts().outgoing.keys() - {"publication", "restatement"})
    return json.dumps(names)


def _held(engine: sa.Engine) -> set[str]:
    return set(held(engine.url.render_as_string(), "wilayah000").digests)


def _asked(engine: sa.Engine) -> None:
    _held(engine)
    now, versions = dt.datetime.combine(TODAY, dt.time(), dt.UTC), Versions("bench", "bench")
    # Without tables a publication only asks what there is.
    publish(engine, load_contracts(), "wilayah000", MONTH, {}, versions=versions, now=now, run_id="bench")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--nights", type=int, default=30, help="publications of every region")
    show(figures(parser.parse_args().nights)[0])


if __name__ == "__main__":
    main()
