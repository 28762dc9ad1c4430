"""What a region's months were computed from, as the publication notes it, and what they would be computed from now.

Here: reading a home (ledger, registers, policies, the warehouse's digests) and noting the basis of a month in the lake.
Not here: what follows from a difference (orchestration/affected).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import polars as pl

from kinerja_pipeline import __version__
from kinerja_pipeline.contracts.model import Contracts
from kinerja_pipeline.contracts.versions import lock_text
from kinerja_pipeline.facts.feed_day import due_day
from kinerja_pipeline.facts.periods import add_months, as_of, month_of, month_start, period_end_month, periods_of
from kinerja_pipeline.home import Home, warehouse_url
from kinerja_pipeline.landing.landed import DATED, months_sharing_keys
from kinerja_pipeline.landing.ledger import Delivery, in_force, read_ledger
from kinerja_pipeline.orchestration.affected import (
    Affected,
    Basis,
    Cause,
    CauseCode,
    affected,
    differences,
    looks_back,
    reaches,
)
from kinerja_pipeline.orchestration.months import known_months, months_with_events, published_months
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.policies.loader import policy_version
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.validated.corrections import register_path
from kinerja_pipeline.warehouse.restate import Cause as Restated

BY_FILES: frozenset[CauseCode] = frozenset({"new", "delivery", "register", "correction"})
"""Causes that come with files; another policy or program is somebody's decision, and days go by for the schedules."""
MOST_NAMED = 20
"""Deliveries that one restated value names as its cause; of more, the last."""
ROOM, NAME, SHARED, REGISTERS, REPORTED = "warehouse", "basis", "shared_keys", "registers", "reported"
ONLY_LATER = frozenset(
    {"labels", "promises", "contacts", "feeds", "indicators", "evaluation", "follow_up", "exclusions", "allowance"}
    | {"surveys", "training", "discipline", "periods", "retention"}
)
"""What of a policy neither validated nor a month's own facts read. Of the mappings in `feeds` landing keeps account."""


