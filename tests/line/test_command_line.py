"""The command line as a newcomer meets it: a wrong turn ends with a sentence that says what to do, not a traceback."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from click.testing import Result
from home_warehouse import copied, is_begun
from line_world import MONTHS, Finished, home_with, kinerja, lake_files, run, succeeded

from kinerja_pipeline.cli import main
from kinerja_pipeline.home import Home, init_home

FinishedOf = Callable[[str], Finished]
KNOWN = "mamuju, manokwari, nanggalo, pariaman, salor"


@pytest.fixture
def empty(tmp_path: Path) -> Home:
    """What `kinerja init` makes."""
    home = Home(tmp_path / "home")
    init_home(home)
    return home


def refused(result: Result) -> str:
    """What a command said that ended with exit code 1, without a traceback."""
    assert result.exit_code == 1, result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.output


def misused(result: Result) -> str:
    """What was said of a wrong command line."""
    assert result.exit_code == 2, result.output
    return result.output.splitlines()[-1]


# ---- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["", *main.commands])
def test_help_says_what_each_command_and_option_does(command: str, tmp_path: Path) -> None:
    told = succeeded(kinerja(Home(tmp_path), *command.split(), "--help"))
    assert told.startswith(f"Usage: kinerja {command}".rstrip())
    assert not any(line.endswith("...") for line in told.splitlines()[1:]), "a sentence that is cut off"
    spoken = main.commands[command].params if command else main.params
    assert [p.name for p in spoken if isinstance(p, click.Option) and not p.help] == []
    for name, each in main.commands.items():
        assert each.short_help, name


def test_the_version_is_told(tmp_path: Path) -> None:
    assert succeeded(kinerja(Home(tmp_path), "--version")).startswith("kinerja, version ")


# ---- homes -----------------------------------------------------------------------------------------------------------


def test_init_makes_a_home_and_a_second_init_keeps_what_it_holds(tmp_path: Path) -> None:
    home = Home(tmp_path / "new" / "home")
    told = succeeded(kinerja(home, "init"))
    assert f"Home ready: {home.root}" in told
    assert f"put delivered files into {home.landing}/<region>/<feed>/, then `kinerja run --all`" in told
    (home.policies / "salor.yaml").write_text("version: '2026.9'\n")
    (home.dagster / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    assert succeeded(kinerja(home, "init")) == told
    assert (home.policies / "salor.yaml").read_text() == "version: '2026.9'\n"
    assert (home.dagster / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


@pytest.mark.parametrize("arguments", [("run", "--all"), ("plan",), ("status",)])
def test_a_folder_that_is_no_home_is_named_with_what_to_do(arguments: tuple[str, ...], tmp_path: Path) -> None:
    told = refused(kinerja(Home(tmp_path / "nowhere"), *arguments))
    assert told == f"{tmp_path}/nowhere is not a home yet: run `kinerja init` first, or name another with --home.\n"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("arguments", [("init",), ("demo", "--employees", "1"), ("ui",)])
def test_a_home_that_cannot_be_made_is_one_sentence(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    told = refused(kinerja(Home(tmp_path / "file" / "home"), *arguments))
    assert told == (
        f"{tmp_path}/file/home cannot be made a home: Not a directory. "
        "Name a folder you may write to with KINERJA_HOME or --home.\n"
    )


def test_a_home_that_cannot_be_written_is_one_sentence(empty: Home) -> None:
    empty.dagster.rmdir()
    empty.dagster.write_text("in the way")
    assert refused(run(empty, "--all")) == f"{empty.dagster}: Not a directory.\n"


def test_a_disk_that_is_full_under_the_databases_of_dagster_is_one_sentence(
    empty: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        try:
            raise sqlite3.OperationalError("database or disk is full")
        except sqlite3.OperationalError as error:
            raise RuntimeError("[SQL: INSERT INTO runs ('198503152010011001')]") from error

    monkeypatch.setattr("kinerja_pipeline.orchestration.launch.launch", full)
    said = refused(run(empty, "--all"))
    assert said.startswith("The machine or a database failed under the command: database or disk is full.")
    assert said.count("\n") == 1


@pytest.mark.parametrize("arguments", [("run", "--all"), ("init",), ("ui",), ("demo", "--employees", "1")])
def test_a_home_of_another_account_is_one_sentence(
    arguments: tuple[str, ...], empty: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write everywhere, so the answer of the operating system is put in its mouth.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path) != empty.lake)
    told = refused(kinerja(empty, *arguments))
    assert told == f"{empty.lake} cannot be written by this account. Run as the account that owns the home.\n"


def test_an_empty_home_says_how_to_begin(empty: Home) -> None:
    told = succeeded(kinerja(empty, "status"))
    assert told == (
        f"Nothing is published yet. Put files into {empty.landing}/<region>/<feed>/ and run `kinerja run --all`, "
        "or try `kinerja demo`.\n"
    )
    assert not is_begun(empty)
    assert refused(run(empty, "--all")) == (
        f"No region has files: put them into {empty.landing}/<region>/<feed>/ first.\n"
    )


# ---- what to run -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name a region with --region, or take --all"),
        (("--all", "--again", "--month", "2026-03"), "the months named run again anyway; leave --again out"),
        (("--region", "salor", "--all"), "take either --region or --all"),
        (("--all", "--month", "2026-03", "--from", "2026-01"), "take either --month or --from/--to"),
        (("--all", "--month", "2026-13"), "'2026-13' is not a month; write it as 2026-03"),
        (("--all", "--month", "Maret 2026"), "'Maret 2026' is not a month; write it as 2026-03"),
        (("--all", "--month", "２０２６-03"), "'２０２６-03' is not a month; write it as 2026-03"),
        (("--all", "--from", "2026-05", "--to", "2026-03"), "the range ends (2026-03) before it begins (2026-05)"),
    ],
)
def test_a_wrong_command_line_ends_with_2_and_says_what_is_missing(
    arguments: tuple[str, ...], told: str, empty: Home
) -> None:
    assert misused(kinerja(empty, "run", *arguments)).endswith(told)


@pytest.mark.parametrize(
    "arguments", [("run", "--month", "2026-03"), ("plan",), ("status",), ("check", "x.csv", "--feed", "employee")]
)
def test_an_unknown_region_is_told_with_those_there_are(arguments: tuple[str, ...], empty: Home) -> None:
    told = refused(kinerja(empty, *arguments, "--region", "salro"))
    assert told == f"There is no region 'salro' (did you mean 'salor'?); known are {KNOWN}.\n"


def test_a_region_without_files_publishes_nothing_and_says_so(empty: Home) -> None:
    told = refused(run(empty, "--region", "salor", "--month", "2026-03"))
    assert "left out salor: no file has rows of 2026-03 (no file of this region has landed yet)." in told
    assert "0 region-months published in" in told
    assert "Nothing of salor is published yet." in succeeded(kinerja(empty, "status", "--region", "salor"))


@pytest.mark.parametrize("month", ["2025-12", "2031-01"])
def test_a_month_without_rows_is_told_with_the_months_there_are(
    month: str, finished: FinishedOf, tmp_path: Path
) -> None:
    home = copied(finished("salor").home, tmp_path / "home")
    before = lake_files(home)
    told = refused(run(home, "--region", "salor", "--month", month))
    assert f"left out salor: no file has rows of {month} (there are rows of 2026-02..2026-03)." in told
    assert lake_files(home) == before


# ---- policies --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [("run", "--all"), ("status",), ("ui",), ("check", "x.csv", "--feed", "employee", "--region", "mamuju")],
)
def test_a_typo_in_a_policy_is_one_line_with_file_line_and_suggestion(arguments: tuple[str, ...], empty: Home) -> None:
    (empty.policies / "salor.yaml").write_text("# ours\nversion: '2026.9'\ncalender: {}\n")
    told = refused(kinerja(empty, *arguments))
    assert told == "salor.yaml, line 3: calender: this key is not known; did you mean 'calendar'?\n"


def test_a_policy_that_is_not_yaml_is_one_line_with_file_and_line(empty: Home) -> None:
    (empty.policies / "salor.yaml").write_text("version: '2026.9'\ncalendar: [\n")
    told = refused(run(empty, "--all"))
    assert told.startswith("salor.yaml, line 3: not readable as YAML: ")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("run", "--all"), ("ui",)])
def test_an_indicator_that_cannot_be_computed_stops_before_anything_is_done(
    arguments: tuple[str, ...], empty: Home
) -> None:
    (empty.policies / "salor.yaml").write_text(
        """indicators:
  on_time:
    labels: {id: Tepat waktu, en: On time}
    fact: task_outcome
    numerator: CASE WHEN is_on_tme THEN 1 ELSE 0 END
    denominator: "1"
    subjects: [unit]
    aspect: time
    unit: percent
    direction: higher
    target: {value: 90}
