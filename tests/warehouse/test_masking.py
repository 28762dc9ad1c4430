"""The masked copy names nobody, in no byte, and everything in it joins as it does in the warehouse."""

from __future__ import annotations

import hashlib
import hmac
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from analyst_world import AGUS, BETTY, CORNELIA, NAMES
from click.testing import CliRunner

from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.contracts.tables import warehouse_schema
from kinerja_pipeline.warehouse import masking
from kinerja_pipeline.warehouse.masking import MaskingError, export_masked
from kinerja_pipeline.warehouse.pseudonyms import how_masked, pseudonym
from kinerja_pipeline.warehouse.views import load_views

KEY = "a key of the tests, known to everybody"
JOINS = (
    "evaluation AS a JOIN {0}employee AS b ON a.region = b.region AND a.nip = b.nip",
    "employee AS a JOIN {0}employee AS b ON a.supervisor_nip = b.nip",
    "kpi AS a JOIN {0}attendance_month AS b ON a.subject_id = b.nip AND a.period = b.period",
    "follow_up AS a JOIN {0}employee_latest AS b ON a.subject_id = b.nip",
    "follow_up AS a JOIN {0}org_unit AS b ON a.subject_id = b.unit_id",
    "indicator_target AS a JOIN {0}kpi AS b ON a.subject_id = b.subject_id AND a.period = b.period",
    "restatement AS a JOIN {0}attendance_month AS b ON a.subject_id = b.nip AND a.period = b.period",
    "task_outcome AS a JOIN {0}training_year AS b ON a.nip = b.nip",
)