@dataclass(frozen=True)
class Present:
    """A region as it is now: what its months were computed from, and what they would be computed from."""

    home: Home
    policies: Policies
    contracts: Contracts
    region: str
    today: dt.date
    digests: Mapping[str, str] = field(default_factory=dict)
    statuses: Mapping[str, str] = field(default_factory=dict)
    """What the warehouse says of every month and holds of every period (warehouse/status)."""
    foreseen: Sequence[Delivery] = ()
    """Files that have not landed yet, as the ledger would name them."""
    foreseen_keys: Mapping[int, frozenset[str]] = field(default_factory=dict)
    register_of_corrections: pl.DataFrame | None = None
    """As it would be validated now; else as it last was."""

    @cached_property
    def lake(self) -> Lake:
        return Lake(self.home.lake)

    @cached_property
    def bases(self) -> dict[str, Basis]:
        return read_bases(self.lake, self.region)

    @cached_property
    def published(self) -> frozenset[str]:
        return frozenset(published_months(self.home, self.region))

    @property
    def latest(self) -> str:
        """A month exists from its second day on, for today is not over."""
        return month_of(self.today - dt.timedelta(days=1))

    @cached_property
    def known(self) -> list[str]:
        """The months that can run."""
        events = months_with_events(self.home, self.region) | {m for d in self.foreseen for m in d.months if "-" in m}
        return known_months(events, self.published, self.versions[0], self.latest)

    @property
    def versions(self) -> Sequence[Policy]:
        return self.policies.versions(self.region)

    @cached_property
    def ledger(self) -> list[Delivery]:
        return read_ledger(self.home.landing / self.region)

    @cached_property
    def _lines(self) -> list[Delivery]:
        return [*self.ledger, *self.foreseen]

    @cached_property
    def _reaches(self) -> list[frozenset[str]]:
        keys = {number: frozenset(months) for number, months in self.shared.items()}
        keys |= {len(self.ledger) + number: months for number, months in self.foreseen_keys.items()}
        return reaches(self._lines, keys)

    @cached_property
    def shared(self) -> dict[int, list[str]]:
        """By line of the ledger, the other months in which keys of its rows stood when it came. What a publication
        noted of earlier lines is not looked up again."""
        known, count = self._noted_shared()
        landed = [d for d in in_force(self.ledger) if d.status_code == "landed"]
        found = months_sharing_keys(self.home, self.region, self.ledger[count:], landed)
        known |= {number: sorted(months) for number, months in enumerate(found, count) if months}
        return known

    def _noted_shared(self) -> tuple[dict[int, list[str]], int]:
        """What was noted, and of how many lines; of none that every month has seen, where nothing was."""
        with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            page = self.lake.read_document(ROOM, SHARED, self.region)
            count = int(page["line_count"])
            if count < len(self._ledger_digests) and self._ledger_digests[count] == page["ledger"]:
                return {int(number): months for number, months in page["months"].items()}, count
        return {}, min(map(self._start, self.bases.values()), default=len(self.ledger))

    @cached_property
    def _ledger_digests(self) -> list[str]:
        """Of the first 0, 1, 2 ... lines of the ledger."""
        found = [""]
        for line in self.ledger:
            found.append(digest(f"{found[-1]} {line.feed} {line.file_name} {line.delivery_id} {line.fingerprint}"))
        return found

    @property
    def ledger_digest(self) -> str:
        return self._ledger_digests[-1]

    def _start(self, then: Basis) -> int:
        """The first line of the ledger that the month has not seen; all of them when the ledger is another one."""
        digests = self._ledger_digests
        is_same = then.line_count < len(digests) and digests[then.line_count] == then.ledger
        return then.line_count if is_same else 0

    @cached_property
    def _code(self) -> str:
        return f"{__version__}+{digest(lock_text(self.contracts))[:8]}"

    @cached_property
    def _registers(self) -> str:
        names = sorted(c.name for c in self.contracts.incoming.values() if not c.is_event)
        have = [name for name in names if self.lake.has("validated", name, self.region)]
        return digest({name: _content(self.lake.read("validated", name, self.region)) for name in have})

    @cached_property
    def _corrections(self) -> pl.DataFrame | None:
        if self.register_of_corrections is not None:
            return self.register_of_corrections
        has_some = self.lake.has("validated", "correction", self.region)
        return self.lake.read("validated", "correction", self.region) if has_some else None

    def _corrections_of(self, month: str) -> str:
        if self._corrections is None:
            return ""
        read = [add_months(month, n) for n in (-12, -1, 0, 1)]
        own = self._corrections.filter(pl.col("_month").is_in(read)).drop("where", "entry", "reason", "owner", "date")
        return _content(own) if len(own) else ""

    @cached_property
    def _versions(self) -> dict[int, tuple[str, str]]:
        """Of every version of the policy its name, and a digest of the rules for facts."""
        rounds = {
            name: [held.model_dump(mode="json"), rules.model_dump(mode="json", exclude={"rounds"})]
            for name, (held, rules) in self.policies.rounds(self.region).items()
        }
        return {
            id(policy): (
                policy_version(policy),
                digest([policy.model_dump(mode="json", exclude=set(ONLY_LATER)), sorted(policy.feeds), rounds]),
            )
            for policy in self.versions
        }

    def now(self, month: str) -> Basis:
        """What the month would be computed from now."""
        policy = self.policies.in_force(self.region, month)
        around = periods_of(month)
        ends = {p: self.policies.in_force(self.region, period_end_month(p)) for p in around.values()}
        closing = {p: closing_date(ends[p], period_end_month(p)) for p in ends}
        due = {feed: due_day(policy, feed, month) for feed in policy.deliveries}
        rounds = self.policies.rounds(self.region).items()
        held = [name for name, (each, _) in rounds if each.period == month and each.is_due(self.today)]
        back = looks_back(self.versions)
        window = [m for m in self.published if add_months(month, -back) <= m < month]
        return Basis(
            month=month,
            line_count=len(self.ledger),
            ledger=self.ledger_digest,
            rules=self._versions[id(policy)][1],
            code=self._code,
            registers=self._registers,
            corrections=self._corrections_of(month),
            as_of=as_of(month, self.today).isoformat(),
            overdue=tuple(sorted([*(feed for feed, day in due.items() if day and self.today > day), *held])),
            policies={p: self._versions[id(ends[p])][0] for p in around.values()},
            listed_count=len(self.ledger),
            closed=tuple(sorted(p for p in ends if period_end_month(p) == month and self.today >= closing[p])),
            earlier={m: token(self.bases[m]) if m in self.bases else "" for m in sorted(window)},
            published=self.digests.get(month, ""),
        )

    def stale(self) -> tuple[dict[str, list[Cause]], dict[str, list[Cause]]]:
        """Why validated and facts of a month must run, and why only what comes after them; by month."""
        whole: dict[str, list[Cause]] = {}
        onward: dict[str, list[Cause]] = {}
        registers = [d for d in self.foreseen if DATED in d.months]
        for month in self.known:
            then = self.bases.get(month)
            if then is None or month not in self.published:
                whole[month] = [Cause("new", "has not been published from here")]
                continue
            start = self._start(then)
            new = [line for line, to in zip(self._lines[start:], self._reaches[start:], strict=True) if month in to]
            own, later = differences(then, self.now(month), new, [m for m in self.known if m > month])
            own += [Cause("register", line.file_name, line.delivery_id) for line in registers]
            if not _is_reported(self.lake, self.region, then):
                later.append(Cause("report", "its report was not made"))
            if own:
                whole[month] = own
            if later:
                onward[month] = later
        return whole, self._with_deliveries(whole, onward)

    def _with_deliveries(
        self, whole: Mapping[str, list[Cause]], onward: dict[str, list[Cause]]
    ) -> dict[str, list[Cause]]:
        """The last published month publishes the list of deliveries anew, whatever these touch."""
        if not self.bases or whole or onward:
            return onward
        seen = max(b.listed_count for b in self.bases.values())
        if new := self._lines[seen:]:
            causes = [Cause("delivery", line.file_name, line.delivery_id) for line in new]
            return {max(self.bases): causes}
        return onward

    def affected(self, asked: Iterable[str] | None = None, of: Collection[CauseCode] | None = None) -> list[Affected]:
        """The months to run: what is stale (`of`: for such a cause) and what looks at it; or (`asked`) those, what
        looks at them, and of the stale months those from the one before to the last that looks at them."""
        whole, onward = self.stale()
        if of is not None:
            is_meant = {
                m for found in (whole, onward) for m, causes in found.items() if {c.code for c in causes} & set(of)
            }
            whole, onward = ({m: c for m, c in found.items() if m in is_meant} for found in (whole, onward))
        if asked is not None:
            chosen = [m for m in self.known if m in set(asked)]
            if not chosen:
                return []
            last = add_months(chosen[-1], looks_back(self.versions))
            near = {m for m in (*whole, *onward) if add_months(chosen[0], -1) <= m <= last and m in self.published}
            near |= set(chosen)
            whole = {m: c for m, c in whole.items() if m in near}
            onward = {m: c for m, c in onward.items() if m in near}
            for month in chosen:
                whole[month] = [Cause("asked", "asked for"), *whole.get(month, ())]
        return affected(whole, onward, self.published, self.versions)

    def causes(self, month: str) -> dict[str, Restated]:
        """Why a run of the month now changes what was published of it and of the longer periods around it, by period.

        Another policy first, then another program, for these may change every row; else the deliveries since that touch
        the month or one that it looks at, and those whose rows a correction means. Empty where nothing is known.
        """
        then, now = self.bases.get(month), self.now(month)
        if then is None:
            return {}
        others = {m for m in {*then.earlier, *now.earlier} if then.earlier.get(m) != now.earlier.get(m)}
        policies = {_policy_of(now.earlier.get(m, "")) for m in others}
        policies -= {"", *(_policy_of(then.earlier.get(m, "")) for m in others)}
        deliveries = self._deliveries_since(then, now, others)
        found: dict[str, Restated] = {}
        for period, version in now.policies.items():
            if then.policies.get(period) != version:
                found[period] = Restated("policy", version)
            elif then.code != now.code:
                found[period] = Restated("code", now.code)
            elif deliveries:
                found[period] = Restated("delivery", ",".join(deliveries[-MOST_NAMED:]))
            elif policies:
                found[period] = Restated("policy", max(policies))
        return found

    def _deliveries_since(self, then: Basis, now: Basis, others: Collection[str]) -> list[str]:
        start, seen = self._start(then), min(then.listed_count, len(self.ledger))
        added = {m for m in now.earlier if m not in then.earlier}
        months = {m for m in now.earlier if m in others}
        ids = []
        for number, (line, to) in enumerate(zip(self.ledger, self._reaches, strict=False)):
            is_own = number >= start and now.month in to
            is_earlier = number >= seen and not months.isdisjoint(to)
            if line.status_code == "landed" and (
                is_own or is_earlier or not added.isdisjoint(to) or (number >= seen and DATED in to)
            ):
                ids.append(line.delivery_id)
        if then.corrections != now.corrections and self._corrections is not None:
            ids += self._corrections.sort("entry")["_delivery_id"].to_list()
        return list(dict.fromkeys(ids))


