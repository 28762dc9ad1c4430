"""A region's policy through time: which version is in force in a month.

Here: versions and the choice between them. Not here: the files they come from (policies/loader).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kinerja_pipeline.policies.model import Appraisal, AppraisalRound, Policy

UNDATED = ("time_zone", "first_month", "feeds", "promises", "contacts")
"""What a dated file may not change: a region has one clock, its files are told apart by name, not by month, what it
promises holds in every month, and whom one reaches is whom one reaches today."""


@dataclass(frozen=True)
class Policies(Mapping[str, Policy]):
    """Every region's policy by region id: as its undated files state it, which holds until a later version starts.

    A month is computed with the policy in force in it, a longer period with that of its last day. What a version cannot
    change (time zone, first month, feeds, promises, contacts) may be read from `policies[region]`.
    """

    undated: Mapping[str, Policy]
    later: Mapping[str, tuple[tuple[str, Policy], ...]] = field(default_factory=dict)

    def __getitem__(self, region: str) -> Policy:
        return self.undated[region]

    def __iter__(self) -> Iterator[str]:
        return iter(self.undated)

    def __len__(self) -> int:
        return len(self.undated)

    def in_force(self, region: str, month: str) -> Policy:
        """The policy in force in `month`: the last version that has started."""
        started = [policy for start, policy in self.later.get(region, ()) if start <= month]
        return started[-1] if started else self.undated[region]

    def rounds(self, region: str) -> dict[str, tuple[AppraisalRound, Appraisal]]:
        """Every appraisal round of the region, with the rules in force in the month it counts in. A version's rounds of
        months in which another version is in force do not count; no version moves a round (policies/loader)."""
        return {
            name: (held, policy.appraisal)
            for policy in self.versions(region)
            for name, held in policy.appraisal.rounds.items()
            if self.in_force(region, held.period) is policy
        }

    def versions(self, region: str) -> tuple[Policy, ...]:
        """Every version of the region, the oldest first."""
        return (self.undated[region], *(policy for _, policy in self.later.get(region, ())))
