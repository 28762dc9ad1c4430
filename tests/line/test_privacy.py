"""Nothing that is said of anybody leaves the rooms that are classified for it: every output of a run is searched.

The world is that of marked_world: every name, number, phone and remark is marked, in good rows, in rejected rows, in
refused files. What may stand where is ALLOWED, and of tables what their contracts classify.
"""

from __future__ import annotations

import base64
import sqlite3
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest
from home_warehouse import texts
from line_world import kinerja, once, run, succeeded
from marked_world import JUDGED, MONTH, REGION, Marks, marked_home
from telltale import Search, columns_of
from told import Told

from kinerja_pipeline.alerts.message import document
from kinerja_pipeline.alerts.standing import read_register
from kinerja_pipeline.contracts.model import Contract, load_contracts
from kinerja_pipeline.home import Home

pytestmark = [pytest.mark.counted, pytest.mark.scenario]

CONTRACTS = load_contracts()
KEY = "a key of the tests, known to everybody"
ALLOWED: Mapping[str, tuple[str, ...]] = {
    # The operator's own: what the files are called is what has to be found again.
    "faults.json": ("called",),
    "dagster": ("called",),
    # Officials: their lists name people, never by number; which files were refused.
    "reports/monthly/laporan.html": ("name", "called"),
    "reports/monthly/laporan.xlsx": ("name", "called"),
    # Everyone, and what the validation of files and tables says.
    "reports/monthly/ringkasan.html": (),
    "reports/validation": (),
    "lake/validation": (),
    "lake/published": (),
    "lake/warehouse": (),
    "locks": (),
}
"""Which marks may stand in which files; tables of lake and warehouse are looked at column by column."""
RAW = ("landing", "quarantine")
"""Rooms of the lake that hold rows as delivered: what a supplier wrote into any cell stands there."""


class Spied:
    """The home after its run, what the run said, and the marks."""

    def __init__(self, place: Path, marks: Marks) -> None:
        self.home, self.marks = Home(place / "home"), marks
        self.output = (place / "told.txt").read_text(encoding="utf-8")
        self.search = Search(mark for kind in marks.values() for mark in kind)

    @property
    def mark_count(self) -> int:
        return sum(map(len, self.marks.values()))

    def kinds(self, found: set[str]) -> set[str]:
        return {kind for kind, marks in self.marks.items() if marks & found}


@pytest.fixture(scope="module")
def spied(shared: Path, world: Path) -> Spied:
    def make(place: Path) -> None:
        home, marks = marked_home(place / "home", world)
        told = run(home, "--region", REGION, "--month", MONTH)
        assert "1 region-month published" in told.output, told.output
        (place / "told.txt").write_text(told.output, encoding="utf-8")
        (place / "marks.txt").write_text(repr(marks), encoding="utf-8")

    place = once(shared / "marked", make)
    return Spied(place, eval((place / "marks.txt").read_text(encoding="utf-8")))


def tables_of(spied: Spied) -> Iterator[tuple[str, Contract | None, str, Mapping[str, list[str | bytes]]]]:
    """Room, contract, table and columns of every table of the lake."""
    for file in sorted(spied.home.lake.rglob("*.parquet")):
        room, table = file.relative_to(spied.home.lake).parts[:2]
        pages = CONTRACTS.incoming if room in (*RAW, "validated") else CONTRACTS.outgoing
        yield room, pages.get(table), table, columns_of(file)


def may_hold(contract: Contract | None, column: str) -> tuple[str, ...]:
    """What a column of a believed or published table may hold: what contracts say."""
    pages = [contract] if contract else []
    if contract is not None and contract.direction == "outgoing":
        pages += [CONTRACTS.incoming[name] for name in (contract.name,) if name in CONTRACTS.incoming]
    known = [page.column(column).classification for page in pages if column in page.names]
    if "restricted" in known:
        return ("number", "name")
    if "confidential" in known:
        return ("number", "name", "remark")
    return ()