def address(engine: sa.Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture(scope="module")
def copy(world: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy that the tests of this module only read."""
    file = tmp_path_factory.mktemp("copy") / "copy.db"
    export_masked(address(world), file, KEY)
    return file


def rows(copy: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()


def count(engine: sa.Engine, what: str) -> int:
    schema = warehouse_schema(engine.dialect.name)
    prefix = f"{schema}." if schema else ""
    with engine.connect() as connection:
        return int(connection.exec_driver_sql(f"SELECT count(*) FROM {prefix}{what.format(prefix)}").scalar_one())


def test_no_nip_and_no_name_stands_in_any_byte_of_the_copy(copy: Path) -> None:
    content = copy.read_bytes()
    assert [secret for pair in NAMES.items() for secret in pair if secret.encode() in content] == []
    assert KEY.encode() not in content


def test_the_copy_is_one_file_that_only_its_owner_may_read(copy: Path) -> None:
    assert [p.name for p in copy.parent.iterdir()] == ["copy.db"]
    assert copy.stat().st_mode & 0o077 == 0


def test_every_table_and_view_is_there_with_as_many_rows(world: sa.Engine, copy: Path) -> None:
    for name in [*load_contracts().outgoing, *(view.name for view in load_views())]:
        assert rows(copy, f"SELECT count(*) FROM {name}") == [(count(world, name),)], name


@pytest.mark.parametrize("join", JOINS)
def test_the_tables_join_as_in_the_warehouse(join: str, world: sa.Engine, copy: Path) -> None:
    expected = count(world, join)
    assert expected > 0
    assert rows(copy, f"SELECT count(*) FROM {join.format('')}") == [(expected,)]


def test_figures_codes_and_units_are_those_of_the_warehouse(copy: Path) -> None:
    assert rows(copy, "SELECT place, unit_name, result_score FROM unit_league WHERE period = '2026-03' ORDER BY 2") == [
        (1, "BKD Salor", 99.0),
        (2, "Dinas Dukcapil", 85.5),
        (1, "Dinas Kesehatan", 93.33),
    ]
    assert rows(copy, "SELECT subject_id FROM follow_up WHERE subject_kind = 'unit'") == [("DINKES",)]
    assert rows(copy, "SELECT DISTINCT published_at FROM publication") == [("2026-04-06 02:30:00.000000",)]


def test_texts_lose_the_numbers_and_names_that_they_quote(copy: Path) -> None:
    quoted = dict(rows(copy, "SELECT rule_id || reason, evidence FROM follow_up WHERE subject_kind = 'employee'"))
    assert quoted["rewardobjection_open"] == f"objection of {pseudonym(KEY, AGUS)}"
    assert quoted["declinedeclined"] == "asked by (nama)"
    assert rows(copy, "SELECT file_name FROM delivery") == [(f"task_record/tugas_{pseudonym(KEY, AGUS)}.csv",)]


def test_the_key_of_a_restated_row_begins_with_the_pseudonym(copy: Path) -> None:
    restated = rows(copy, "SELECT key, subject_id, old_value, new_value FROM restatement WHERE region = 'manokwari'")
    assert restated == [(f"{pseudonym(KEY, AGUS)}|2026-02", pseudonym(KEY, AGUS), "12", "10")]


def test_the_order_of_the_rows_does_not_tell_the_order_of_the_numbers(copy: Path) -> None:
    found = [nip for (nip,) in rows(copy, "SELECT DISTINCT nip FROM evaluation WHERE region = 'manokwari'")]
    assert found == sorted(found)
    assert set(found) >= {pseudonym(KEY, AGUS), pseudonym(KEY, BETTY), pseudonym(KEY, CORNELIA)}


def test_a_pseudonym_is_a_keyed_hash_that_is_no_nip() -> None:
    digest = hmac.new(KEY.encode(), AGUS.encode(), hashlib.sha256).hexdigest()
    assert pseudonym(KEY, AGUS) == "p" + digest[:20]
    assert pseudonym(KEY + "2", AGUS) != pseudonym(KEY, AGUS)


def test_what_is_masked_is_what_the_pages_call_restricted() -> None:
    pages = load_contracts().outgoing
    for page in pages.values():
        masked = {name for name, how in how_masked(page).items() if how in ("number", "subject", "led", "name")}
        assert masked == {c.name for c in page.columns if c.classification == "restricted"}, page.name
    assert how_masked(pages["employee"])["name"] == "name"
    assert how_masked(pages["employee"])["supervisor_nip"] == "number"
    assert how_masked(pages["kpi"])["subject_id"] == "subject"
    assert how_masked(pages["org_unit"])["name"] == "text"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"NIP{AGUS}x", f"NIP{pseudonym(KEY, AGUS)}x"),
        (f"1{AGUS}", f"1{pseudonym(KEY, AGUS)}"),
        ("199912312020121001 tidak dikenal", f"{pseudonym(KEY, '199912312020121001')} tidak dikenal"),
        ("menurut AGUS WANGGAI, S.Sos.", "menurut (nama), S.Sos."),
        ("Agus Wanggaibesar", "Agus Wanggaibesar"),
        ("ab199912312020121001cd", "ab199912312020121001cd"),
    ],
)
def test_a_text_is_swept_for_known_people_and_for_whatever_looks_like_a_nip(text: str, clean: str) -> None:
    assert masking._clean(text, {AGUS}, ["Agus Wanggai"], KEY) == clean


# ---- when no copy is made --------------------------------------------------------------------------------------------


def test_a_number_that_would_be_left_stops_the_export(
    world: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "_swept", lambda texts, *_: texts)
    with pytest.raises(MaskingError, match="1 NIPs would have been left"):
        export_masked(address(world), tmp_path / "copy.db", KEY)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept(world: sa.Engine, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")
    with pytest.raises(MaskingError, match="is there already; name another file"):
        export_masked(address(world), tmp_path / "copy.db", KEY)
    assert (tmp_path / "copy.db").read_text() == "mine"


@pytest.mark.parametrize("key", [None, "", "short"])
def test_without_a_key_that_cannot_be_guessed_no_copy_is_made(
    key: str | None, world: sa.Engine, tmp_path: Path
) -> None:
    environment = {
        "KINERJA_HOME": str(tmp_path),
        "KINERJA_WAREHOUSE_URL": address(world),
        "KINERJA_PSEUDONYM_KEY": key,
    }
    done = CliRunner().invoke(main, ["export", "--masked", str(tmp_path / "copy.db")], env=environment)
    assert done.exit_code == 1
    assert re.match(r"KINERJA_PSEUDONYM_KEY (is not set|has 5 characters): .* at least 32 characters", done.output)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote_and_there_is_no_unmasked_export(world: sa.Engine, tmp_path: Path) -> None:
    environment = {
        "KINERJA_HOME": str(tmp_path),
        "KINERJA_WAREHOUSE_URL": address(world),
        "KINERJA_PSEUDONYM_KEY": KEY,
    }
    file = str(tmp_path / "copy.db")
    assert CliRunner().invoke(main, ["export", file], env=environment).exit_code == 2
    done = CliRunner().invoke(main, ["export", "--masked", file], env=environment)
    assert done.exit_code == 0, done.output
    assert re.fullmatch(rf"Written: {file}: [0-9]+ rows of [0-9]+ tables, 6 people under pseudonyms\.\n", done.output)
