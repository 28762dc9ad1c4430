"""What a run would do, found out beforehand: which months, why, and which published periods may move.

Here: the plan of a region as a value, as a terminal table and as plain values. Nothing is landed, computed or written.
Not here: the rule (orchestration/affected), running (orchestration/launch).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from rich.console import Console
from rich.table import Table

from kinerja_pipeline.contracts.model import Contracts
from kinerja_pipeline.facts.periods import spans
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import Foreseen, foresee
from kinerja_pipeline.orchestration.affected import Affected, Cause, periods_moved
from kinerja_pipeline.orchestration.approval import permitted, read_approval, told
from kinerja_pipeline.orchestration.basis import Present, present
from kinerja_pipeline.policies.dated import Policies
from kinerja_pipeline.validated.corrections import CorrectionError
from kinerja_pipeline.validated.judge import corrections_of

_DEPTHS = {"whole": "all", "onward": "indicators"}
_SHOWN_CAUSES = 3


@dataclass(frozen=True, slots=True)
class Period:
    """A published period that may come out otherwise, and what the warehouse says of it now."""

    period: str
    status_code: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run of the region would do: files to take in, months to run, published periods that may move.

    `waiting` is what of it waits for approval, unless somebody asks for it (`kinerja run`) where the policy leaves that
    to people; `problem` is why a run would stop before its first month.
    """

    region: str
    files: tuple[Foreseen, ...]
    months: tuple[Affected, ...]
    periods: tuple[Period, ...]
    problem: str | None = None
    waiting: str | None = None

    @property
    def closed(self) -> list[str]:
        return [each.period for each in self.periods if each.status_code == "closed"]


def plan(home: Home, policies: Policies, contracts: Contracts, region: str, today: dt.date) -> Plan:
    """The plan of a region as it is on that day, with the files that have not landed yet."""
    policy = policies[region]
    files = foresee(home, region, policy, contracts)
    now = replace(
        present(home, policies, contracts, region, today),
        foreseen=[file.delivery for file in files],
        foreseen_keys={number: file.shared for number, file in enumerate(files)},
    )
    problem = None
    try:
        now = replace(now, register_of_corrections=corrections_of(home, policy, contracts.incoming))
    except CorrectionError as error:
        problem = str(error)
    return planned(now, tuple(files), problem)


def planned(now: Present, files: tuple[Foreseen, ...] = (), problem: str | None = None) -> Plan:
    """The plan of a region that is known already."""
    months = tuple(now.affected())
    moved = periods_moved([each.month for each in months], now.statuses)
    policy, approved = now.policies[now.region], read_approval(now.home, now.region)
    may = permitted(months, now.statuses, policy.periods, approved, is_asked=False)
    waiting = told(now.region, may.waiting, may.why) if may.waiting else None
    return Plan(now.region, files, months, tuple(Period(p, now.statuses[p]) for p in moved), problem, waiting)


def as_values(plan: Plan) -> dict[str, Any]:
    """The plan as values that JSON knows."""
    files = [
        {
            "file_name": file.delivery.file_name,
            "feed": file.delivery.feed,
            "is_known": file.is_known,
            "months": sorted(m for m, count in file.delivery.months.items() if count),
            "row_count": file.delivery.row_count,
            "refused": file.delivery.reason if file.delivery.status_code == "refused" else None,
        }
        for file in plan.files
    ]
    months = [{**asdict(each), "causes": [asdict(cause) for cause in each.causes]} for each in plan.months]
    periods = [asdict(each) for each in plan.periods]
    notes = {"problem": plan.problem, "waiting": plan.waiting}
    return {"region": plan.region, "files": files, "months": months, "periods": periods, **notes}


def show(plan: Plan, console: Console) -> None:
    """Prints the plan: files, months with their reasons, periods."""

    def say(text: str) -> None:
        console.print(f"{plan.region}: {text}", highlight=False, soft_wrap=True, markup=False)

    for file in plan.files:
        say(_file(file))
    if plan.problem:
        say(f"a run would stop: {plan.problem}")
    if not plan.months:
        say("nothing to run.")
        return
    table = Table(title=f"{plan.region}: to run", title_justify="left")
    for heading in ("month", "computed", "because"):
        table.add_column(heading)
    for each in plan.months:
        table.add_row(each.month, _DEPTHS[each.depth], "\n".join(_because(each.causes)))
    console.print(table)
    if not plan.periods:
        say("nothing published moves.")
    still = [each.period for each in plan.periods if each.status_code != "closed"]
    if still:
        say(f"published and open, may move: {', '.join(still)}.")
    if plan.closed:
        say(f"published and CLOSED, may move (every change is recorded in `restatement`): {', '.join(plan.closed)}.")
    if plan.waiting:
        console.print(plan.waiting, highlight=False, soft_wrap=True, markup=False)


def _file(file: Foreseen) -> str:
    line = file.delivery
    if line.status_code == "refused":
        return f"would be refused: {line.reason}"
    why = "read anew, for its mapping or contract changed" if file.is_known else "new"
    months = [m for m, count in sorted(line.months.items()) if count]
    where = "a register" if "dated" in months else ", ".join(spans(months)) or "no row"
    return f"{line.file_name}: {why}, {line.row_count:,} rows ({where})"


def _because(causes: tuple[Cause, ...]) -> Iterator[str]:
    by_code: dict[str, list[str]] = {}
    for cause in causes:
        by_code.setdefault(cause.code, []).append(cause.text)
    for code, texts in by_code.items():
        more = f" and {len(texts) - _SHOWN_CAUSES} more" if len(texts) > _SHOWN_CAUSES else ""
        what = "file " if code == "delivery" else ""
        yield f"{what}{', '.join(texts[:_SHOWN_CAUSES])}{more}"
