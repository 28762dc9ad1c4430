"""What `kinerja demo` prints at the end: what an official would want to see, and what to do next.

Here: words and order. Not here: the figures (warehouse/overview).
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from kinerja_pipeline.home import Home, warehouse_url
from kinerja_pipeline.warehouse.overview import headlines, overview


def show_summary(home: Home, console: Console) -> None:
    """Prints the published months, the headline figures, and the next commands."""
    url = warehouse_url(home)
    published = overview(url)
    if published is None:
        return
    for table in (published, *headlines(url)):
        console.print()
        console.print(table)
    console.print()
    kinerja = "kinerja" if home.root == Path("kinerja_home").absolute() else f"kinerja --home {home.root}"
    steps = [
        (f"{kinerja} ui", "lineage, runs and checks at http://127.0.0.1:3000"),
        (f"{kinerja} status", "months published, files refused"),
        (f"{kinerja} check FILE --feed attendance_log --region manokwari", "is this file good?"),
    ]
    if laporan := sorted(home.reports.glob("monthly/*/*/laporan.html")):
        steps.append((f"xdg-open {laporan[-1]}", "the report that officials read"))
    if url.startswith("sqlite"):
        query = "SELECT * FROM follow_up WHERE status_code = 'recommended' LIMIT 10"
        steps.append((f'sqlite3 {home.warehouse} "{query}"', "what is recommended for whom"))
    console.print("Next:")
    for command, what in steps:
        console.print(f"  {command}    # {what}", highlight=False, markup=False, soft_wrap=True)
