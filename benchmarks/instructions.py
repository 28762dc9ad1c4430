"""How many instructions a command takes, counted by callgrind: the figure that no other work on the machine can shift.

    python benchmarks/instructions.py

For comparing two versions of the program where seconds are too noisy; the bare interpreter is told apart. Takes about
fifty times as long as the commands themselves. Where valgrind is not installed nothing is measured.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Figure, Timed, show

from kinerja_pipeline.home import Home, init_home

COMMANDS = {"python": ("-c", "pass"), "kinerja --help": ("--help",), "kinerja status": ("status",)}


def figures() -> tuple[list[Figure], dict[str, Timed]]:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return [Figure(label, None, None, "billion", "valgrind is not installed") for label in _names().values()], {}
    counted = {name: _counted(valgrind, given) for name, given in COMMANDS.items()}
    bare = counted.pop("python")
    detail = f"billions of instructions beyond those of the bare interpreter ({bare:.3f})"
    return [Figure(label, counted[name] - bare, None, "billion", detail) for name, label in _names().items()], {}


def _names() -> dict[str, str]:
    return {name: f"  instructions of {name}" for name in COMMANDS if name != "python"}


def _counted(valgrind: str, given: tuple[str, ...]) -> float:
    """Billions of instructions of one process, all its threads together."""
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "home")
        init_home(home)
        of = given if given[0] == "-c" else ("-m", "kinerja_pipeline.cli", *given)
        # Hashes of texts differ from process to process otherwise, and with them the work of every dictionary.
        environment = {**os.environ, "KINERJA_HOME": str(home.root), "PYTHONHASHSEED": "0"}
        command = [valgrind, "--tool=callgrind", f"--callgrind-out-file={place}/out", sys.executable, *of]
        said = subprocess.run(command, check=True, env=environment, capture_output=True, text=True).stderr
    found = re.search(r"Collected : (\d+)", said)
    if found is None:
        raise RuntimeError(f"callgrind did not count {' '.join(of)}:\n{said[-2000:]}")
    return int(found[1]) / 1e9


if __name__ == "__main__":
    show(figures()[0])