"""
    )
    told = refused(kinerja(empty, *arguments))
    assert len(told.splitlines()) == 1
    assert "is_on_tme" in told
    assert "is_on_time" in told, "the column that was meant"


# ---- the warehouse ---------------------------------------------------------------------------------------------------


@contextmanager
def closed_port() -> Iterator[int]:
    """A port at which nobody listens."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        yield place.getsockname()[1]


@pytest.mark.parametrize("arguments", [("run", "--region", "salor", "--month", "2026-02"), ("status",)])
def test_a_warehouse_that_is_not_there_is_told_without_its_password(
    arguments: tuple[str, ...], world: Path, tmp_path: Path
) -> None:
    home = home_with(tmp_path / "home", world, "salor")
    with closed_port() as port:
        for secret in (f"postgresql://kinerja:rahasia@127.0.0.1:{port}/kpi",
                       f"postgresql://kinerja@127.0.0.1:{port}/kpi?password=rahasia"):  # fmt: skip
            told = refused(kinerja(home, *arguments, KINERJA_WAREHOUSE_URL=secret))
            assert "127.0.0.1" in told
            assert "cannot be reached: connection" in told
            assert "Check KINERJA_WAREHOUSE_URL and the database." in told
            assert "rahasia" not in told
    assert lake_files(home) == {}, "told before the work, not after"


