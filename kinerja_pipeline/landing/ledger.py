"""The ledger of a region's deliveries: one line per file that landed or was refused, appended and never changed.

Here: its line, reading and appending, which line is in force. Not here: landing files (landing/deliveries).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from kinerja_pipeline.landing.reshape import LandingError

LEDGER = "deliveries.jsonl"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One line of the ledger: a file that landed, or was refused and why.

    `sequence` is the delivery's place in the region's order of arrival; landing the same bytes again under a changed
    mapping keeps it, so that an old file never overtakes a newer correction. `delivery_scope` is the pattern of the
    mapping's files: a `full` delivery is the whole truth of what came through its own mapping, and of nothing else.
    `contract_version` is the version of the feed's contract that it was read by; older ledgers do not say.
    """

    sequence: int
    delivery_id: str
    feed: str
    file_name: str
    received_at: str
    status_code: str
    reason: str | None
    file_row_count: int | None
    row_count: int | None
    set_aside: dict[str, int]
    months: dict[str, int]
    delivery_mode: str | None
    delivery_scope: str | None
    first_event_date: str | None
    last_event_date: str | None
    fingerprint: str
    contract_version: str | None = None


FIELDS = tuple(Delivery.__dataclass_fields__)
_LATER = ("contract_version",)


def read_ledger(folder: Path) -> list[Delivery]:
    """Every line of the ledger in a region's landing folder, in order; a last line that a kill cut short is no line.

    Raises LandingError when the ledger was damaged otherwise.
    """
    path = folder / LEDGER
    if not path.is_file():
        return []
    *lines, _torn = path.read_bytes().split(b"\n")
    deliveries = []
    for number, line in enumerate(lines, start=1):
        try:
            page = json.loads(line)
            deliveries.append(Delivery(**{name: page[name] for name in FIELDS if name in page or name not in _LATER}))
        except (ValueError, KeyError, TypeError) as error:
            raise LandingError(
                f"{path}, line {number}: not a line of the ledger. Restore the file from a backup, or delete it to "
                "land every file again."
            ) from error
    return deliveries


def append_delivery(folder: Path, delivery: Delivery) -> None:
    path = folder / LEDGER
    line = json.dumps(asdict(delivery), ensure_ascii=False) + "\n"
    with path.open("ab+") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        if size and file.read(1) != b"\n":
            # The last writer was killed: its torn line never counted.
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
        file.write(line.encode())
        file.flush()
        os.fsync(file.fileno())


def in_force(ledger: Iterable[Delivery]) -> list[Delivery]:
    """The line in force per feed and delivery: what landed stands, whatever its name; else the last refusal."""
    by_file = {(d.feed, d.file_name, d.delivery_id): d for d in ledger}
    states: dict[tuple[str, str], Delivery] = {}
    for line in by_file.values():
        now = states.get((line.feed, line.delivery_id))
        rank = (line.status_code == "landed", line.sequence)
        if now is None or rank >= (now.status_code == "landed", now.sequence):
            states[line.feed, line.delivery_id] = line
    return sorted(states.values(), key=lambda d: d.sequence)
