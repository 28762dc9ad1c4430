"""What lies in the landing folder and was not taken in, as sentences for people.

Here: refused files by the ledger, folders that nobody reads. Not here: the refusing itself (landing/deliveries).
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping

from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import LandingReport, deliveries
from kinerja_pipeline.landing.ledger import Delivery, read_ledger
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated.corrections import stray_registers


def refused(home: Home, region: str) -> list[str]:
    """The region's refused files, each with the reason."""
    ledger = deliveries(home, region)
    lines = ledger.filter(ledger["status_code"] == "refused")
    return [f"{region}/{row['reason']}" for row in lines.iter_rows(named=True)]


def lying_refused(home: Home, report: LandingReport) -> list[Delivery]:
    """The files that lie in the region's folder and that the landing just done did not take in: none that was removed
    since, and still one that is being written anew."""
    last = {line.file_name: line for line in read_ledger(home.landing / report.region)}
    here = {*report.refused}
    return [
        line
        for line in last.values()
        if line.status_code == "refused" and (line.reason in here or line.file_name in report.waiting)
    ]


def strays(home: Home, policies: Mapping[str, Policy]) -> list[str]:
    """What lies in the landing folder, or among the corrections, under the name of no region: nobody reads it."""
    folders = [
        f"{path.name}: there is {no_region(path.name, policies)} Move it, or add a policy for it."
        for path in sorted(home.landing.iterdir())
        if path.name not in policies and not path.name.startswith(".")
    ]
    return [*folders, *stray_registers(home.corrections, policies)]


def no_region(name: str, known: Collection[str]) -> str:
    """The end of a sentence that says so, with the name that was perhaps meant."""
    near = difflib.get_close_matches(name, known, 1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return f"no region '{name}'{hint}; known are {', '.join(known)}."
