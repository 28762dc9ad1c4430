"""Would a test notice? `make mutation` changes one thing in the program at a time and runs the tests that reach it.

    .venv/bin/python tests/mutation/mutation.py --size 50 --seed 1 --area kpi

A copy of the tree is made in .mutation/tree, in which mutmut (mutation.txt) has put every mutant of a function beside
it; which one is called is said by the environment, so nothing is rewritten between runs. From each area a sample is
drawn. A mutant is tried by the area's tests that reach its function, the quickest first, in a process forked from one
that has imported the libraries, and is killed by the first that fails. What lived is printed as a patch, and kept in
.mutation/survivors.txt. Not mutated: what stands outside functions, and functions with decorators (properties, caches).
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".mutation"
TREE, LIBRARY = WORK / "tree", WORK / "lib"
COPIED = ("kinerja_pipeline", "data_contracts", "sql", "tests", "pyproject.toml", "workspace.yaml")
IMPORTED = (
    "great_expectations",
    "hypothesis",
    "psycopg",
    "_pytest.assertion.rewrite",
    "kinerja_pipeline.policies.loader",
)
"""Imported before the fork, and then the mutated modules: an import calls nothing of ours. No test is imported, for
tests do call something: then, a mutant is already the one that is called."""
LONGEST = 60.0
"""Seconds of tests that a mutant is tried with; beyond, the slowest are left out."""


class Area(NamedTuple):
    modules: tuple[str, ...]
    tests: tuple[str, ...]


AREAS: Mapping[str, Area] = {
    "contracts": Area(
        ("contracts/*.py",),
        (
            "contracts",
            *(f"validated/test_{name}.py" for name in ("split", "breakers", "judgement")),
            *(f"warehouse/test_{name}.py" for name in ("lineage", "outgoing", "restate")),
        ),
    ),
    "working time": Area(
        tuple(f"facts/{m}.py" for m in ("attendance", "calendar", "shifts", "day_taps", "deductions", "discipline")),
        ("facts",),
    ),
    "kpi": Area(
        tuple(
            f"kpi/{m}.py"
            for m in (
                "indicators",
                "parts",
                "subjects",
                "targets",
                "people",
                "evidence",
                "training_effect",
                "follow_up*",
            )
        ),
        ("kpi",),
    ),
    "evaluation": Area(
        tuple(f"kpi/{m}.py" for m in ("evaluation", "distribution", "credit", "allowance", "exclusions")), ("kpi",)
    ),
    "publish": Area(
        ("warehouse/publish.py", "warehouse/restate.py"), ("warehouse/test_publish.py", "warehouse/test_restate.py")
    ),
}


class Mutant(NamedTuple):
    name: str
    """As mutmut calls it: module, function, number."""
    module: str

    @property
    def function(self) -> str:
        return self.name.partition("__mutmut_")[0]


class Reach(NamedTuple):
    """What a run without any mutant has shown: seconds of each test, and which tests reach a function."""

    seconds: dict[str, float]
    tests: dict[str, set[str]]


class Outcome(NamedTuple):
    mutant: Mutant
    how: str
    """killed, timeout, lived, or unreached."""
    seconds: float


def mutated_tree(areas: Iterable[str]) -> dict[str, list[Mutant]]:
    """Makes the copy; the mutants of each of the areas."""
    shutil.rmtree(TREE, ignore_errors=True)
    for name in COPIED:
        here = ROOT / name
        if here.is_dir():
            shutil.copytree(here, TREE / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(here, TREE / name)
    # It wants settings before it looks at anything.
    (TREE / "setup.cfg").write_text("[mutmut]\nsource_paths=kinerja_pipeline\n", encoding="utf-8")
    (TREE / "mutants").symlink_to(".")
    os.chdir(TREE)
    # In a process of its own: it takes gigabytes, and every mutant is tried in a copy of this process.
    if _in_a_fork(lambda: _mutate(areas), 1800) != 0:
        sys.exit("mutmut does not mutate these modules")
    subprocess.run([sys.executable, "-m", "compileall", "-qq", "kinerja_pipeline", "tests"], check=True)
    found = json.loads((WORK / "mutants.json").read_text(encoding="utf-8"))
    return {area: [Mutant(*mutant) for mutant in mutants] for area, mutants in found.items()}


def _mutate(areas: Iterable[str]) -> int:
    from mutmut.mutation.data import MutantLineSpans
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.utils.format_utils import get_mutant_name

    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for area in areas:
        for pattern in AREAS[area].modules:
            for file in sorted(Path("kinerja_pipeline").glob(pattern)):
                made = mutate_file_contents(str(file), file.read_text(encoding="utf-8"))
                file.write_text(made.code, encoding="utf-8")
                MutantLineSpans(path=file, span_by_function_name=dict(made.line_span_by_function_name)).save()
                module = str(file.relative_to("kinerja_pipeline"))
                found[area] += [(get_mutant_name(file, name), module) for name in made.mutant_names]
    (WORK / "mutants.json").write_text(json.dumps(found), encoding="utf-8")
    return 0


class _Recorder:
    """Writes which functions each test reaches. What is reached while files are collected counts for every test, what
    is reached while a fixture is made for every test of the file."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.reached: dict[str, set[str]] = defaultdict(set)
        self.of_file: dict[str, set[str]] = defaultdict(set)
        self.of_all: set[str] = set()
        self._now = self.of_all

    def record(self, function: str, caller: str | None = None) -> None:
        self._now.add(function)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        self._now = self.of_file[item.nodeid.partition("::")[0]]
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        self._now = self.reached[item.nodeid]
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[report.nodeid] += report.duration

    def reach(self) -> Reach:
        tests = defaultdict(set)
        for test in self.seconds:
            for function in self.reached[test] | self.of_file[test.partition("::")[0]] | self.of_all:
                tests[function].add(test)
        return Reach(self.seconds, tests)


