"""A run leaves a report of every month it published; a report that cannot be made undoes no publication."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import fastexcel
import pytest
from dagster import AssetKey, DagsterInstance, MetadataValue
from home_warehouse import address, copied
from line_world import MONTHS, Finished, hashes, kinerja, succeeded

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.definitions import build_definitions
from kinerja_pipeline.home import Home
from kinerja_pipeline.orchestration import launch
from kinerja_pipeline.orchestration.deployment import partition_key
from kinerja_pipeline.orchestration.storage import Lake
from kinerja_pipeline.policies.loader import load_policies

FinishedOf = Callable[[str], Finished]
REGION = "manokwari"


def links(page: Path) -> list[Path]:
    """The files that a page leads to."""
    found = re.findall(r'href="([^"#][^"]*)"', page.read_text(encoding="utf-8"))
    return [(page.parent / link).resolve() for link in found]


@pytest.mark.parametrize("month", MONTHS)
def test_every_published_month_has_its_report_and_its_links_lead_somewhere(month: str, finished: FinishedOf) -> None:
    home = finished(REGION).home
    folder = home.reports / "monthly" / REGION / month
    assert {file.name for file in folder.iterdir()} == {"laporan.html", "laporan.xlsx", "ringkasan.html"}
    page = folder / "laporan.html"
    led_to = links(page)
    assert [file for file in led_to if not file.is_file()] == []
    # Nobody ever delivered a roster there.
    assert {file.stem for file in led_to} == {"laporan", *load_contracts().incoming} - {"shift_roster"}
    of_month = home.reports / "validation" / REGION / month
    assert {back for file in of_month.iterdir() for back in links(file)} == {page.resolve()}
    assert links(folder / "ringkasan.html") == []


def test_nobodys_number_is_in_a_report_and_only_the_lists_name_people(finished: FinishedOf) -> None:
    home = finished(REGION).home
    people = Lake(home.lake).read("validated", "employee", REGION)
    nips, names = set(people["nip"]), set(people["name"])
    for month in MONTHS:
        folder = home.reports / "monthly" / REGION / month
        page = (folder / "laporan.html").read_text(encoding="utf-8")
        summary = (folder / "ringkasan.html").read_text(encoding="utf-8")
        book = fastexcel.read_excel(folder / "laporan.xlsx")
        sheets = {n: str(book.load_sheet(n, header_row=None).to_polars().rows()) for n in book.sheet_names}
        before, rest = page.split('<section id="follow-up">')
        lists, after = rest.split('<section id="data">')
        lists += sheets.pop("Tindak lanjut")
        unnamed = "".join([before, after, summary, *sheets.values()])
        assert not [nip for nip in nips if nip in unnamed + lists]
        assert not [name for name in names if name in unnamed]
        assert [name for name in names if name in lists], "a world in which no list names anybody proves nothing"


def test_a_report_can_be_made_again_in_english(finished: FinishedOf, tmp_path: Path) -> None:
    home = copied(finished(REGION).home, tmp_path / "home")
    told = succeeded(kinerja(home, "report", "--region", REGION, "--month", MONTHS[0], "--lang", "en"))
    folder = home.reports / "monthly" / REGION / MONTHS[0]
    assert told.splitlines() == [f"Written: {folder / n}" for n in ("report.html", "report.xlsx", "summary.html")]
    assert "February 2026" in (folder / "report.html").read_text(encoding="utf-8")
    refused = kinerja(home, "report", "--region", REGION, "--month", "2025-07")
    assert (refused.exit_code, refused.output) == (
        1,
        f"{REGION}: 2025-07 is not published; there is {', '.join(MONTHS)}.\n",
    )


def reported(home: Home, monkeypatch: pytest.MonkeyPatch) -> launch.ExecuteInProcessResult:
    """The report's step alone, as a run of the month comes to it after the publication."""
    monkeypatch.setenv("KINERJA_HOME", str(home.root))
    monkeypatch.setenv("KINERJA_WAREHOUSE_URL", address(home))
    job = build_definitions(load_contracts(), load_policies(home.policies)).resolve_job_def("region_month")
    with DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            instance=instance,
            partition_key=partition_key(REGION, MONTHS[1]),
            asset_selection=[AssetKey(["reports", "monthly"]), AssetKey(["reports", "published"])],
            run_config=launch.QUIET,
            raise_on_error=False,
        )


def test_a_report_that_cannot_be_made_says_so_and_leaves_the_month_published(
    finished: FinishedOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = copied(finished(REGION).home, tmp_path / "home")
    before = hashes(home, REGION)
    done = reported(home, monkeypatch)
    _, event = done.asset_materializations_for_node("after_publication")
    laporan = home.reports / "monthly" / REGION / MONTHS[1] / "laporan.html"
    assert event.metadata["laporan_html"] == MetadataValue.path(laporan)
    shutil.rmtree(home.reports / "monthly")
    (home.reports / "monthly").write_text("a file where the folder should be")
    failed = reported(home, monkeypatch)
    assert not failed.success
    assert re.fullmatch(
        r"The month is published; only its report could not be made: .*Not a directory.* Afterwards: "
        rf"`kinerja report --region {REGION} --month {MONTHS[1]}`\.",
        launch._why(failed),
    ), launch._why(failed)
    assert hashes(home, REGION) == before
