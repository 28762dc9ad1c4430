"""The server's processes killed at random while files arrive, a second daemon beside the first, and an operator at the
command line meanwhile: nothing delivered is lost, and every published number is the one that a home comes to in which
nobody was disturbed.

`make reliability` does it for KINERJA_CHAOS_MINUTES (2 unless it says otherwise) and prints what it killed and found.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from dagster import DagsterInstance, RunsFilter
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES
from home_warehouse import address, query
from line_world import hashes, kinerja, succeeded, torn_publications, write_small_world
from told import Told

from kinerja_pipeline.demo.world import RegionSummary
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.landing.ledger import in_force, read_ledger

MINUTES = float(os.environ.get("KINERJA_CHAOS_MINUTES", "2"))
REGIONS = ("salor", "pariaman")
CUT = ("attendance_log", "task_record", "feedback_response")
PIECES = 3
CALM_SECONDS = 45
PATIENCE_SECONDS = 1200
KINDS: dict[str, Callable[[str], bool]] = {
    "daemon": lambda command: "dagster._daemon" in command,
    "web server": lambda command: "dagster_webserver" in command,
    "code server": lambda command: "code-server" in command or " api grpc" in command,
    "run": lambda command: "multiprocessing.spawn" in command or "multiprocessing.forkserver" in command,
    "command": lambda command: "kinerja_pipeline.cli ui" in command,
    "operator": lambda command: "kinerja_pipeline.cli run" in command,
    "everything": lambda _: True,
}
"""What is killed. Of the `command` alone: what it started must end with it, or two daemons would go on."""


def processes(home: Home) -> Iterator[tuple[int, str]]:
    """Every process that works on the home, by number and command line; not this one."""
    wanted = f"KINERJA_HOME={home.root}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        try:
            said = place.joinpath("environ").read_bytes().split(b"\0")
            command = place.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # Gone since.
        if wanted in said and command and int(place.name) != os.getpid():
            yield int(place.name), command


def kill(home: Home, kind: str) -> int:
    """Kills what there is of the kind at this moment; how many processes that were."""
    found = [number for number, command in processes(home) if KINDS[kind](command)]
    for number in found:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            found.remove(number)
    return len(found)


class Server:
    """`kinerja ui`, started again as soon as it has ended, as a service manager does it."""

    def __init__(self, home: Home, log: Path) -> None:
        self.home, self.log, self.starts = home, log, 0
        self._is_wanted = True
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    def _keep(self) -> None:
        while self._is_wanted:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = str(free.getsockname()[1])
            with self.log.open("ab") as log:
                command = [sys.executable, "-m", "kinerja_pipeline.cli", "ui", "--port", port]
                self._process = subprocess.Popen(command, env=environment_of(self.home), stdout=log, stderr=log)
                self.starts += 1
                self._process.wait()

    def stop(self) -> None:
        self._is_wanted = False
        end = time.monotonic() + 90
        while self._keeper.is_alive() and time.monotonic() < end:
            # Again and again: it may be about to start the next.
            if self._process is not None:
                self._process.send_signal(signal.SIGINT)
            self._keeper.join(5)


def environment_of(home: Home) -> dict[str, str]:
    settings = {"KINERJA_HOME": str(home.root), "KINERJA_WAREHOUSE_URL": address(home), "KINERJA_SCHEDULES": "on"}
    return {**os.environ, **settings, "DAGSTER_HOME": str(home.dagster)}


class Beside:
    """What works on the home beside the server, begun anew now and then: a second daemon, as somebody starts it by
    hand, and an operator's `kinerja run`. One at a time of each; killed with everything else."""

    COMMANDS: Mapping[str, tuple[str, ...]] = {
        "second daemon": ("-m", "dagster._daemon", "run", "-m", "kinerja_pipeline.definitions"),
        "operator": ("-m", "kinerja_pipeline.cli", "run", "--all"),
    }

    def __init__(self, home: Home, folder: Path) -> None:
        self.home, self.folder, self.begun = home, folder, Counter[str]()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.ends: list[int] = []

    def begin(self, name: str) -> None:
        before = self._running.get(name)
        if before is not None and before.poll() is None:
            return
        self._note(name)
        with (self.folder / f"{name}.log").open("ab") as log:
            command = [sys.executable, *self.COMMANDS[name]]
            self._running[name] = subprocess.Popen(
                command, env=environment_of(self.home), stdout=log, stderr=log, start_new_session=True
            )
        self.begun[name] += 1

    def stop(self) -> None:
        for name, process in self._running.items():
            if name != "operator":
                process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)
            self._note(name)
        self._running.clear()

    def _note(self, name: str) -> None:
        if name == "operator" and name in self._running:
            self.ends.append(self._running[name].wait())