class _Chosen:
    """Runs these tests alone, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._place = {test: number for number, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = sorted((i for i in items if i.nodeid in self._place), key=lambda item: self._place[item.nodeid])


def _pytest(files: Iterable[str], plugin: object, log: Path) -> int:
    """In a forked process: its output in a file, its code as pytest ends."""
    with log.open("w", encoding="utf-8") as told:
        os.dup2(told.fileno(), 1)
        os.dup2(told.fileno(), 2)
    # Plugins come with what is imported before the fork, too late for pytest to look into them.
    options = [
        "-x",
        "-q",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        "--hypothesis-seed=0",
        f"--rootdir={TREE}",
    ]
    return int(pytest.main([*options, *files], plugins=[plugin]))


def _in_a_fork(work: Any, limit: float) -> int | None:
    """What the work returns, in a process group of its own; None when it takes longer."""
    child = os.fork()
    if child == 0:
        os.setsid()
        code = 99
        try:
            code = work()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    end = time.monotonic() + limit
    try:
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
    finally:
        # Whatever a test has started and not ended goes with it.
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def reach_of(area: str) -> Reach:
    """One run of the area's tests without any mutant."""
    kept = WORK / f"reach-{area.replace(' ', '-')}.json"

    def work() -> int:
        from mutmut.mutation import trampoline

        recorder = _Recorder()
        os.environ["MUTANT_UNDER_TEST"] = "stats"
        trampoline.record_trampoline_hit = recorder.record
        code = _pytest([f"tests/{test}" for test in AREAS[area].tests], recorder, WORK / "reach.log")
        found = recorder.reach()
        tests = {function: sorted(names) for function, names in found.tests.items()}
        kept.write_text(json.dumps([found.seconds, tests]), encoding="utf-8")
        return code

    code = _in_a_fork(work, 1800)
    if code != 0:
        sys.exit(f"The tests of {area} fail without any mutant:\n{(WORK / 'reach.log').read_text(encoding='utf-8')}")
    seconds, tests = json.loads(kept.read_text(encoding="utf-8"))
    if not tests:
        sys.exit(f"The tests of {area} reach none of its functions: do they run in {TREE}?")
    return Reach(seconds, {function: set(names) for function, names in tests.items()})


def tried(mutant: Mutant, reach: Reach) -> Outcome:
    start = time.monotonic()
    reaching = sorted(reach.tests.get(mutant.function, ()), key=lambda test: (reach.seconds[test], test))
    chosen, total = [], 0.0
    for test in reaching:
        total += reach.seconds[test]
        if chosen and total > LONGEST:
            break
        chosen.append(test)
    if not chosen:
        return Outcome(mutant, "unreached", 0)

    def work() -> int:
        os.environ["MUTANT_UNDER_TEST"] = mutant.name
        return _pytest(dict.fromkeys(test.partition("::")[0] for test in chosen), _Chosen(chosen), WORK / "mutant.log")

    code = _in_a_fork(work, 30 + 4 * total)
    how = "timeout" if code is None else "lived" if code == 0 else "killed"
    return Outcome(mutant, how, time.monotonic() - start)


