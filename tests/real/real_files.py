"""Which real file belongs to which region and feed, and reading them the plain way, to count without the pipeline."""

from __future__ import annotations

import csv
from pathlib import Path

POLICIES = Path(__file__).parent / "policies"

REAL_FILES: dict[str, tuple[str, list[str]]] = {
    "office": ("attendance_log", ["attendance/office_scanner/1_attlog.dat"]),
    "shop": (
        "attendance_log",
        [f"attendance/shop_scanner_exports/{day}_attlog.dat" for day in ("2021-09-19", "2021-10-05", "2021-11-01")],
    ),
    "scanners": (
        "attendance_log",
        [f"attendance/small/{name}_attlog.dat" for name in ("agency", "ministry", "newsroom")],
    ),
    "agency": ("task_record", ["tasks/agency_service_requests.csv"]),
    "municipality": ("task_record", ["tasks/permit_events.csv"]),
    "counter_wide": ("feedback_response", ["survey/counter_survey_wide.csv"]),
    "counter_long": ("feedback_response", ["survey/counter_survey_answers_long.csv"]),
}


def lines(path: Path) -> list[str]:
    """The file's lines, the plain way."""
    return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n").removesuffix("\n").split("\n")


def records(path: Path) -> list[dict[str, str]]:
    """The file's rows, the plain way."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
