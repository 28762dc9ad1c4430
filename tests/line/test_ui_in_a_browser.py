"""`kinerja ui` as an operator meets it: its servers and its daemon run, a file comes, and somebody looks in a browser.

Screenshots stay in the folder that KINERJA_SCREENSHOTS names, else in pytest's own; the line printed says where.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from home_warehouse import address, copied, query
from line_world import Finished
from playwright.sync_api import Browser, Page, expect

from kinerja_pipeline.home import Home

pytestmark = pytest.mark.long

REGION, MONTH = "salor", "2026-03"
GOOD, NAMELESS_COUNT, RULE = "SLR-SUSULAN", 40, "unit_id__missing_without__nip"
PATIENCE_SECONDS = 300
LOOK_MILLISECONDS = 60_000


@dataclass(frozen=True)
class Served:
    """`kinerja ui` over a home, and where it listens."""

    home: Home
    port: int

    def address(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextlib.contextmanager
def serving(home: Home, *options: str) -> Iterator[Served]:
    """`kinerja ui` until the test is done with it; the file sensor is switched on, as on an operator's machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "kinerja_pipeline.cli", "--home", str(home.root), "ui", "--port", str(port)]
    settings = {**os.environ, "KINERJA_SCHEDULES": "on", "KINERJA_WAREHOUSE_URL": address(home)}
    log = home.root / f"ui-{port}.log"
    with log.open("wb") as said:
        process = subprocess.Popen([*command, *options], env=settings, stdout=said, stderr=said)
        try:
            served = Served(home, port)
            until(lambda: process.poll() is not None or answers(served), "the web server does not answer", log)
            assert process.poll() is None, log.read_text(errors="replace")
            yield served
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(120)


