"""docs/licences.md: under which licence each package comes that is installed with the product or to develop it.

Here: what the packages' own metadata says -> SPDX names -> one page. Not here: which packages (the pinned list).
`python tests/supply/licences.py` writes the page.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pins import PRODUCT, ROOT, pins

PAGE = ROOT / "docs" / "licences.md"
ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "MIT", "MIT-0", "PSF-2.0", "Zlib"),
    # Its author has given up every right.
    "Public Domain",
    # These ask something of whoever changes or copies the package's own files; here they are installed as they are.
    *("LGPL-3.0-only", "MPL-2.0"),
}
_ALSO_WRITTEN = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache License Version 2.0": "Apache-2.0",
    "Apache License, Version 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "MIT License": "MIT",
    "MIT license": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
"""How packages without a licence expression (PEP 639) put it."""

OPENING = """\
# Licences

What `constraints.txt` installs on Linux, and under which licence, as each package says itself. `make docs` makes this
page; a test fails when it is out of date, or when a licence is not one of those that are known to go together with any
use of the product. Nothing of these packages is copied into it or changed.

*Product*: what `pip install kinerja-pipeline` brings. *Development*: tests, linters and what builds the package.

| package | licence | needed by |
|---|---|---|
"""


@cache
def licence(name: str) -> str:
    """As an SPDX expression; '' where the metadata does not say, or says it in words that nobody has looked at."""
    about = metadata(name)
    if expression := about.get("License-Expression"):
        return str(expression)
    classified = [c.rpartition(" :: ")[2] for c in about.get_all("Classifier") or [] if c.startswith("License :: ")]
    written = [_ALSO_WRITTEN.get(words, words) for words in (about.get("License") or "", " OR ".join(classified))]
    either = " OR ".join(sorted({_ALSO_WRITTEN.get(words, words) for words in classified}))
    return next((words for words in (*written, either) if is_allowed(words)), "")


def is_allowed(expression: str) -> bool:
    """Whether every licence that is named in it is one of ALLOWED."""
    return {part.strip() for part in re.split(r" AND | OR |[()]", expression)} - ALLOWED == set()


@cache
def installed() -> Mapping[str, str]:
    """The pinned packages that this machine has, and their versions."""
    found = {}
    for pin in pins(PRODUCT):
        try:
            found[pin.name] = version(pin.name)
        except PackageNotFoundError:
            assert pin.marker, f"{pin.name} is pinned for every machine and is not installed here"
    return found


def shipped() -> set[str]:
    """What the product's own requirements ask for, and what these ask for in turn."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting, seen = [Requirement(text) for text in project["dependencies"]], set[tuple[str, str]]()
    while waiting:
        asked = waiting.pop()
        for extra in ("", *asked.extras):
            if (key := (canonicalize_name(asked.name), extra)) not in seen:
                seen.add(key)
                waiting += [each for each in map(Requirement, requires(asked.name) or ()) if _holds(each, extra)]
    return {name for name, _ in seen}


def _holds(asked: Requirement, extra: str) -> bool:
    return asked.marker is None or asked.marker.evaluate({"extra": extra})


def rows() -> Iterator[str]:
    product = shipped()
    for name in sorted(installed()):
        yield f"| {name} | {licence(name) or '?'} | {'product' if name in product else 'development'} |"


def page() -> str:
    return OPENING + "".join(f"{row}\n" for row in rows())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
