"""The core job without Dagster: files -> landed, believed and quarantined rows, facts, kpi, evaluation, follow-up.

    python benchmarks/core.py --home /tmp/big --steps

The bodies of the product's own assets, called one after the other as its jobs do, in this process: they read and write
the lake; nobody keeps events of it. What `core` leaves in the lake is what a run leaves there, but for the publication.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import time
import warnings
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from big_month import MONTH, REGION, TODAY
from peak import own_peak_gigabytes

from kinerja_pipeline.home import Home


def steps(
    home: Home, *, region: str = REGION, month: str = MONTH, today: dt.date = TODAY, with_publication: bool = False
) -> list[tuple[str, Callable[[], object]]]:
    """The core job as its steps in order, each with its name; then those of publication and reports, if wanted.
    Imports and definitions are made here, not by a step; a step works on the home that KINERJA_HOME names."""
    from dagster import AssetsDefinition

    # The library that judges: what a process imports once is told apart from what a month costs.
    import kinerja_pipeline.contracts.engines  # noqa: F401
    from kinerja_pipeline.contracts.model import load_contracts
    from kinerja_pipeline.facts.assets import facts_assets
    from kinerja_pipeline.kpi.assets import kpi_assets
    from kinerja_pipeline.landing.assets import landing_assets
    from kinerja_pipeline.orchestration.deployment import Deployment, partition_key
    from kinerja_pipeline.orchestration.resources import Clock, HomeResource, RegionLock
    from kinerja_pipeline.policies.loader import load_policies
    from kinerja_pipeline.reports.assets import reports_assets
    from kinerja_pipeline.validated.assets import validated_assets
    from kinerja_pipeline.warehouse.assets import warehouse_assets

    warnings.filterwarnings("ignore")
    os.environ["KINERJA_HOME"] = str(home.root)
    deployment = Deployment(load_contracts(), load_policies(home.policies))
    # Nobody is told of refused files.
    alerts = SimpleNamespace(refused=lambda *_: [])
    resources = {
        "home": HomeResource(),
        "clock": Clock(today=today.isoformat()),
        "lock": RegionLock(),
        "alerts": alerts,
    }
    log, run = SimpleNamespace(warning=lambda _: None), SimpleNamespace(run_id="bench", asset_selection=None)
    made: list[Callable[[Deployment], list[AssetsDefinition]]] = [landing_assets, validated_assets]
    made += [facts_assets, kpi_assets, *([warehouse_assets, reports_assets] if with_publication else [])]

    def called(asset: Any) -> Callable[[], object]:
        body = asset.op.compute_fn.decorated_fn
        is_of_region = asset.partitions_def == deployment.region
        context = SimpleNamespace(partition_key=region if is_of_region else partition_key(region, month))
        context.log, context.run, context.retry_number = log, run, 0
        needed = {name: value for name, value in resources.items() if name in asset.required_resource_keys}

        def work() -> None:
            told = body(context, **needed)
            if isinstance(told, Iterator):
                for _ in told:
                    pass

        return work

    return [(asset.op.name, called(asset)) for make in made for asset in make(deployment)]


def core(home: Home, told: Callable[[str, float, float], None], only: Collection[str] = ()) -> None:
    """Runs every step, or only those named; `told` hears of each, how long it took, and the processors' seconds."""
    for name, work in steps(home):
        if only and name not in only:
            continue
        start, begun = time.perf_counter(), time.process_time()
        work()
        told(name, time.perf_counter() - start, time.process_time() - begun)


def emptied(home: Home) -> None:
    """Leaves nothing of an earlier run: the lake and the ledger go, the delivered files stay."""
    shutil.rmtree(home.lake, ignore_errors=True)
    (home.landing / REGION / "deliveries.jsonl").unlink(missing_ok=True)
    home.lake.mkdir(parents=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--steps", action="store_true", help="how long each step took, and the peak so far")
    parser.add_argument("--only", default="", help="the steps to run, with commas between")
    given = parser.parse_args()
    home = Home(given.home)
    emptied(home)
    taken: list[tuple[float, float]] = []

    def told(name: str, seconds: float, used: float) -> None:
        taken.append((seconds, used))
        if given.steps:
            text = f"{name:20} {seconds:7.2f} s, of processors {used:7.2f} s, peak {own_peak_gigabytes():.2f} GB"
            print(text, flush=True)

    core(home, told, list(filter(None, given.only.split(","))))
    print(sum(seconds for seconds, _ in taken), sum(used for _, used in taken), own_peak_gigabytes())


if __name__ == "__main__":
    main()