def answers(served: Served) -> bool:
    try:
        with urllib.request.urlopen(served.address("/server_info"), timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until(is_so: Callable[[], bool], problem: str, log: Path) -> float:
    """The seconds until it is so."""
    start = time.monotonic()
    while not is_so():
        seconds = time.monotonic() - start
        assert seconds < PATIENCE_SECONDS, (
            f"{problem} after {seconds:.0f} s:\n{log.read_text(errors='replace')[-3000:]}"
        )
        time.sleep(0.1)
    return time.monotonic() - start


@pytest.fixture(scope="module")
def home(finished: Callable[[str], Finished], tmp_path_factory: pytest.TempPathFactory) -> Home:
    return copied(finished(REGION).home, tmp_path_factory.mktemp("ui") / "home")


@pytest.fixture(scope="module")
def served(home: Home) -> Iterator[Served]:
    with serving(home) as found:
        yield found


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("KINERJA_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    print(f"\nscreenshots: {folder}")
    return folder


@pytest.fixture(scope="module")
def seconds_to_warehouse(served: Served) -> float:
    """A file of one more task, and of many that name nobody, comes while the daemon runs: the seconds until the task
    is in the warehouse."""
    folder = served.home.landing / REGION / "task_record"
    header, row = (folder / f"tugas_{MONTH}.csv").read_bytes().splitlines()[:2]
    _, nip, rest = row.split(b";", 2)
    nameless = [f"SLR-RUSAK-{n};;".encode() + rest for n in range(NAMELESS_COUNT)]
    part = folder / "tugas_susulan.csv.part"
    part.write_bytes(b"\n".join([header, b";".join([GOOD.encode(), nip, rest]), *nameless, b""]))
    part.rename(folder / "tugas_susulan.csv")
    return until(
        lambda: bool(query(served.home, f"SELECT 1 FROM task_outcome WHERE task_id = '{GOOD}'")),
        "the file is not in the warehouse",
        served.home.root / f"ui-{served.port}.log",
    )


@dataclass
class Window:
    """A browser's page over one server; everything that it asks for is noted."""

    page: Page
    served: Served
    folder: Path
    hosts: set[str] = field(default_factory=set)

    def open(self, path: str) -> None:
        self.page.goto(self.served.address(path))

    def keep(self, name: str) -> None:
        self.page.screenshot(path=self.folder / f"{name}.png", animations="disabled")


def host(url: str) -> str:
    """Scheme, name and port; of what the page itself holds (data:, blob:) the scheme."""
    told = urlsplit(url)
    return f"{told.scheme}://{told.netloc}" if told.netloc else f"{told.scheme}:"


@contextlib.contextmanager
def looking(browser: Browser, served: Served, folder: Path) -> Iterator[Window]:
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(LOOK_MILLISECONDS)
    expect.set_options(timeout=LOOK_MILLISECONDS)
    window = Window(page, served, folder)
    page.on(
        "request", lambda asked: window.hosts.add(re.sub(r"^(\w+://[^/]*|\w+:).*", r"\1", asked.url, flags=re.DOTALL))
    )
    page.on("websocket", lambda opened: window.hosts.add(re.sub(r"^ws(://[^/]*).*", r"http\1", opened.url)))
    yield window
    page.close()
    assert window.hosts - {"data:", "blob:"} == {served.address()}, "no request to anybody else"


@pytest.fixture
def window(served: Served, browser: Browser, screenshots: Path) -> Iterator[Window]:
    with looking(browser, served, screenshots) as opened:
        yield opened


def test_a_file_that_comes_is_in_the_warehouse_without_anybody_doing_anything(seconds_to_warehouse: float) -> None:
    print(f"\nfile to warehouse: {seconds_to_warehouse:.0f} s (the first file after a start)")
    assert seconds_to_warehouse < PATIENCE_SECONDS


def test_from_a_published_table_one_walks_back_to_the_files_that_landed(window: Window) -> None:
    page = window.page
    window.open("/assets/warehouse/attendance_month")
    way = ("facts/attendance_month", "facts/attendance_day", "validated/attendance_log", "landing/attendance_log")
    for place in way:
        step = page.locator(f"a[href^='/assets/{place}']").first
        step.scroll_into_view_if_needed()
        window.keep(f"before-{place.replace('/', '-')}")
        step.click()
        page.wait_for_url(f"**/assets/{place}")
    expect(page.get_by_text("Files of attendance_log as delivered, every version kept.").first).to_be_visible()
    window.keep("landing")
    window.open("/assets/warehouse/attendance_month?view=lineage&lineageScope=upstream&lineageDepth=10")
    for room in ("warehouse", "facts", "validated", "landing"):
        expect(page.locator("foreignObject").get_by_text(room, exact=True)).to_be_visible()
    window.keep("lineage")


def test_what_an_asset_shows_of_its_table(window: Window) -> None:
    page = window.page
    window.open("/assets/warehouse/attendance_month")
    for told in ("columns come from", "preview", "pages", "Bagian Organisasi"):
        expect(page.get_by_text(told, exact=True).first).to_be_visible()
    page.get_by_text("preview", exact=True).first.scroll_into_view_if_needed()
    window.keep("preview")
    page.get_by_text("pages", exact=True).first.scroll_into_view_if_needed()
    window.keep("pages")
    page.get_by_role("link", name="the report of the month").click()
    page.wait_for_url("**/assets/reports/monthly")
    expect(page.get_by_text(f"reports/monthly/{REGION}/{MONTH}/laporan.html").first).to_be_visible()

    window.open("/assets/facts/attendance_day?view=events")
    picture = page.locator("img[alt^='at most']").first
    picture.wait_for()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 300"), "the picture is drawn"
    window.keep("lateness")
    window.open("/assets/validated/event_tally?view=events")
    expect(page.get_by_text("rejected by feed").first).to_be_visible()
    expect(page.get_by_text("█").first).to_be_visible()
    window.keep("rejected")


def test_a_failed_check_says_what_is_wrong_and_what_to_do(seconds_to_warehouse: float, window: Window) -> None:
    page = window.page
    window.open("/assets/validated/task_record?view=checks&checkDetail=contract")
    expect(page.get_by_text("Failed", exact=True).first).to_be_visible()
    told = page.get_by_text(re.compile(r"\d+ of \d+ rows rejected"))
    expect(told.first).to_contain_text(RULE)
    window.keep("check-failed")
    for name in ("what to do", "yang harus dilakukan", "rows to look at"):
        row = page.get_by_role("row").filter(has_text=re.compile(f"^{name}"))
        row.get_by_text("[Show Markdown]").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_text(RULE).first).to_be_visible()
        window.keep(f"check-{name.replace(' ', '-')}")
        dialog.get_by_role("button", name="Close").click()
        dialog.wait_for(state="hidden")


def test_a_partition_launched_by_hand_runs_and_succeeds(seconds_to_warehouse: float, window: Window) -> None:
    page = window.page
    window.open("/assets/warehouse/kpi")
    page.get_by_role("button", name="Materialize").first.click()
    # The tables are published together, and Dagster asks whether that is meant.
    page.get_by_role("button", name="Confirm").click()
    dialog = page.get_by_role("dialog").filter(has_text="Partition selection")
    months = dialog.get_by_placeholder(re.compile("^ex: "))
    months.fill(MONTH)
    months.press("Enter")
    dialog.get_by_text("Select a partition or create one").click()
    page.get_by_role("menuitem").filter(has_text=REGION).click()
    dialog.get_by_text("Partition selection").click()
    window.keep("launch")
    dialog.get_by_role("button", name="Launch 1 run").click()
    page.get_by_text("View", exact=True).click()
    page.wait_for_url("**/runs/*")
    ended = page.get_by_text(re.compile("^(Success|Failure|Canceled)$")).first
    expect(ended).to_be_visible(timeout=PATIENCE_SECONDS * 1000)
    expect(ended).to_have_text("Success")
    window.keep("run")


def test_who_only_looks_can_launch_nothing(home: Home, browser: Browser, screenshots: Path) -> None:
    with serving(home, "--read-only") as served, looking(browser, served, screenshots) as window:
        page = window.page
        window.open("/assets/warehouse/kpi")
        page.get_by_text("One row per region, subject, indicator and period.").first.wait_for()
        launch = page.get_by_role("button", name="Materialize").first
        expect(launch).to_be_disabled()
        window.keep("read-only")
        refused = page.evaluate(
            """async () => (await (await fetch('/graphql', {method: 'POST',
            headers: {'content-type': 'application/json'}, body: JSON.stringify({query:
            'mutation { reloadWorkspace { __typename } setAutoMaterializePaused(paused: true) }'})})).json())"""
        )
        assert "errors" in refused or refused["data"]["reloadWorkspace"]["__typename"] == "UnauthorizedError", refused