def files_of(world: Path, place: Path, planted: dict[str, RegionSummary]) -> dict[str, int]:
    """The world's files in `place`, event feeds' texts cut into pieces that arrive one after the other. By name, how
    many rows: counted by lines, and by what the world says that its lines become."""
    rows = {}
    for region in REGIONS:
        for file in planted[region].files:
            source = world / region / file.path
            is_cut = file.feed in CUT and source.suffix in (".csv", ".jsonl", ".dat")
            lines = source.read_bytes().splitlines(keepends=True) if source.suffix != ".parquet" else []
            head, body = (lines[:1], lines[1:]) if source.suffix == ".csv" else ([], lines)
            delivered = file.landed + file.set_aside
            size = -(-len(body) // PIECES) if is_cut else max(len(body), 1)
            pieces = [body[start : start + size] for start in range(0, len(body), size)] or [[]]
            for number, piece in enumerate(pieces):
                name = source.relative_to(world).as_posix()
                name = name.replace("2026-0", f"{number}_2026-0") if is_cut else name
                target = place / name
                target.parent.mkdir(parents=True, exist_ok=True)
                if is_cut:
                    target.write_bytes(b"".join([*head, *piece]))
                else:
                    shutil.copyfile(source, target)
                at = source.stat().st_mtime + number
                os.utime(target, (at, at))
                assert not is_cut or delivered * len(piece) % len(body) == 0
                rows[name] = delivered * len(piece) // len(body) if is_cut else delivered
    return rows


def deliver(source: Path, target: Path) -> None:
    """Writes the file under a temporary name first, as the deployment page asks of suppliers."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    shutil.copy2(source, part)
    part.rename(target)


def under_way(home: Home) -> int:
    with DagsterInstance.from_config(str(home.dagster)) as instance:
        return len(instance.get_runs(RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES)))


def left_to_do(home: Home) -> list[str]:
    """What `kinerja plan` would still run."""
    told = json.loads(succeeded(kinerja(home, "plan", "--json")))
    return [f"{region['region']} {month['month']}: {month['causes']}" for region in told for month in region["months"]]


def wait_until_idle(home: Home) -> float:
    """Until nothing has run for a while; raises when that takes too long."""
    began = quiet = time.monotonic()
    while time.monotonic() - quiet < CALM_SECONDS:
        assert time.monotonic() - began < PATIENCE_SECONDS, "the daemon never came to rest"
        if under_way(home):
            quiet = time.monotonic()
        time.sleep(2)
    return quiet - began


def not_conserved(home: Home, region: str) -> list[tuple[object, ...]]:
    """Landed deliveries of which some rows are neither valid nor rejected nor superseded, or of which that is not
    known: only of a refused file it is not."""
    counts = f"""SELECT file_name, row_count, valid_count, rejected_count, superseded_count FROM delivery
        WHERE region = '{region}' AND status_code = 'landed'
        AND coalesce(row_count <> valid_count + rejected_count + superseded_count, true)"""
    return query(home, counts)


@pytest.mark.long
def test_kills_at_random_while_files_arrive_lose_no_row_and_change_no_number(tmp_path: Path, told: Told) -> None:
    made, home = Home(tmp_path / "world"), Home(tmp_path / "home")
    planted = write_small_world(made)
    rows = files_of(made.landing, tmp_path / "files", planted)
    init_home(home)
    for region in REGIONS:
        (home.landing / region).mkdir()
    # In the order of their times: that is the order of arrival, here and in the home that is not disturbed.
    todo = sorted(rows, key=lambda name: ((tmp_path / "files" / name).stat().st_mtime, name))
    server, chance, kills, began = Server(home, tmp_path / "server.log"), random.Random(), Counter[str](), time.time()
    beside, joins = Beside(home, tmp_path), began + 20
    killed = 0
    end, arrival, strike, kind = began + MINUTES * 60, began, began + 30, "run"
    try:
        while time.time() < end:
            if todo and time.time() > arrival:
                # Several at once and then a while nothing: what comes without a pause is landed and landed again, and
                # no month is computed before the pause.
                share = (arrival - began) / (MINUTES * 60 - 60) if MINUTES > 1 else 1
                due = max(1, len(todo) - round(len(rows) * (1 - min(share, 1))))
                for name in todo[:due]:
                    deliver(tmp_path / "files" / name, home.landing / name)
                del todo[:due]
                arrival = time.time() + chance.uniform(10, 40)
            if time.time() > joins:
                beside.begin(chance.choice(list(Beside.COMMANDS)))
                joins = time.time() + chance.uniform(5, 15)
            if time.time() > strike and (count := kill(home, kind)):
                kills[kind] += 1
                killed += count
                kind, strike = chance.choice([*KINDS, "run", "run"]), time.time() + chance.uniform(5, 20)
            time.sleep(0.1)
        assert todo == []
        beside.stop()
        rested = wait_until_idle(home)
        remaining = left_to_do(home)
    finally:
        beside.stop()
        server.stop()
    end = time.time() + 60
    while (left_alive := list(processes(home))) and time.time() < end:
        time.sleep(1)  # The code servers of a daemon that was killed end when they miss it.
    kinerja(home, "doctor", "--fix")
    doctor = kinerja(home, "doctor")

    undisturbed = Home(tmp_path / "undisturbed")
    init_home(undisturbed)
    for region in REGIONS:
        shutil.copytree(tmp_path / "files" / region, undisturbed.landing / region)
    kinerja(undisturbed, "run", "--all")
    differing, landed, places = [], Counter[str](), []
    for region in REGIONS:
        lines = [line for line in in_force(read_ledger(home.landing / region)) if line.status_code == "landed"]
        landed.update({f"{region}/{line.file_name}": (line.row_count or 0) for line in lines})
        found, wanted = hashes(home, region), hashes(undisturbed, region)
        differing += [(region, *key) for key in wanted.keys() | found.keys() if found.get(key) != wanted.get(key)]
        places += [region for _ in wanted]
    with DagsterInstance.from_config(str(home.dagster)) as instance:
        ended = Counter(run.status.value.lower() for run in instance.get_runs())
    lost = {name: (count, landed[name]) for name, count in rows.items() if landed[name] != count}
    unjudged = [bad for region in REGIONS for bad in not_conserved(home, region)]
    torn = [torn for region in REGIONS for torn in torn_publications(home, region)]
    said = (tmp_path / "operator.log").read_text() if beside.begun["operator"] else ""
    print(
        f"\n{MINUTES:g} minutes: {sum(kills.values())} kills of {killed} processes "
        f"({', '.join(f'{count} of {kind}' for kind, count in sorted(kills.items()))}), "
        f"{server.starts} starts of the server, {beside.begun['second daemon']} second daemons, "
        f"{beside.begun['operator']} operator's runs (ended with {sorted(beside.ends)}), at rest {rested:.0f} s after "
        f"the last\n"
        f"{len(rows)} files, {sum(rows.values()):,} rows delivered, {sum(landed.values()):,} landed, "
        f"{sum(count - kept for count, kept in lost.values())} lost; runs {dict(ended)}\n"
        f"{len(places)} tables x periods compared with a home nobody disturbed: {len(differing)} differ"
    )
    gone = sum(count - kept for count, kept in lost.values()) + len(unjudged)
    told.row("kill -9 of servers, runs and all, files arriving", kills.total(), lost=gone, mixed=len(torn))
    told.row("two daemons at once, under the same kills", beside.begun["second daemon"], lost=gone, mixed=len(torn))
    told.row("an operator's run beside the sensor", beside.begun["operator"], lost=gone, mixed=len(torn))
    assert kills.total() > 0, "nothing was killed"
    assert remaining == [], "the daemon left something to do"
    assert lost == {}
    assert (unjudged, torn) == ([], [])
    assert "Traceback" not in said
    assert differing == []
    assert (doctor.exit_code, left_alive) == (0, []), doctor.output
    assert under_way(home) == 0