def present(home: Home, policies: Policies, contracts: Contracts, region: str, today: dt.date) -> Present:
    """The region as it is on that day."""
    from kinerja_pipeline.warehouse.status import held

    found = held(warehouse_url(home), region)
    return Present(home, policies, contracts, region, today, found.digests, found.statuses)


def registers_basis(home: Home, policy: Policy, contracts: Contracts) -> str:
    """A digest of all that a region's registers are validated from: their deliveries, mappings and contracts. Empty
    where there are corrections: whether these still fit the landed rows is asked at every landing."""
    if register_path(home.corrections, policy.region).is_file():
        return ""
    dated = sorted(c.name for c in contracts.incoming.values() if not c.is_event)
    lines = [d for d in read_ledger(home.landing / policy.region) if d.feed in dated]
    mappings = {name: [m.model_dump(mode="json") for m in policy.feeds.get(name, [])] for name in dated}
    named = [[d.feed, d.file_name, d.delivery_id, d.fingerprint, d.status_code] for d in lines]
    said = [policy.time_zone, policy.first_month, sorted(policy.feeds)]
    return digest([__version__, lock_text(contracts), said, mappings, named])


def are_registers_current(home: Home, policy: Policy, contracts: Contracts) -> bool:
    """Whether validating the region's registers again would give what is there."""
    with suppress(FileNotFoundError, ValueError, KeyError):
        noted = Lake(home.lake).read_document("validated", REGISTERS, policy.region)["of"]
        return bool(noted) and noted == registers_basis(home, policy, contracts)
    return False


