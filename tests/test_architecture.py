"""The house rules about who may import whom, kept by reading the imports themselves."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from kinerja_pipeline.contracts.deferral import deferred

PACKAGE = Path(__file__).parent.parent / "kinerja_pipeline"
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = ("landing", "validated", "facts", "kpi", "warehouse", "reports")


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """The file's syntax tree, node by node; the module itself first."""
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that the file imports, at its top or inside a function."""
    found: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return frozenset(found)


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def importers(prefix: str) -> set[str]:
    return {named(p) for p in MODULES if any(i == prefix or i.startswith(f"{prefix}.") for i in imports(p))}


def test_dagster_stays_in_orchestration_assets_and_definitions() -> None:
    allowed = {"definitions.py", *(f"{room}/assets.py" for room in ROOMS)}
    strays = {n for n in importers("dagster") if n not in allowed and not n.startswith("orchestration/")}
    assert strays == set()


def test_sqlalchemy_and_alembic_stay_in_contract_tables_and_the_warehouse() -> None:
    # Dagster keeps its events with SQLAlchemy too.
    allowed = ("contracts/tables.py", "orchestration/event_log.py", "warehouse/")
    strays = {n for n in importers("sqlalchemy") | importers("alembic") if not n.startswith(allowed)}
    assert strays == set()


def test_great_expectations_stays_in_the_modules_that_judge() -> None:
    allowed = {"contracts/engines.py", "contracts/expectations.py", "contracts/validation.py"}
    assert importers("great_expectations") <= allowed


def test_neither_the_definitions_nor_the_command_line_load_great_expectations() -> None:
    # It takes seconds and a quarter gigabyte: `kinerja --help` and every worker of the UI would pay for it.
    # Of what it takes, a third are modules of which no contract asks for anything: they stay out even then.
    ask = "import sys, kinerja_pipeline.definitions, kinerja_pipeline.cli, kinerja_pipeline.contracts.validation as v; "
    found = "print(sorted({'great_expectations', 'pandas', 'numpy'} & set(sys.modules))); "
    judging = "v.engines(); print(sorted({'great_expectations', 'scipy.stats', 'altair'} & set(sys.modules)))"
    code = ["-W", "ignore", "-c", ask + found + judging]
    done = subprocess.run([sys.executable, *code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["[]", "['great_expectations']", ""]


def test_a_deferred_module_comes_when_it_is_used_and_whoever_imports_it_gets_it_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "xml.sax.saxutils", raising=False)
    with deferred("xml.sax.saxutils"):
        from xml.sax import saxutils as held
    assert "xml.sax.saxutils" not in sys.modules
    import xml.sax.saxutils

    assert held is not xml.sax.saxutils
    assert held.escape is xml.sax.saxutils.escape


def test_polars_reads_how_it_shall_keep_memory_before_it_keeps_any() -> None:
    ask = "import os, sys, kinerja_pipeline; assert 'polars' not in sys.modules; import polars; print(os.environ[NAME])"
    name = "_RJEM_MALLOC_CONF"
    own = {key: text for key, text in os.environ.items() if key != name}
    asked = [sys.executable, "-c", ask.replace("NAME", repr(name))]
    ours, theirs = (
        subprocess.run(asked, env={**own, **said}, capture_output=True, text=True, check=True)
        for said in ({}, {name: "nobody_knows_this:1"})
    )
    # Polars puts words of its own before what it finds; of two for one thing the allocator takes the last. It complains
    # of a word that it does not know: so it reads the name, and it knows ours.
    assert (ours.stdout.rstrip("\n").split(",")[-1], ours.stderr) == ("muzzy_decay_ms:0", "")
    assert theirs.stdout.endswith("nobody_knows_this:1\n")
    assert "nobody_knows_this" in theirs.stderr


def test_the_command_line_loads_what_is_heavy_only_when_a_command_needs_it() -> None:
    # `kinerja --help` answers at once.
    ask = "import sys, kinerja_pipeline.cli; "
    found = "print(sorted(n for n in sys.modules if n.startswith('kinerja_pipeline.') and n.split('.')[1] != 'cli'))"
    heavy = "print(sorted({'dagster', 'polars', 'pydantic', 'rich', 'sqlalchemy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", f"{ask}{found}; {heavy}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "[]"]


@pytest.mark.parametrize("room", ["facts", "kpi"])
def test_facts_and_kpi_know_no_files_no_database_and_no_other_room(room: str) -> None:
    allowed = ("kinerja_pipeline.facts", "kinerja_pipeline.policies", f"kinerja_pipeline.{room}")
    forbidden = {"os", "io", "pathlib", "shutil", "tempfile", "sqlite3", "csv", "json", "random", "time"}
    for path in (PACKAGE / room).glob("*.py"):
        if path.name == "assets.py":
            continue
        strays = {i for i in imports(path) if i.startswith("kinerja_pipeline.") and not i.startswith(allowed)}
        strays |= imports(path) & forbidden
        assert strays == set(), named(path)


def test_rooms_meet_by_asset_key_never_by_importing_each_others_assets() -> None:
    found = {named(p): i for p in MODULES for i in imports(p) if i.endswith(".assets") and p.name != "definitions.py"}
    assert found == {}


def test_only_home_reads_the_environment() -> None:
    readers = {
        named(p)
        for p in MODULES
        for node in nodes(p)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and isinstance(node.value, ast.Name)
    }
    # The package says how Polars shall keep memory. The command line sets KINERJA_HOME for what it starts, and hands
    # its environment on to the processes it starts.
    starting = {"cli/frame.py", "orchestration/serving.py", "orchestration/side_by_side.py"}
    assert readers <= {"__init__.py", "home.py", *starting}


def test_only_edges_read_the_clock() -> None:
    readers = {
        named(p)
        for p in MODULES
        for node in nodes(p)
        if isinstance(node, ast.Attribute)
        and node.attr in ("now", "today", "utcnow")
        and isinstance(node.value, ast.Attribute | ast.Name)
        and ast.unparse(node.value) in ("dt.datetime", "dt.date", "datetime", "date")
    }
    assert readers <= {
        "cli/analysts.py",
        "cli/operators.py",
        "cli/policies.py",
        "orchestration/resources.py",
        "orchestration/launch.py",
    }


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_modules_say_what_belongs_in_them_and_stay_readable(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    module = nodes(path)[0]
    assert isinstance(module, ast.Module)
    docstring = ast.get_docstring(module)
    assert docstring, "a module opens with what belongs there and what does not"
    assert len(text.splitlines()) <= 700, "split the module: it holds several rooms"
    assert path.stem not in ("utils", "helpers", "common")


@pytest.mark.parametrize("room", ["facts", "kpi", "warehouse"])
def test_what_is_computed_for_a_month_asks_for_the_policy_of_that_month(room: str) -> None:
    # deployment.policies[region] is the policy before any dated file; it is right only for what cannot change.
    assert "deployment.policies[" not in (PACKAGE / room / "assets.py").read_text(encoding="utf-8")