@contextmanager
def a_server() -> Iterator[None]:
    """PostgreSQL for every run: else each would start one of its own. Not imported here, where mutants are forked."""
    program = (
        "import sys; from own_postgresql import own_postgresql\n"
        "with own_postgresql() as server:\n"
        "    print(server.url.render_as_string(hide_password=False), flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "warehouse")},
    ) as server:  # fmt: skip
        assert server.stdin
        assert server.stdout
        os.environ["KINERJA_TEST_SERVER"] = server.stdout.readline().strip()
        try:
            yield
        finally:
            server.stdin.close()


def patch(mutant: Mutant) -> str:
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    lines = get_diff_for_mutant(mutant.name, path=f"kinerja_pipeline/{mutant.module}").splitlines()
    return "\n".join(line for line in lines if not line.startswith(("---", "+++")))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=50, help="mutants of each area")
    parser.add_argument("--seed", type=int, default=1, help="which sample")
    parser.add_argument("--area", choices=AREAS, action="append", help="these areas alone")
    parser.add_argument("--only", action="append", help="these mutants alone, by name")
    given = parser.parse_args()
    areas = given.area or list(AREAS)

    # So that the server ends with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    # Its pytest is ours by version; whatever a test starts has to find the mutants too.
    sys.path[:0] = [str(TREE), str(LIBRARY)]
    os.environ["PYTHONPATH"] = f"{TREE}{os.pathsep}{LIBRARY}"
    os.environ["MUTANT_UNDER_TEST"] = ""
    # What pytest makes of the tests is kept between mutants, whatever is usual here.
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    found = mutated_tree(areas)
    mutated = {mutant.function.rpartition(".")[0] for area in areas for mutant in found[area]}
    for name in (*IMPORTED, "kinerja_pipeline.warehouse.publish", *sorted(mutated)):
        importlib.import_module(name)
    # No fork needs to look at any of this again.
    gc.freeze()
    outcomes: dict[str, list[Outcome]] = {}
    survivors = WORK / "survivors.txt"
    survivors.write_text("", encoding="utf-8")
    with a_server():
        for area in areas:
            mutants = found[area]
            size = min(given.size, len(mutants))
            sample = random.Random(f"{given.seed} {area}").sample(mutants, size)
            if given.only:
                sample = [mutant for mutant in mutants if mutant.name in given.only]
            reach = reach_of(area)
            outcomes[area] = []
            # The same tests in the same order as for a mutant.
            if (control := tried(Mutant("", ""), Reach(reach.seconds, {"": set(reach.seconds)}))).how != "lived":
                sys.exit(f"{area}: {control.how} without any mutant; {WORK / 'mutant.log'}")
            for mutant in sample:
                outcomes[area].append(outcome := tried(mutant, reach))
                done = f"{area}: {len(outcomes[area])}/{len(sample)} {outcome.how} {outcome.seconds:.0f} s"
                print(done, mutant.name, file=sys.stderr, flush=True)
                if outcome.how in ("lived", "unreached"):
                    with survivors.open("a", encoding="utf-8") as file:
                        file.write(f"== {outcome.how}: {mutant.name}\n{patch(mutant)}\n\n")
    print(survivors.read_text(encoding="utf-8"))
    print(table(found, outcomes))
    return 0


def table(found: Mapping[str, Sequence[Mutant]], outcomes: Mapping[str, Sequence[Outcome]]) -> str:
    """Killed of tried, by module and by area; Markdown."""
    lines = ["| area | module | mutants | tried | killed | share |", "|---|---|---|---|---|---|"]
    for area, all_tried in outcomes.items():
        of_module = Counter(mutant.module for mutant in found[area])
        for module in (*sorted({outcome.mutant.module for outcome in all_tried}), ""):
            own = [outcome for outcome in all_tried if outcome.mutant.module == module or not module]
            killed = sum(outcome.how in ("killed", "timeout") for outcome in own)
            count = of_module[module] if module else len(found[area])
            share = f"{100 * killed / len(own):.0f} %" if own else ""
            name = f"`{module}`" if module else "**all**"
            lines.append(f"| {area} | {name} | {count} | {len(own)} | {killed} | {share} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
