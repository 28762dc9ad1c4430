"""The months of a region: which there are files of, which have been computed, which can run.

Here: the rule, pure, and the two things of a home that it asks for. Not here: which of them have to run
(orchestration/affected).
"""

from __future__ import annotations

from collections.abc import Collection

from kinerja_pipeline.facts.periods import months_between
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import deliveries
from kinerja_pipeline.landing.landed import landed_months
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.model import Policy


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
