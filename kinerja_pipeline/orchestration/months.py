"""Which months of a region run, and in which order: one rule for the command line and the monthly schedule.

Here: the rule, pure, and the two things of a home that it asks for. Not here: running (orchestration/launch), run
requests (definitions).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from kinerja_pipeline.facts.periods import add_months, months_between
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import deliveries, landed_months
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.model import Policy

MOST_LOOK_BACK = 12
"""Growth looks at the same month last year, follow-up at a year of evaluations, counters and runs at eleven months."""


def months_to_run(
    known: Sequence[str], published: Collection[str], asked: Sequence[str], versions: Sequence[Policy]
) -> list[str]:
    """The months of `known` to run, in order: those asked for, and the published ones that look at any of them.

    The month before reads 36 hours of the first one asked for; later ones read as far back as any version of the
    policy lets them.
    """
    if not asked:
        return []
    last = add_months(max(asked), max(_looks_back(policy) for policy in versions))
    again = {m for m in published if add_months(min(asked), -1) <= m <= last}
    return [m for m in known if m in asked or m in again]


def known_months(with_events: Collection[str], published: Collection[str], policy: Policy, latest: str) -> list[str]:
    """The months that can run, in order: something happened in them or they were published, from the region's first
    month up to `latest`."""
    return sorted(m for m in {*with_events, *published} if policy.first_month <= m <= latest)


def months_with_events(home: Home, region: str) -> set[str]:
    """The months in which something happened, by the deliveries' own dates. A month that holds nothing but rows whose
    date could not be believed (a clock reset to 2000 lands in the month of its delivery) waits until it has events."""
    ledger = deliveries(home, region).drop_nulls(["first_event_date", "last_event_date"])
    event_spans = [
        (feed, set(months_between(str(first)[:7], str(last)[:7])))
        for feed, first, last in ledger.select("feed", "first_event_date", "last_event_date").iter_rows()
    ]
    return {month for feed, span in event_spans for month in span & set(landed_months(home, region, feed))}


def published_months(home: Home, region: str) -> set[str]:
    """The months that have been computed."""
    return set(Lake(home.lake).months("kpi", "measure", region))


def closing_months(home: Home, versions: Sequence[Policy], month: str) -> list[str]:
    """What closing `month` in the one after it runs: what the command line would, asked for `month` alone. Nothing
    while `month` has no events and was not published."""
    policy, region = versions[0], versions[0].region
    published = published_months(home, region)
    known = known_months(months_with_events(home, region), published, policy, latest=add_months(month, 1))
    return months_to_run(known, published, [m for m in known if m == month], versions)


def _looks_back(policy: Policy) -> int:
    """How many months before it the policy's months read at most."""
    tasks = policy.periods.task_lookback_months
    grows = any(i.statistic == "growth" and i.fact == "task_outcome" for i in policy.indicators.values())
    # The growth of a backlog opens last year's, which reads as far back again.
    return max(MOST_LOOK_BACK, tasks + MOST_LOOK_BACK if grows else tasks)
