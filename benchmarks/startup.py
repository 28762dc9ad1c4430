"""What a person waits for before anything happens: the command's help, its overview, the definitions' load.

    python benchmarks/startup.py

Each in a process of its own, five times in turn after one uncounted round. The one place where no ratio is asked for,
because people wait in seconds: the processor's, which are those of an idle machine. Beside each, the bare interpreter.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Figure, Timed, in_turn, show, told

from kinerja_pipeline.home import Home, init_home

LOAD = "from kinerja_pipeline.definitions import kinerja; kinerja().get_repository_def()"


def processor_seconds_of_children() -> float:
    return os.times().children_user + os.times().children_system


def figures() -> tuple[list[Figure], dict[str, Timed]]:
    with tempfile.TemporaryDirectory() as place:
        home = Home(Path(place) / "home")
        init_home(home)
        environment = {**os.environ, "KINERJA_HOME": str(home.root)}

        def ran(*arguments: str) -> None:
            command = [sys.executable, *arguments]
            subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        timed = in_turn(
            {
                "python": lambda: ran("-c", "pass"),
                "kinerja --help": lambda: ran("-m", "kinerja_pipeline.cli", "--help"),
                "kinerja status": lambda: ran("-m", "kinerja_pipeline.cli", "status"),
                "definitions": lambda: ran("-c", LOAD),
            },
            clock=processor_seconds_of_children,
        )
    bounds = {"kinerja --help": 0.4, "kinerja status": 1.0, "definitions": 3.0}
    beside = told({"python": timed["python"]})
    return [
        Figure(name, timed[name].median, bound, "s", f"{told({name: timed[name]})}; {beside}")
        for name, bound in bounds.items()
    ], timed


if __name__ == "__main__":
    show(figures()[0])
