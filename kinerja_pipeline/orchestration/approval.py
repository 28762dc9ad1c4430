"""What somebody has to approve before it runs: closed months, where the policy says so, and very many at once.

Here: which months wait, and the note of what was approved. Not here: which months are affected (orchestration/affected)
and who asks (launch, automation).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kinerja_pipeline.facts.periods import spans
from kinerja_pipeline.home import Home
from kinerja_pipeline.orchestration.affected import Affected
from kinerja_pipeline.orchestration.storage import whole_file
from kinerja_pipeline.policies.model import Periods


@dataclass(frozen=True, slots=True)
class Approved:
    """The months that somebody approved, and for which causes: files that come later are not among them."""

    months: frozenset[str] = frozenset()
    causes: frozenset[str] = frozenset()

    def covers(self, each: Affected) -> bool:
        return each.month in self.months and _causes(each) <= self.causes


@dataclass(frozen=True, slots=True)
class Permitted:
    """The months that may run now, those that wait, and why, as a sentence."""

    months: tuple[Affected, ...]
    waiting: tuple[Affected, ...] = ()
    why: str = ""


def permitted(
    months: Sequence[Affected],
    statuses: Mapping[str, str],
    periods: Periods,
    approved: Approved,
    *,
    is_asked: bool,
) -> Permitted:
    """What of the affected months may run. Where nobody asked (`is_asked`), more than the policy's number wait all
    together. Closed months wait where the policy says so, and with them open ones that only look at others."""
    if not is_asked and len(months) > periods.most_months_unasked and not all(map(approved.covers, months)):
        why = f"{len(months)} months are touched at once, more than {periods.most_months_unasked}"
        return Permitted((), tuple(months), why)
    if periods.restating == "automatic":
        return Permitted(tuple(months))
    closed = [each for each in months if statuses.get(each.month) == "closed" and not approved.covers(each)]
    if not closed:
        return Permitted(tuple(months))
    held = {each.month for each in closed}
    only_look = {each.month for each in months if {c.code for c in each.causes} == {"month"}}
    free = [each for each in months if each.month not in held | only_look]
    waiting = [each for each in months if each not in free]
    return Permitted(
        tuple(free), tuple(waiting), f"{', '.join(spans(sorted(held)))} closed and would come out otherwise"
    )


def told(region: str, waiting: Collection[Affected], why: str) -> str:
    """What waits, why, and what to do, as a sentence."""
    months = ", ".join(spans([each.month for each in waiting]))
    return (
        f"{region}: {months} wait for approval ({why}). See `kinerja plan --region {region}`; "
        f"`kinerja plan --region {region} --approve` lets them run."
    )


def approve(home: Home, region: str, months: Sequence[Affected]) -> None:
    """Notes that the months may run for the causes they have now."""
    page = {"months": [m.month for m in months], "causes": sorted({c for each in months for c in _causes(each)})}
    with whole_file(home.approvals / f"{region}.json") as file:
        file.write(json.dumps(page).encode())


def read_approval(home: Home, region: str) -> Approved:
    """What was approved last; nothing when nothing was."""
    try:
        page = json.loads((home.approvals / f"{region}.json").read_bytes())
        return Approved(frozenset(page["months"]), frozenset(page["causes"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Approved()


def _causes(each: Affected) -> set[str]:
    return {f"{cause.code}:{cause.id}" for cause in each.causes}
