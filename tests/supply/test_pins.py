"""What is installed is pinned by version and hash, comes from the index alone, and may be used."""

from __future__ import annotations

import re
from pathlib import Path

import pins as lists
import pytest
from licences import PAGE, installed, is_allowed, licence, rows
from packaging.markers import Marker
from pins import LISTS, PRODUCT, ROOT, NoPin, pins

HASH = f"--hash=sha256:{'0' * 64}"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", LISTS)
def test_every_line_of_a_list_is_one_version_with_its_hashes(name: str) -> None:
    assert pins(name)


@pytest.mark.parametrize(
    "line",
    [
        "rich==15.0.0",
        "rich>=15.0.0 " + HASH,
        "rich==15.0.0 --hash=md5:d41d8cd98f00b204e9800998ecf8427e",
        f"rich @ https://example.org/rich.whl {HASH}",
        f"-e ./rich {HASH}",
        "--index-url https://example.org/simple",
        "--extra-index-url https://example.org/simple",
        f"rich==15.0.0 ; sys_platform == 'linux' --index-url https://example.org {HASH}",
        "# a remark",
    ],
)
def test_a_line_that_is_anything_else_is_refused(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list.txt").write_text(f"click==8.5.1 {HASH}\n{line}\n", encoding="utf-8")
    monkeypatch.setattr(lists, "LISTS", {"list.txt": tmp_path / "list.txt"})
    with pytest.raises(NoPin, match=f"list.txt: {re.escape(line[:20])}"):
        pins("list.txt")


def test_every_list_is_written_by_make_lock_and_installed_with_its_hashes_alone() -> None:
    locked = MAKEFILE.split("\nlock:")[1].split("\n\n")[0]
    assert {*re.findall(r"-o (\S+\.txt)", locked)} == {*LISTS}
    installs = re.findall(r"(\S.*) -r (\S+)", MAKEFILE.replace("\\\n", ""))
    assert [name for options, name in installs if "--require-hashes" not in options] == []
    # A list is named where it is installed, or its environment is asked for and the one rule for them installs it.
    asked = {f"{name}.txt" for name in re.findall(r"^\w.*: .*\s\.(\w+)/installed", MAKEFILE, re.MULTILINE)}
    assert ".%/installed: %.txt" in MAKEFILE
    assert {name for _, name in installs if name != "$<"} | asked == {*LISTS}


def test_what_runs_here_is_what_is_pinned() -> None:
    pinned = {pin.name: pin.version for pin in pins(PRODUCT) if not pin.marker or Marker(pin.marker).evaluate()}
    assert {name: installed().get(name) for name in pinned} == pinned, "make .venv/installed"


def test_every_licence_is_known_and_allowed() -> None:
    assert {name for name in installed() if not licence(name)} == set(), "look at these, then say so in licences.py"
    assert {name: licence(name) for name in installed() if not is_allowed(licence(name))} == {}


def test_the_page_of_licences_is_what_the_packages_say() -> None:
    """Packages of other systems are pinned too; they cannot be asked here."""
    told = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")][1:]
    assert [row for row in rows() if row not in told] == [], "run `make docs`"
    assert {row.split(" | ")[0].strip("| ") for row in told} <= {pin.name for pin in pins(PRODUCT)}, "run `make docs`"
