"""`kinerja explore`: Datasette over the masked copy, with the contracts' words, facets and the cookbook."""

from __future__ import annotations

import asyncio
import re
import socket
import sqlite3
from collections.abc import Coroutine, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from kinerja_pipeline.cli import main
from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.warehouse.explore import ExploreError, check_masked, explored, with_defaults
from kinerja_pipeline.warehouse.masking import export_masked
from kinerja_pipeline.warehouse.queries import Query, load_queries
from kinerja_pipeline.warehouse.views import load_views

KEY = "0123456789abcdef" * 2


@pytest.fixture(scope="module")
def copy(sqlite_world: sa.Engine, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The masked copy of the analysts' world."""
    file = tmp_path_factory.mktemp("explore") / "kinerja.db"
    export_masked(sqlite_world.url.render_as_string(), file, KEY)
    return file


@pytest.fixture(scope="module")
def page(copy: Path) -> Iterator[Any]:
    """page("/kinerja/kpi"): what the server answers, without a network."""
    with asyncio.Runner() as runner, explored(copy, "id") as datasette:

        def get(path: str) -> Any:
            answer: Coroutine[Any, Any, Any] = datasette.client.get(path)
            return runner.run(answer)

        yield get


def test_every_table_and_view_is_described_and_none_is_left_out(page: Any) -> None:
    found = page("/kinerja.json").json()
    shown = {t["name"] for t in found["tables"] if not t["hidden"]} | {v["name"] for v in found["views"]}
    assert shown == set(load_contracts().outgoing) | {view.name for view in load_views()}
    text = page("/kinerja/kpi").text
    assert "Satu baris per" in text, "the row in Indonesian"
    assert re.search(r"<dt>achievement</dt><dd>\w", text)


def test_every_question_is_answered_with_its_defaults_and_with_a_region(page: Any) -> None:
    for name in load_queries():
        for path in (f"/kinerja/{name}.json?_shape=objects", f"/kinerja/{name}.json?_shape=objects&region=salor"):
            answer = page(path)
            assert answer.status_code == 200, (name, answer.text)
            assert answer.json().get("ok") is not False, (name, answer.text)


def test_an_empty_parameter_means_its_default(copy: Path) -> None:
    sql = "SELECT :region, :period, :limit, :other"
    query = Query("q", "?", "?", {"region": "all", "period": "latest month", "limit": 10}, sql)
    with closing(sqlite3.connect(copy)) as connection:
        [(latest,)] = connection.execute("SELECT max(period) FROM period_status WHERE period_kind = 'month'").fetchall()
        given = {"region": "", "period": " ", "limit": "", "other": ""}
        assert connection.execute(with_defaults(query), given).fetchall() == [("all", latest, 10, "")]
        given = {"region": "salor", "period": "2026-Q1", "limit": "3", "other": "x"}
        assert connection.execute(with_defaults(query), given).fetchall() == [("salor", "2026-Q1", 3, "x")]


def test_people_filter_by_region_period_and_codes(page: Any) -> None:
    facets = page("/kinerja/evaluation.json?_shape=objects").json()["facet_results"]
    assert {"region", "period_kind", "period", "unit_id"} <= facets.keys()
    assert facets["region"]["results"] != []


def test_nothing_can_be_written_and_no_page_asks_another_host(page: Any) -> None:
    answer = page("/kinerja.json?sql=DELETE+FROM+kpi")
    assert (answer.status_code, answer.json()["ok"]) == (400, False)
    for path in ("/", "/kinerja", "/kinerja/kpi", "/kinerja/late_most_often"):
        loaded = re.findall(r"<(?:script|img|link)[^>]*(?:src|href)=[\"']([^\"']+)", page(path).text)
        assert [url for url in loaded if "//" in url and "//localhost/" not in url] == [], path


def test_only_a_masked_copy_is_shown(sqlite_world: sa.Engine, copy: Path, tmp_path: Path) -> None:
    check_masked(copy)
    with pytest.raises(ExploreError, match=r"has people's names or NIPs in it.*kinerja export --masked"):
        check_masked(Path(str(sqlite_world.url.database)))
    (tmp_path / "other.db").write_text("not a database")
    with pytest.raises(ExploreError, match="is no copy of the warehouse"):
        check_masked(tmp_path / "other.db")


def test_a_taken_port_is_said_before_anything_is_copied(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["explore", "--port", str(port)], env={"KINERJA_HOME": str(tmp_path)})
    assert (result.exit_code, "Take another --port or --host." in result.output) == (1, True)
    assert list(tmp_path.iterdir()) == []
