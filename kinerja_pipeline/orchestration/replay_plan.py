"""What a replay would do, told before it is done.

Here: the quarantine of a region by month and reason, the files that would be read anew, as terminal text. Not here:
choosing months (orchestration/replay), running them (orchestration/launch).
"""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from kinerja_pipeline.contracts.model import Contracts
from kinerja_pipeline.facts.periods import spans
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import foresee
from kinerja_pipeline.landing.landed import DATED
from kinerja_pipeline.orchestration.replay import quarantined
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.model import Policy


def show_plan(home: Home, policy: Policy, contracts: Contracts, console: Console) -> None:
    """Prints the region's months with rejected rows, how many by reason, and the files whose reading changed."""
    region = policy.region
    held = quarantined(Lake(home.lake), region, contracts.incoming.values())
    files = foresee(home, region, policy, contracts)
    if held.is_empty():
        console.print(f"{region}: the quarantine is empty.", highlight=False)
    else:
        table = Table(title=f"{region}: rejected rows (a row may have several reasons)", title_justify="left")
        for heading in ("month", "feed", "reason", "rows", "deliveries"):
            table.add_column(heading, justify="right" if heading in ("rows", "deliveries") else "left")
        for month, feed, reason, rows, deliveries in held.iter_rows():
            table.add_row("register" if month == DATED else month, feed, reason, f"{rows:,}", str(deliveries))
        console.print(table)
    for file in files:
        why = "read anew, for its mapping or contract changed" if file.is_known else "new"
        console.print(f"{region}/{file.delivery.file_name}: {why}", highlight=False, soft_wrap=True)
    months = spans(sorted({month for month in held["month"].to_list() if month != DATED}))
    more = " and the months of the files read" if files else ""
    every = ", and every published month if a register changes" if DATED in held["month"] else ""
    console.print(f"{region}: to run {', '.join(months) or 'no month'}{more}{every}.", highlight=False, soft_wrap=True)