def test_the_marks_were_delivered_and_lie_in_the_rooms_for_them(spied: Spied) -> None:
    """Else the searches below would find nothing because nothing was there."""
    landed: set[str] = set()
    for room, _, _, columns in tables_of(spied):
        landed |= {m for cells in columns.values() for m in spied.search.of_cells(cells)} if room in RAW else set()
    phones = {m for m in spied.marks["remark"] if m.startswith(("0899777", "Žqresponden", "Žqsaran"))}
    unread = {"Žqkolom", "Žqkolom2", "Žqisi", "Žqkutip", "Žqlain"}
    assert len(phones) > 50, "the respondents' profiles and remarks"
    assert not landed & phones, "a respondent's profile is dropped at the door"
    assert landed == {m for kind in ("number", "name", "remark") for m in spied.marks[kind]} - phones - unread | {
        "Žqtugas",
        "Žqizin",
    }


def test_a_table_of_the_lake_holds_people_only_in_columns_that_its_contract_classifies(
    spied: Spied, told: Told
) -> None:
    wrong = {
        (room, table, column, tuple(sorted(found))[:3])
        for room, contract, table, columns in tables_of(spied)
        if room not in RAW
        for column, cells in columns.items()
        if (found := spied.search.of_cells(cells))
        and not spied.kinds(found) <= {*may_hold(contract, column)}
        # The task's number is its supplier's own, and so is that of a permit.
        and column not in ("task_id", "permit_id")
        and not (contract is None and (table, column) == ("measure", "subject_id"))
    }
    told.row("marked secrets, in tables of the lake", spied.mark_count, leaks=len(wrong))
    assert wrong == set()


def test_the_warehouse_holds_people_only_in_columns_that_are_classified(spied: Spied, told: Told) -> None:
    from kinerja_pipeline.warehouse.personal import classified_relations

    known = classified_relations()
    wrong, holding = [], set()
    for place, cells in texts(spied.home).items():
        table, _, column = place.partition(".")
        found = spied.search.of_cells(cells)
        own = {"task_outcome.task_id": {"number", "called"}}.get(place)
        if table == "delivery":
            own = {"called"}
        if own is None:
            own = {"number", "name"} if known.get(table, {}).get(column) == "restricted" else set()
        wrong += [(place, sorted(found)[:3])] if not spied.kinds(found) <= own else []
        holding |= {place} if found else set()
    told.row("marked secrets, in the warehouse", spied.mark_count, leaks=len(wrong))
    assert wrong == []
    assert holding >= {"employee.nip", "delivery.file_name", "task_outcome.task_id", "employee_latest.employee_name"}


def test_every_other_file_of_the_home_holds_only_what_its_readers_may_see(spied: Spied, told: Told) -> None:
    home = spied.home
    wrong, searched = {}, set()
    for file in sorted(home.root.rglob("*")):
        relative = file.relative_to(home.root)
        if not file.is_file() or relative.parts[0] in ("landing", "policies", "corrections", ".database"):
            continue
        if file.suffix == ".parquet" or file.name.startswith("warehouse.db"):
            continue
        plain = "/".join(part for part in relative.parts if part not in (REGION, MONTH))
        place = next((place for place in ALLOWED if plain == place or plain.startswith(f"{place}/")), None)
        searched.add(place)
        if not spied.kinds(found := spied.search.of_file(file)) <= {*ALLOWED.get(place or "", ())}:
            wrong[str(relative)] = sorted(found)[:5]
    told.row("marked secrets, in every other file", spied.mark_count, leaks=len(wrong))
    assert wrong == {}
    assert searched - {None} == set(ALLOWED), "a place that is not there proves nothing"


