"""What generators hand to the file writers: rows by contract column, and deliveries of them.

Here: the two shapes and nothing else. Not here: making rows (people, attendance, tasks, ...) or writing them (formats).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

Value = str | int | float | bool | dt.date | dt.datetime | None
Row = dict[str, Value]
"""Contract column -> value. Text is written as it stands; a name that starts with `+` is a column of the file that no
contract knows; `_damage` says how the writer spoils the row (short, cut, nip_as_number)."""

DAMAGE = "_damage"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One file before it is a file: its rows, when it arrives, and what the pipeline must find in it.

    `landed` counts rows after the declared reshape, `superseded` the valid rows of earlier files that this one repeats
    or replaces, `planted` the rows that must be rejected, by kind (damage.BAD_ROWS).
    """

    feed: str
    file_name: str
    received_at: dt.datetime
    rows: Sequence[Row]
    landed: int
    superseded: int = 0
    set_aside: int = 0
    planted: dict[str, int] = field(default_factory=dict)
