"""The one table at the end of `make reliability`: what was broken how often, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Row:
    fault: str
    trials: int
    lost: int | None
    reads: int | None
    mixed: int | None
    leaks: int | None


class Told:
    """What the long tests saw, a row for each kind of fault: what `make reliability` prints at its end."""

    def __init__(self) -> None:
        self.rows: list[_Row] = []

    def row(
        self,
        fault: str,
        trials: int,
        *,
        lost: int | None = None,
        reads: int | None = None,
        mixed: int | None = None,
        leaks: int | None = None,
    ) -> None:
        """Before anything is asserted, so that the table has what went wrong too. None: not looked for."""
        self.rows.append(_Row(fault, trials, lost, reads, mixed, leaks))

    def table(self) -> list[str]:
        heads = ("fault", "trials", "lost rows", "reads", "inconsistent", "leaks")
        sums = [[row.lost for row in self.rows], [row.mixed for row in self.rows], [row.leaks for row in self.rows]]
        lost, mixed, leaks = (sum(filter(None, column)) for column in sums)
        reads = sum(row.reads or 0 for row in self.rows)
        whole = _Row("all", sum(row.trials for row in self.rows), lost, reads, mixed, leaks)
        lines = [
            (r.fault, *("" if n is None else f"{n:,}" for n in (r.trials, r.lost, r.reads, r.mixed, r.leaks)))
            for r in (*self.rows, whole)
        ]
        width = max(len(line[0]) for line in lines)
        return [f"{line[0]:{width}}" + "".join(f"{cell:>14}" for cell in line[1:]) for line in (heads, *lines)]