@pytest.mark.parametrize("address", ["mysql://kinerja:rahasia@localhost/kpi", "the warehouse", "sqlite://"])
def test_an_address_of_no_warehouse_is_told_with_those_that_can_be(address: str, empty: Home) -> None:
    told = refused(kinerja(empty, "status", KINERJA_WAREHOUSE_URL=address))
    assert "SQLite" in told or "sqlite:////" in told
    assert "rahasia" not in told


def test_a_port_that_is_taken_is_told(empty: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = refused(kinerja(empty, "ui", "--port", str(port)))
    assert told == f"127.0.0.1:{port} cannot be listened on: Address already in use. Take another --port or --host.\n"


# ---- check -----------------------------------------------------------------------------------------------------------

GOOD = {
    "task_id": "MKW-T1", "unit_id": "MKW-PTSP", "task_type": "routine", "opened_at": "2026-03-02 08:00:00",
    "due_at": "2026-03-09 16:00:00", "completed_at": "2026-03-05 10:00:00", "status_code": "completed",
    "quality_score": "80",
}  # fmt: skip
BAD = (
    {"opened_at": "31/02/2026"},
    {"task_type": "lain-lain"},
    {"nip": "199901012020011999", "unit_id": ""},
    {"task_type": "lain-lain"},
    {"quality_score": "812"},
    {"completed_at": "2026-02-01 10:00:00"},
)


def tasks(path: Path, changes: tuple[dict[str, str], ...], header: str, *more: str) -> Path:
    names = header.split(",")
    rows = [GOOD | {"task_id": f"MKW-T{number}"} | change for number, change in enumerate(changes)]
    lines = [header, *(",".join(row.get(name, "") for name in names) for row in rows), *more]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def header(world: Path) -> str:
    return next((world / "manokwari" / "task_record").glob("*.csv")).read_text().splitlines()[0]


def test_check_names_each_kind_of_bad_row_how_many_and_the_first_line(
    finished: FinishedOf, header: str, tmp_path: Path
) -> None:
    home = finished("manokwari").home
    before = lake_files(home), sorted(home.landing.rglob("*"))
    file = tasks(tmp_path / "tugas_2026-03.csv", ({}, *BAD), header, "MKW-T9,1,2")
    told = refused(kinerja(home, "check", str(file), "--feed", "task_record", "--region", "manokwari"))
    cells = [[c.strip() for c in line.split("│")[1:-1]] for line in told.splitlines() if line.startswith("│")]
    kinds = {rule: (rows, first) for rule, _, rows, first in cells if rule}
    assert kinds == {
        "opened_at__unreadable": ("1", "3"),
        "task_type__code": ("2", "4"),
        "nip__unknown": ("1", "5"),
        "quality_score__range": ("1", "7"),
        "completed_at__before__opened_at": ("1", "8"),
        "row__short": ("1", "9"),
    }
    assert all(asked for rule, asked, *_ in cells if rule), "each kind says what is asked"
    assert told.splitlines()[-1] == (
        "8 rows: 1 valid, 7 rejected, 0 superseded. Correct the rows listed and check again; "
        "delivered as it is, the other rows would still be used."
    )
    assert (lake_files(home), sorted(home.landing.rglob("*"))) == before


def test_check_of_a_good_file_ends_with_0_and_says_what_it_could_not_check(
    finished: FinishedOf, empty: Home, header: str, tmp_path: Path
) -> None:
    file = tasks(tmp_path / "TUGAS_2026-03.CSV", ({}, {}), header)
    question = ("check", str(file), "--feed", "task_record", "--region", "manokwari")
    counts = "2 rows: 2 valid, 0 rejected, 0 superseded. The file is good."
    assert succeeded(kinerja(finished("manokwari").home, *question)) == f"{counts}\n"
    assert succeeded(kinerja(empty, *question)) == (
        f"{counts} Not checked, for nothing was delivered yet: employee, org_unit.\n"
    )


@pytest.mark.parametrize("month", ["2024-12", "2036-03"])
def test_check_rejects_what_landing_would_not_believe(month: str, empty: Home, header: str, tmp_path: Path) -> None:
    days = {"opened_at": "02", "completed_at": "03", "due_at": "05"}
    wrong = {name: f"{month}-{day} 08:00:00" for name, day in days.items()}
    file = tasks(tmp_path / "tugas_2026-03.csv", ({}, wrong), header)
    told = refused(kinerja(empty, "check", str(file), "--feed", "task_record", "--region", "manokwari"))
    assert "opened_at__month" in told


@pytest.mark.parametrize(
    ("name", "data", "feed", "told"),
    [
        ("tugas_2026-03.csv", b"", "task_record", "tugas_2026-03.csv, the whole file: it is empty."),
        ("tugas_2026-03.csv", b"nomor;nama\n1;2\n", "task_record", "tugas_2026-03.csv"),
        ("tugas_2026-03.csv", b"\xff\xfe\x00\x01\x02", "task_record", "tugas_2026-03.csv"),
        ("tugas.docx", b"PK", "task_record", "tugas.docx, its name: the name fits none of the mappings of task_record"),
        ("tugas_2026-03.csv", b"x", "tasks", "There is no feed 'tasks'; known are attendance_log, "),
    ],
)
def test_check_of_an_unreadable_file_says_where_and_what_to_do(
    name: str, data: bytes, feed: str, told: str, empty: Home, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    said = refused(kinerja(empty, "check", str(tmp_path / name), "--feed", feed, "--region", "manokwari"))
    assert said.startswith(told)
    assert len(said.splitlines()) == 1


def test_check_of_a_missing_file_says_so(empty: Home, tmp_path: Path) -> None:
    question = ("--feed", "employee", "--region", "salor")
    assert refused(kinerja(empty, "check", str(tmp_path / "x.csv"), *question)).endswith("there is no such file.\n")
    assert "is a directory" in misused(kinerja(empty, "check", str(tmp_path), *question))


def test_every_file_of_the_world_passes_or_fails_its_check_as_planted(finished: FinishedOf) -> None:
    done = finished("salor")
    files = [file for file in done.planted.files if MONTHS[-1] in file.path]
    assert {bool(file.planted) for file in files} == {True, False}, "some with planted rows, some without"
    for file in files:
        place = done.home.landing / "salor" / file.path
        result = kinerja(done.home, "check", str(place), "--feed", file.feed, "--region", "salor")
        assert result.exit_code == (1 if file.planted else 0), f"{file.path}: {result.output}"
        assert f"{sum(file.planted.values()):,} rejected" in result.output, file.path
