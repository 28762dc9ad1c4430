"""What an operator and an official see first: months published by region, headline figures.

Here: small queries on the published tables, as terminal tables. Not here: the ledger (warehouse/status), reports.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from rich.table import Table

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.facts.periods import spans
from kinerja_pipeline.warehouse.database import open_warehouse, reading
from kinerja_pipeline.warehouse.status import region_month_status

PREDICATES = {
    "sangat_baik": "Sangat Baik",
    "baik": "Baik",
    "butuh_perbaikan": "Butuh Perbaikan",
    "kurang": "Kurang",
    "sangat_kurang": "Sangat Kurang",
}


def overview(url: str, region: str | None = None) -> Table | None:
    """One line per region: its published months, how many are closed, rows, and when it was last published; None when
    nothing is published. Opening a SQLite warehouse would make the file, so a missing one is left missing."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return None
    engine = open_warehouse(url)
    try:
        months = region_month_status(engine)
    finally:
        engine.dispose()
    if region is not None:
        months = months.filter(pl.col("region") == region)
    if months.is_empty():
        return None
    table = Table(title="Published", title_justify="left")
    for heading in ("region", "months", "complete", "closed", "rows", "last published (UTC)"):
        table.add_column(heading, justify="right" if heading in ("complete", "closed", "rows") else "left")
    expected = months["table_count"].max()
    for (name,), part in months.group_by("region", maintain_order=True):
        periods = part["period"].to_list()
        complete = int((part["table_count"] == expected).sum())
        table.add_row(
            str(name),
            ", ".join(spans(periods)),
            f"{complete} of {len(periods)}",
            str(int((part["status_code"] == "closed").sum())),
            f"{part['row_count'].sum():,}",
            str(part["last_published_at"].max())[:16],
        )
    return table


def headlines(url: str) -> list[Table]:
    """What an official looks at first: predicates, attendance, follow-up, satisfaction, and rows received."""
    return [_predicates(url), _people(url), _satisfaction(url), _quality(url)]


def _predicates(url: str) -> Table:
    counts = _rows(
        url,
        """SELECT e.region, e.period, e.recommended_predicate, count(*) FROM {schema}evaluation e
        JOIN (SELECT region, max(period) AS period FROM {schema}evaluation
              WHERE period_kind = 'month' GROUP BY region) l
          ON l.region = e.region AND l.period = e.period
        GROUP BY e.region, e.period, e.recommended_predicate ORDER BY e.region""",
    )
    table = Table(title="Predikat yang disarankan, bulan terakhir (pegawai)", title_justify="left")
    table.add_column("daerah")
    table.add_column("bulan")
    for label in (*PREDICATES.values(), "Belum dapat dihitung"):
        table.add_column(label, justify="right")
    for region in sorted({c[0] for c in counts}):
        own = {c[2]: c[3] for c in counts if c[0] == region}
        month = next(c[1] for c in counts if c[0] == region)
        table.add_row(region, month, *(str(own.get(p, 0)) for p in (*PREDICATES, None)))
    return table


def _people(url: str) -> Table:
    actions = _rows(
        url,
        """SELECT region, period, sum(CASE WHEN action_code = 'coaching' THEN 1 ELSE 0 END),
          sum(CASE WHEN action_code = 'reward' THEN 1 ELSE 0 END)
        FROM {schema}follow_up WHERE status_code = 'recommended' GROUP BY region, period ORDER BY region, period""",
    )
    presence = _rows(
        url,
        """SELECT region, period, sum(present_count), sum(workday_count), sum(late_count), sum(not_recorded_count)
        FROM {schema}attendance_month GROUP BY region, period ORDER BY region, period""",
    )
    by_month = {(a[0], a[1]): a[2:] for a in actions}
    table = Table(title="Kehadiran dan tindak lanjut", title_justify="left")
    for heading in (
        "daerah",
        "bulan",
        "hadir",
        "hari terlambat",
        "hari tidak terekam",
        "pembinaan",
        "usulan penghargaan",
    ):
        table.add_column(heading, justify="left" if heading in ("daerah", "bulan") else "right")
    for region, period, present, workdays, late, unrecorded in presence:
        coaching, reward = by_month.get((region, period), (0, 0))
        share = f"{100 * present / workdays:.1f} %" if workdays else "-"
        table.add_row(region, period, share, f"{late:,}", f"{unrecorded:,}", str(coaching), str(reward))
    return table


def _satisfaction(url: str) -> Table:
    rows = _rows(
        url,
        """SELECT s.region, count(*), min(s.index_value), max(s.index_value),
          sum(CASE WHEN s.class_code IN ('A', 'B') THEN 1 ELSE 0 END),
          sum(CASE WHEN s.flag_codes LIKE '%low_response%' THEN 1 ELSE 0 END)
        FROM {schema}satisfaction_index s
        JOIN (SELECT region, max(period) AS period FROM {schema}period_status
              WHERE period_kind = 'month' GROUP BY region) l
          ON l.region = s.region AND l.period = s.period
        GROUP BY s.region ORDER BY s.region""",
    )
    table = Table(title="Survei kepuasan masyarakat, bulan terakhir", title_justify="left")
    for heading in ("daerah", "unit", "IKM terendah", "IKM tertinggi", "mutu A/B", "jawaban kurang"):
        table.add_column(heading, justify="left" if heading == "daerah" else "right")
    for region, units, low, high, good, few in rows:
        table.add_row(region, str(units), _number(low), _number(high), str(good), str(few))
    return table


def _quality(url: str) -> Table:
    rows = _rows(
        url,
        """SELECT region, sum(landed_count), sum(valid_count), sum(rejected_count), sum(superseded_count)
        FROM {schema}data_quality WHERE rule_id = 'all' AND feed IN :feeds
        GROUP BY region ORDER BY region""",
        # A register is judged anew every month; its rows would be counted as often.
        feeds=[contract.name for contract in load_contracts().incoming.values() if contract.is_event],
    )
    table = Table(title="Baris: diterima = sah + ditolak + digantikan", title_justify="left")
    for heading in ("daerah", "diterima", "sah", "ditolak", "digantikan"):
        table.add_column(heading, justify="left" if heading == "daerah" else "right")
    for region, *numbers in rows:
        table.add_row(region, *(f"{int(n or 0):,}" for n in numbers))
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _rows(url: str, query: str, **lists: list[str]) -> list[tuple[Any, ...]]:
    engine = open_warehouse(url)
    schema = "" if engine.dialect.name == "sqlite" else "reporting."
    try:
        with reading(engine) as connection:
            text = sa.text(query.format(schema=schema))
            named = text.bindparams(*(sa.bindparam(name, expanding=True) for name in lists))
            return [tuple(row) for row in connection.execute(named, lists)]
    finally:
        engine.dispose()
