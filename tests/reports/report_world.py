"""One region, two units, six people, March 2026 after February: what a report is tried on, as it is published.

A row names only what the tests look at; analyst_world fills in what its contract requires besides.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from pathlib import Path
from typing import Any

from analyst_world import VERSION, Frames, Row, publish_rows, unit

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.model import Policy
from kinerja_pipeline.reports.figures import Figures, figures
from kinerja_pipeline.warehouse.database import open_warehouse
from kinerja_pipeline.warehouse.published import published_month

REGION, MONTH = "salor", "2026-03"
ANI, BUDI, CICI = "199001012015011001", "199102022016022002", "199203032017032003"
DEDI, EKO, FITRI = "199304042018041004", "199405052019051005", "199506062020062006"
NIPS = (ANI, BUDI, CICI, DEDI, EKO, FITRI)
NAMES = {
    ANI: "Ani Wanggai",
    BUDI: "Budi Kaize",
    CICI: "Cici Mahuze",
    DEDI: "Dedi Gebze",
    EKO: "Eko Basik",
    FITRI: "Fitri",
}
LISTED = (ANI, BUDI, CICI)
"""Whom a follow-up line recommends something for; the others are in the region, and Dedi is excluded by a rule."""


def policy() -> Policy:
    return load_policies(Path("/nowhere")).in_force(REGION, MONTH)


def of_warehouse(file: Path, month: str = MONTH) -> Figures:
    """The figures of what is published in a SQLite file."""
    frames = published_month(f"sqlite:///{file}", load_contracts().outgoing, REGION, month)
    return figures(frames, policy(), month)


def publish_months(file: Path, rows: Frames, before: Frames | None = None) -> Path:
    """Publishes March, or February and March, in a SQLite file."""
    engine = open_warehouse(f"sqlite:///{file}")
    if before is not None:
        publish_rows(engine, REGION, "2026-02", before)
    publish_rows(engine, REGION, MONTH, rows)
    engine.dispose()
    return file


def february() -> Frames:
    return {
        "period_status": [_status("2026-02")],
        "kpi": [_in_time("DKP", 8, 10)],
        "satisfaction_index": [_index("DKP", 78.5, "B")],
    }


def march() -> Frames:
    return {
        "period_status": [_status(MONTH)],
        "region": [{"label_id": "Salor", "label_en": "Salor", "time_zone": "Asia/Jayapura"}],
        "org_unit": [unit("DKP", "Dinas Dukcapil"), unit("RSUD", "RSUD Salor")],
        "employee": [_employed(nip, "DKP" if nip in (ANI, BUDI) else "RSUD") for nip in NIPS],
        "indicator": [
            {
                "indicator_id": "task_on_time",
                "label_id": "Tugas selesai tepat waktu",
                "label_en": "Tasks done on time",
                "source": "task_outcome",
                "aspect_code": "time",
                "statistic": "ratio",
                "unit": "percent",
                "direction": "higher",
                "formula": "-",
                "law": "PP 30/2019",
            }
        ],
        # 27 of 32 in the region: 84.375 percent, which is rounded up to 84.4.
        "kpi": [_in_time("DKP", 9, 12), _in_time("RSUD", 18, 20)],
        "satisfaction_index": [
            _index("DKP", 80.0, "B", ci_low=75.25, ci_high=84.75, required_count=97, flag_codes="low_response,burst"),
            _index("RSUD", 90.0, "A", ci_low=88.0, ci_high=92.0, respondent_count=30),
        ],
        # (10 x 3.2 + 30 x 3.6) / 40 = 3.5
        "satisfaction_element": [_element("DKP", "u1", 10, 3.2), _element("RSUD", "u1", 30, 3.6)],
        "attendance_day": [
            _day(ANI, "DKP", "late", 1, late_minutes=12),
            _day(BUDI, "DKP", "absent", 0),
            _day(CICI, "RSUD", "present", 2),
            _day(DEDI, "RSUD", "leave", 0),
            _day(EKO, "RSUD", "missing_in", 1),
            _day(FITRI, "RSUD", "not_recorded", 0),
            *(_day(nip, "RSUD", "holiday", 0, dt.date(2026, 3, 1)) for nip in NIPS[2:]),
        ],
        "unit_evaluation": [
            _spread("DKP", (1, 10, 1, 0, 0), pattern_code="baik", is_conformant=False, change_count=2),
            _spread("RSUD", (0, 3, 0, 0, 0), note="unit_too_small"),
        ],
        "evaluation": [
            {"nip": ANI, "status_code": "computed"},
            {"nip": BUDI, "status_code": "not_computable", "reason": "appraisal_pending"},
        ],
        "follow_up": [
            _advice(
                "decline",
                "coaching",
                ANI,
                "declined",
                "result 80.5 in 2026-02, 70.25 in 2026-03; mean of the 3 months before: 95.0",
            ),
            _advice(
                "discipline",
                "discipline_warning",
                BUDI,
                "year_4",
                "4 unexcused days since 2026-01-01, longest run 1 working days, 1 in the month",
            ),
            _advice("training", "training", CICI, "weak_time", "time 60.0, asked for are 80.0", programme_id="DIK-W"),
            _advice("reward", "reward", DEDI, "long_leave", "result 111.0, behaviour sesuai", status_code="excluded"),
            _advice("staffing", "fill_positions", "DKP", "staffing_gap", "2 of 9 positions filled", "unit"),
        ],
        "training_programme": [{"programme_id": "DIK-W", "year": 2026, "name": "Manajemen waktu"}],
        "data_quality": [
            _rejected("task_record", "all", 1000, 30, 0.03, valid_count=960, superseded_count=10),
            _rejected("task_record", "task_type__code", 1000, 20, 0.02),
            _rejected("task_record", "nip__unknown", 1000, 10, 0.01),
            _rejected("attendance_log", "all", 500, 50, 0.1, valid_count=450, superseded_count=0),
        ],
        "delivery": [
            _file("task_record", "task_record/2026-03.csv", dt.date(2026, 3, 1), dt.date(2026, 3, 31)),
            _file("task_record", "task_record/2026-01.csv", dt.date(2026, 1, 1), dt.date(2026, 1, 31)),
            _file("attendance_log", "attendance_log/rusak.dat", None, None, status_code="refused", reason="not text"),
        ],
    }


def _status(month: str) -> Row:
    last = {"2026-02": dt.date(2026, 2, 28), MONTH: dt.date(2026, 3, 31)}[month]
    return {"period": month, "status_code": "closed", "as_of_date": last, "month_count": 1}


def _employed(nip: str, unit_id: str) -> Row:
    row = {"nip": nip, "name": NAMES[nip], "assignment_code": "utama", "valid_from": dt.date(2020, 1, 1)}
    return {**row, "unit_id": unit_id, "position": "Analis"}


def _in_time(unit_id: str, done: float, due: float) -> Row:
    row = {"subject_kind": "unit", "subject_id": unit_id, "unit_id": unit_id, "indicator_id": "task_on_time"}
    row |= {"numerator": done, "denominator": due, "actual": 100 * done / due, "target": 85.0, "weight": 0.3}
    return {**row, "aspect_code": "time", "status_code": "computed", "evidence_count": 1, "policy_version": VERSION}


def _index(unit_id: str, value: float, code: str, **more: Any) -> Row:
    row = {"unit_id": unit_id, "survey_code": "skm", "index_value": value, "class_code": code, "respondent_count": 10}
    return {**row, "status_code": "computed", **more}


def _element(unit_id: str, code: str, count: int, mean: float) -> Row:
    row = {"unit_id": unit_id, "survey_code": "skm", "element_code": code, "answer_count": count}
    return {**row, "mean_score": mean}


def _day(
    nip: str, unit_id: str, status: str, taps: int, on: dt.date = dt.date(2026, 3, 2), late_minutes: int | None = None
) -> Row:
    row = {"nip": nip, "unit_id": unit_id, "work_date": on, "status_code": status, "tap_count": taps}
    return {**row, "late_minutes": late_minutes}


def _spread(unit_id: str, counts: tuple[int, ...], **more: Any) -> Row:
    levels = ("sangat_baik", "baik", "butuh_perbaikan", "kurang", "sangat_kurang")
    row = {f"{level}_count": count for level, count in zip(levels, counts, strict=True)}
    return {**row, "unit_id": unit_id, "employee_count": sum(counts) + 1, "evaluated_count": sum(counts), **more}


def _advice(
    rule: str, action: str, subject: str, reason: str, evidence: str, kind: str = "employee", **more: Any
) -> Row:
    row = {"subject_kind": kind, "subject_id": subject, "rule_id": rule, "action_code": action, "reason": reason}
    return {**row, "evidence": evidence, "status_code": "recommended", **more}


def _rejected(feed: str, rule: str, landed: int, rejected: int, share: float, **more: Any) -> Row:
    row = {"feed": feed, "unit_id": "all", "rule_id": rule, "landed_count": landed, "rejected_count": rejected}
    return {**row, "rejected_share": share, "tolerance_share": 0.05, "severity_code": "error", **more}


def _file(feed: str, name: str, first: dt.date | None, last: dt.date | None, **more: Any) -> Row:
    digest = hashlib.sha256(name.encode()).hexdigest()
    row = {"feed": feed, "delivery_id": digest, "sha256": digest, "file_name": name, "sequence": 1}
    row |= {"status_code": "landed", "received_at": dt.datetime(2026, 4, 1, 1, tzinfo=dt.UTC)}
    return {**row, "first_event_date": first, "last_event_date": last, **more}


JOINED = {"unit_id", "programme_id", "severity_code", "source", "statistic", "direction", "unit", "policy_version"}
"""Columns by which the report finds its rows."""


def with_texts(rows: Frames, *texts: str) -> Frames:
    """The same rows with these texts, in turn, in every column that may hold any: names, reasons, evidence, files."""
    found: Frames = {}
    turn = itertools.count()
    for table, lines in rows.items():
        contract = load_contracts().outgoing[table]
        free = [
            c.name
            for c in contract.columns
            if c.kind == "string" and not c.codes and c.pattern is None and c.key_position is None
        ]
        found[table] = [
            {**line, **{name: f"{texts[next(turn) % len(texts)]}{n}" for name in free if name not in JOINED}}
            for n, line in enumerate(lines)
        ]
    return found