def note_registers(home: Home, policy: Policy, contracts: Contracts) -> None:
    """Notes what the region's registers were just validated from."""
    of = registers_basis(home, policy, contracts)
    Lake(home.lake).write_document({"of": of}, "validated", REGISTERS, policy.region)


def closing_date(policy: Policy, month: str) -> dt.date:
    """The day from which on the month is closed."""
    return month_start(add_months(month, 1)).replace(day=policy.periods.closing_day)


def read_bases(lake: Lake, region: str) -> dict[str, Basis]:
    """What the region's months were computed from, as far as that was noted by this version of the program."""
    found = {}
    for month in lake.document_months(ROOM, NAME, region):
        try:
            page = lake.read_document(ROOM, NAME, region, month)
            page |= {name: tuple(page[name]) for name in ("overdue", "closed")}
            found[month] = Basis(**page)
        except (ValueError, KeyError, TypeError):
            continue  # Noted by another version: the month counts as never computed here.
    return found


def note(present: Present, month: str, published: str, *, with_facts: bool) -> None:
    """Notes what a month was just computed from. Without `with_facts` its own facts rest on what they did before; where
    that is not known, nothing is noted."""
    now, then = replace(present.now(month), published=published), present.bases.get(month)
    if not with_facts and then is None:
        return
    if not with_facts and then is not None:
        now = replace(now, **{name: getattr(then, name) for name in _OF_FACTS})
    present.lake.write_document(asdict(now), ROOM, NAME, present.region, month)
    shared = {"line_count": now.listed_count, "ledger": present.ledger_digest, "months": present.shared}
    present.lake.write_document(shared, ROOM, SHARED, present.region)


def note_reported(lake: Lake, region: str, month: str) -> None:
    """Notes that the month's report shows what was published last: a run that is killed between the two leaves an old
    one, or none, and nothing else would tell."""
    if (then := read_bases(lake, region).get(month)) is not None:
        lake.write_document({"of": digest(asdict(then))}, ROOM, REPORTED, region, month)


def _is_reported(lake: Lake, region: str, then: Basis) -> bool:
    with suppress(FileNotFoundError, ValueError, KeyError):
        return bool(lake.read_document(ROOM, REPORTED, region, then.month)["of"] == digest(asdict(then)))
    return False


_OF_FACTS = ("line_count", "ledger", "rules", "code", "registers", "corrections", "as_of", "overdue")


def token(basis: Basis) -> str:
    """The policy and a digest: another one when the month was computed from something else, and not when it was
    published again."""
    own = digest([[getattr(basis, name) for name in _OF_FACTS], basis.closed])[:16]
    return f"{basis.policies[basis.month]} {own}"


def _policy_of(token: str) -> str:
    return token.rpartition(" ")[0]


def digest(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _content(frame: pl.DataFrame) -> str:
    """Digest of the rows, whatever their order and whichever file said so last."""
    own = frame.drop("_delivery_id", "_source_row", strict=False)
    return f"{len(own)}-{own.hash_rows(seed=0).sum() if len(own) else 0}"