def test_what_commands_and_alerts_say_names_nobody_but_whom_one_asked_for(spied: Spied, tmp_path: Path) -> None:
    home, others = spied.home, spied.marks["number"] - {JUDGED}

    def told(*arguments: str) -> set[str]:
        return spied.search.of_text(kinerja(home, *arguments).output)

    one = ("--region", REGION, "--month", MONTH)
    assert spied.search.of_text(spied.output) == {"Žqmap", "Žqberkas", JUDGED}, "what the operator's files are called"
    assert told("status") == {"Žqmap", "Žqberkas", JUDGED}
    assert told("doctor") == told("plan") == set()
    assert told("explain", *one, "--unit", "MKW-BKPSDM", "--rows", "0") == set()
    for more in (("--json",), ("--indicator", "task_on_time", "--rows", "0")):
        assert told("explain", *one, "--nip", JUDGED, *more) & (others | spied.marks["remark"]) == set()
    for feed, file in (
        ("leave_permit", f"cuti_izin_{MONTH}.csv"),
        ("task_record", f"tugas_{MONTH}.csv"),
        ("employee", "pegawai_20260202.csv"),
        ("feedback_response", f"survei_skm_{MONTH}.csv"),
    ):
        delivered = home.landing / REGION / feed / file
        assert told("check", "--feed", feed, "--region", REGION, str(delivered)) == set(), feed
    succeeded(kinerja(home, "dictionary", "--to", str(tmp_path / "dictionary")))
    assert spied.search.of_folder(tmp_path / "dictionary") == {}
    faults = read_register(home).faults
    assert faults
    for language in ("id", "en"):
        sent = repr(document(faults, faults, language, "http://127.0.0.1:3000"))  # type: ignore[arg-type]
        assert spied.kinds(spied.search.of_text(sent)) == {"called"}


def test_the_masked_copy_holds_what_files_and_tasks_are_called_and_nobodys_number(spied: Spied, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    succeeded(kinerja(spied.home, "export", "--masked", str(copy), KINERJA_PSEUDONYM_KEY=KEY))
    assert spied.search.of_file(copy) == spied.marks["called"] - {"Žqizin"}


# ---- the search itself -----------------------------------------------------------------------------------------------

SECRET = "Žq&rahasia"


def _parquet(file: Path) -> None:
    pl.DataFrame({"a": [[{"b": SECRET}]]}).write_parquet(file, compression="zstd")


def _texts(file: Path) -> None:
    pl.DataFrame({"a": ["x" * 5000, SECRET]}).write_parquet(file, compression="zstd")


def _workbook(file: Path) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", "<si><t>&#381;q&amp;rahasia</t></si>" * 50)


def _packed_row(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE a (b BLOB)")
        connection.execute("INSERT INTO a VALUES (?)", [zlib.compress(b'{"x": "\\u017dq\\u0026rahasia"}')])


def _deleted_row(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("CREATE TABLE a (b TEXT)")
        connection.execute("INSERT INTO a VALUES (?)", [SECRET])
        connection.commit()
        connection.execute("DELETE FROM a")


def _picture(file: Path) -> None:
    svg = base64.b64encode(f"<text>{quote(SECRET)}</text>".encode()).decode()
    file.write_text(f'<img src="data:image/svg+xml;base64,{svg}">')


@pytest.mark.parametrize(
    "leak",
    [
        *(_parquet, _texts, _workbook, _packed_row, _deleted_row, _picture),
        lambda file: file.write_text('{"text": "\\\\u017Dq&amp;rahasia"}'),
        lambda file: file.write_text("<a href='?nama=%C5%BDq%26rahasia'>"),
        lambda file: file.write_text("&lt;td&gt;&amp;#x17d;q&amp;amp;rahasia"),
        lambda file: file.write_bytes(b"\xff\xfe" + SECRET.encode("utf-16-le")),
        lambda file: file.write_bytes(b"\0" + SECRET.upper().encode("utf-16-be")),
        lambda file: file.with_name(f"{SECRET}.txt").write_text(""),
    ],
)
def test_a_leak_is_found_in_every_kind_of_file(leak: Callable[[Path], object], tmp_path: Path) -> None:
    leak(tmp_path / "file")
    assert [*Search([SECRET]).of_folder(tmp_path).values()] == [{SECRET}]
    assert Search(["another"]).of_folder(tmp_path) == {}
