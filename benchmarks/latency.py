"""How long a delivered file takes to the warehouse, with `kinerja ui` running as an operator runs it.

    python benchmarks/latency.py [--files 20] [--employees 30]

Makes a home of one made-up region and two months, publishes it, starts the server with KINERJA_SCHEDULES=on and drops
files of one task each, one after the other, every fourth into the earlier month, which the later one looks at. Measured
is the time from the moment a file is complete until its task stands in the warehouse and the publication is in the
ledger, as another process reads it. Prints median and worst. Not a test: machines are noisy.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kinerja_pipeline.demo.world import write_world
from kinerja_pipeline.home import Home, init_home

REGION = "salor"
MONTHS = ("2026-02", "2026-03")
PATIENCE_SECONDS = 300


def command(home: Home, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "kinerja_pipeline.cli", "--home", str(home.root), *arguments]


def make_home(place: Path, employees: int) -> Home:
    made, home = Home(place / "world"), Home(place / "home")
    init_home(made)
    write_world(made, employees_per_region=employees, months=MONTHS)
    init_home(home)
    shutil.copytree(made.landing / REGION, home.landing / REGION)
    subprocess.run(command(home, "run", "--all"), check=False, stdout=subprocess.DEVNULL)
    return home


def task(home: Home, number: str, month: str) -> bytes:
    """A file of one task: the first of the month's, under another number."""
    header, row = (home.landing / REGION / "task_record" / f"tugas_{month}.csv").read_bytes().splitlines()[:2]
    return b"\n".join([header, number.encode() + row[row.index(b";") :], b""])


def is_published(home: Home, number: str) -> bool:
    question = """SELECT 1 FROM task_outcome AS t JOIN publication AS p
        ON p.region = t.region AND p.period = t.period AND p.table_name = 'task_outcome' WHERE t.task_id = ?"""
    with contextlib.closing(sqlite3.connect(home.warehouse, timeout=30)) as connection:
        return connection.execute(question, (number,)).fetchone() is not None


def seconds_to_publication(home: Home, number: str, month: str) -> float:
    target = home.landing / REGION / "task_record" / f"tugas_{number}.csv"
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(task(home, number, month))
    part.rename(target)
    start = time.time()
    os.utime(target, (start, start))
    while not is_published(home, number):
        if time.time() - start > PATIENCE_SECONDS:
            raise SystemExit(f"{target.name} is not in the warehouse after {PATIENCE_SECONDS} s")
        time.sleep(0.1)
    return time.time() - start


def is_quiet(home: Home) -> bool:
    """Whether nothing of an earlier file is left to run: later months look at earlier ones."""
    told = subprocess.run(command(home, "plan", "--region", REGION, "--json"), capture_output=True, text=True)
    months = json.loads(told.stdout)[0]["months"] if told.returncode == 0 else [1]
    return not [m for m in months if {c["code"] for c in m["causes"]} & {"delivery", "month", "new"}]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--employees", type=int, default=30)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kinerja-latency-") as folder:
        home = make_home(Path(folder), given.employees)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        environment = {**os.environ, "KINERJA_SCHEDULES": "on"}
        log = (Path(folder) / "server.log").open("wb")
        server = subprocess.Popen(command(home, "ui", "--port", port), env=environment, stdout=log, stderr=log)
        taken = []
        try:
            # The first file meets a server that has only just started; it is not counted.
            for number in range(given.files + 1):
                month = MONTHS[0] if number % 4 == 3 else MONTHS[1]
                seconds = seconds_to_publication(home, f"SLR-LATE-{number:04d}", month)
                taken += [seconds] if number else []
                print(f"{number:3} {month} {seconds:6.1f} s", flush=True)
                while not is_quiet(home):
                    time.sleep(1)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(60)
            log.close()
    found = {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "files": len(taken),
        "median_seconds": round(statistics.median(taken), 1),
        "worst_seconds": round(max(taken), 1),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
