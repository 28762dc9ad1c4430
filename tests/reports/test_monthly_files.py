"""A report shows one snapshot of the warehouse, on either database, and its files stay where they belong."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from analyst_world import publish_rows
from report_world import MONTH, NIPS, REGION, february, march, policy

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.contracts.tables import warehouse_schema
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.reports.figures import Figures, figures
from kinerja_pipeline.reports.monthly import ReportError, write_report
from kinerja_pipeline.reports.page import page
from kinerja_pipeline.warehouse import database
from kinerja_pipeline.warehouse.database import NothingPublished
from kinerja_pipeline.warehouse.published import READ, NotPublished, published_month


def read(engine: sa.Engine) -> Figures:
    url = engine.url.render_as_string(hide_password=False)
    return figures(published_month(url, load_contracts().outgoing, REGION, MONTH), policy(), MONTH)


def test_either_database_gives_one_publication_whoever_publishes_meanwhile(
    migrated: sa.Engine, shown: Figures, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_rows(migrated, REGION, "2026-02", february())
    publish_rows(migrated, REGION, MONTH, march())
    first_look = database.is_migrated

    def look_and_let_another_publish(connection: sa.Connection) -> bool:
        is_migrated = first_look(connection)
        # A snapshot begins with the first row that is read.
        schema = warehouse_schema(connection.dialect.name)
        connection.execute(sa.text(f"SELECT 1 FROM {schema + '.' if schema else ''}publication")).all()
        publish_rows(migrated, REGION, MONTH, {**march(), "follow_up": [], "kpi": []})
        return is_migrated

    monkeypatch.setattr(database, "is_migrated", look_and_let_another_publish)
    during = page(read(migrated), policy(), "id")
    monkeypatch.undo()
    assert during == page(shown, policy(), "id"), "the same as a SQLite file gives that nobody else writes to"
    assert read(migrated).publication["publication_id"] == "salor-00000003"


def test_what_is_not_published_is_said_with_what_there_is(tmp_path: Path, warehouse: Path) -> None:
    outgoing = load_contracts().outgoing
    with pytest.raises(NothingPublished, match=r"Nothing is published yet"):
        published_month(f"sqlite:///{tmp_path / 'no.db'}", outgoing, REGION, MONTH)
    assert list(tmp_path.iterdir()) == [], "a warehouse that is missing stays missing"
    with pytest.raises(NotPublished, match=r"^salor: 2026-04 is not published; there is 2026-02, 2026-03\.$"):
        published_month(f"sqlite:///{warehouse}", outgoing, REGION, "2026-04")


def test_nothing_that_people_said_of_people_is_read() -> None:
    """Means of too few raters are suppressed in those tables already; a report does not even open them."""
    assert not set(READ) & {"appraisal_role", "competency_profile", "rater_unit"}


@pytest.fixture
def home(tmp_path: Path, warehouse: Path) -> Home:
    home = Home(tmp_path / "home")
    init_home(home)
    home.warehouse.symlink_to(warehouse)
    return home


def written(home: Home, region: str = REGION, month: str = MONTH, language: Any = "id") -> list[Path]:
    url, policies = f"sqlite:///{home.warehouse}", load_policies(home.policies)
    return write_report(home, url, policies, load_contracts(), region, month, language)


def test_three_files_are_written_that_only_this_account_may_read(home: Home) -> None:
    files = written(home)
    folder = home.reports / "monthly" / REGION / MONTH
    assert files == [folder / name for name in ("laporan.html", "laporan.xlsx", "ringkasan.html")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert sorted(folder.iterdir()) == sorted(files), "nothing half written is left"
    assert 'href="laporan.xlsx"' in files[0].read_text(encoding="utf-8")
    assert "laporan." not in files[2].read_text(encoding="utf-8"), "it leads to no names"
    english = written(home, language="en")
    assert [file.name for file in english] == ["report.html", "report.xlsx", "summary.html"]
    assert not [nip for nip in NIPS for file in (files[0], english[0]) if nip in file.read_text(encoding="utf-8")]


def test_the_same_publication_gives_the_same_files(home: Home) -> None:
    first = [file.read_bytes() for file in written(home)]
    assert [file.read_bytes() for file in written(home)] == first


def test_a_report_stays_in_the_home(home: Home, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (home.reports / "monthly").symlink_to(outside)
    with pytest.raises(ReportError, match="leads out of the home"):
        written(home)
    assert list(outside.iterdir()) == []
    with pytest.raises(ReportError, match=r"no region '\.\./\.\.'"):
        written(home, region="../..")
    with pytest.raises(ReportError, match=r"no region 'salr' \(did you mean 'salor'\?\)"):
        written(home, region="salr")
