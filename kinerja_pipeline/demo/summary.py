"""What `kinerja demo` prints at the end: what an official would want to see, and what to do next.

Here: words and order. Not here: the figures (warehouse/overview).
"""

from __future__ import annotations

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
    console.print("Next:")
    console.print("  kinerja ui                lineage, runs and checks at http://127.0.0.1:3000")
    console.print("  kinerja status            months published, deliveries refused")
    console.print(
        f"  sqlite3 {home.warehouse} \"SELECT * FROM follow_up WHERE status_code = 'recommended' LIMIT 10\"",
        highlight=False,
    )
    console.print("  kinerja check FILE --feed attendance_log --region manokwari    is this file good?")
