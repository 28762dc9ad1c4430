"""What the pinned lists say: every package that anything here installs, with its version and its hashes.

Here: the lists at the top of the tree -> values. Not here: what a package's own metadata says (licences), asking
anybody (supply).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LISTS = {path.name: path for path in sorted(ROOT.glob("*.txt"))}
PRODUCT = "constraints.txt"
"""What is installed with the product and its tests; every other list has an environment of its own."""

_PIN = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[0-9][0-9a-z.]*)"
    r"(?: ; (?P<marker>[A-Za-z0-9_'.<>=!()* ]+?))?"
    r"(?: --hash=sha256:[0-9a-f]{64})+"
)


class Pin(NamedTuple):
    name: str
    version: str
    marker: str
    """Where it is installed: '' everywhere, else the condition of PEP 508."""


class NoPin(ValueError):
    """A line that is anything but a version with its hashes."""


def pins(name: str) -> list[Pin]:
    """The pins of one list. A line without a hash, or with an address, an option or a range, is refused."""
    text = LISTS[name].read_text(encoding="utf-8")
    found = []
    for line in re.sub(r"\s*\\\n\s*", " ", text).splitlines():
        said = _PIN.fullmatch(line.replace('"', "'"))
        if said is None:
            raise NoPin(f"{name}: {line[:80]}")
        found.append(Pin(said["name"], said["version"], said["marker"] or ""))
    return found
