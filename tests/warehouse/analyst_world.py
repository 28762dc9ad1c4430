"""Two regions, six people, two months: what analysts' views, questions and copies are tried on. A row names only what
the tests look at; what its contract requires besides is filled in."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import sqlalchemy as sa

from kinerja_pipeline.contracts.model import Column, load_contracts
from kinerja_pipeline.warehouse.publish import Versions, publish

AGUS, BETTY, CORNELIA, DOMINGGUS, ELIAS, FRANS = (
    "198001012005011001",
    "198102022006022002",
    "198203032007032003",
    "198304042008041004",
    "198405052009051005",
    "198506062010061006",
)
NAMES = {
    AGUS: "Agus Wanggai",
    BETTY: "Betty Rumbiak",
    CORNELIA: "Cornelia Mandacan",
    DOMINGGUS: "Dominggus Saiba",
    ELIAS: "Elias Kaimuddin",
    FRANS: "Frans Gebze",
}
MONTHS = ("2026-02", "2026-03")
VERSION = "2026.1+aaaa"
_DTYPES = {
    "string": pl.String,
    "integer": pl.Int64,
    "number": pl.Float64,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "timestamp": pl.Datetime("us", "UTC"),
}
_EMPTY: dict[str, Any] = {
    "string": "-",
    "integer": 0,
    "number": 0.0,
    "boolean": False,
    "date": dt.date(2026, 1, 1),
    "timestamp": dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC),
}
Row = dict[str, Any]
Frames = dict[str, list[Row]]


def publish_world(engine: sa.Engine) -> None:
    """Publishes both months of Manokwari and the last of Salor; in February, closed by then, two minutes were wrong."""
    february = _february()
    wrong = [attended(AGUS, 20, 20, 1, 12, 0.01), *february["attendance_month"][1:]]
    for region, month, frames in (
        ("manokwari", "2026-02", {**february, "attendance_month": wrong}),
        ("manokwari", "2026-02", february),
        ("manokwari", "2026-03", _march()),
        ("salor", "2026-03", _salor()),
    ):
        publish_rows(engine, region, month, frames)


def publish_rows(engine: sa.Engine, region: str, month: str, rows: Frames) -> None:
    """Publishes rows of any tables; columns that a row leaves out are filled in."""
    frames = {table: frame(table, region, month, lines) for table, lines in rows.items()}
    publish(
        engine,
        load_contracts(),
        region,
        month,
        frames,
        versions=Versions(code="1.0", policy=VERSION),
        now=dt.datetime(2026, 4, 6, 2, 30, tzinfo=dt.UTC),
        run_id="run-1",
    )


def frame(table: str, region: str, month: str, rows: list[Row]) -> pl.DataFrame:
    contract = load_contracts().outgoing[table]
    known = {"region": region, "period": month, "period_kind": "month", "policy_version": VERSION}
    filled = [{c.name: {**known, **row}.get(c.name, _filled(c)) for c in contract.columns} for row in rows]
    return pl.DataFrame(filled, schema={c.name: _DTYPES[c.kind] for c in contract.columns}, strict=False)


def _filled(column: Column) -> Any:
    if not (column.is_required or column.key_position):
        return None
    return column.codes[0] if column.codes else _EMPTY[column.kind]


def person(nip: str, unit: str, supervisor: str | None = None, since: dt.date = dt.date(2020, 1, 1)) -> Row:
    return {
        "nip": nip,
        "name": NAMES[nip],
        "assignment_code": "utama",
        "valid_from": since,
        "unit_id": unit,
        "position": "Analis",
        "supervisor_nip": supervisor,
        "employment_status": "pns",
        "position_level": "pelaksana",
    }


def unit(unit_id: str, name: str) -> Row:
    return {"unit_id": unit_id, "valid_from": dt.date(2020, 1, 1), "name": name, "unit_path": unit_id, "sector": "s"}


def unit_kpi(unit_id: str, indicator: str, weight: float, score: float | None, **more: Any) -> Row:
    status = "computed" if score is not None else "not_computable"
    row = {"subject_kind": "unit", "subject_id": unit_id, "unit_id": unit_id, "indicator_id": indicator}
    row |= {"aspect_code": "time", "weight": weight, "score": score, "status_code": status, "evidence_count": 1}
    return {**row, "actual": score, "reason": None if score is not None else "no_rows", **more}


def person_kpi(nip: str, unit_id: str, indicator: str, score: float) -> Row:
    return {**unit_kpi(unit_id, indicator, 1.0, score), "subject_kind": "employee", "subject_id": nip}


def evaluated(nip: str, unit_id: str, result: float | None, official: str | None = None, **more: Any) -> Row:
    status = "computed" if result is not None else "not_computable"
    row = {"nip": nip, "unit_id": unit_id, "result_score": result, "official_predicate": official}
    row |= {"status_code": status, "reason": None if result is not None else "coverage", "recommended_predicate": None}
    return {**row, "coverage_share": 1.0, **more}


def task(task_id: str, nip: str | None, unit_id: str, is_on_time: bool | None, **more: Any) -> Row:
    row = {"task_id": task_id, "nip": nip, "unit_id": unit_id, "task_type": "service_request", "is_repeat": None}
    return {**row, "status_code": "completed", "is_on_time": is_on_time, "quality_score": 80.0, **more}


def attended(nip: str, days: int, present: int, late: int, minutes: int, share: float, **more: Any) -> Row:
    row = {"nip": nip, "workday_count": days, "present_count": present, "late_count": late, "late_minutes": minutes}
    row |= {"attendance_share": present / days, "punctuality_share": (present - late) / present}
    row |= {"deduction_share": share, "deduction_base_code": "allowance", "absent_count": days - present}
    return {**row, "early_count": 0, "not_recorded_count": 0, "leave_count": 0, **more}


def composed(nip: str, unit_id: str, deduction: float, left: float) -> Row:
    row = {"nip": nip, "unit_id": unit_id, "deduction_share": deduction, "deduction_base_code": "allowance"}
    row |= {"deduction_of_allowance_share": deduction, "allowance_share": left, "status_code": "computed"}
    return {**row, "discipline_weight": 0.4, "productivity_weight": 0.6}


def surveyed(unit_id: str, index: float, mark: str, answers: int, required: int) -> Row:
    row = {"unit_id": unit_id, "survey_code": "skm", "index_value": index, "index_value_raw": index}
    row |= {"class_code": mark, "respondent_count": answers, "required_count": required, "status_code": "computed"}
    return {**row, "ci_low": index - 2, "ci_high": index + 2}


def recommended(nip: str, rule: str, action: str, reason: str, evidence: str, **more: Any) -> Row:
    row = {"subject_kind": "employee", "subject_id": nip, "rule_id": rule, "action_code": action, "reason": reason}
    return {**row, "evidence": evidence, "status_code": "recommended", **more}


def trained(nip: str, unit_id: str, hours: float = 0.0) -> Row:
    row = {"nip": nip, "unit_id": unit_id, "hours": hours, "expected_hours": 20.0, "month_hours": 0.0}
    return {**row, "programme_count": 0, "hours_share": hours / 20}


def quality(feed: str, rule: str, rejected: int, landed: int = 100, **more: Any) -> Row:
    is_whole = rule == "all"
    row = {"feed": feed, "unit_id": "all", "rule_id": rule, "landed_count": landed, "rejected_count": rejected}
    row |= {"valid_count": landed - rejected if is_whole else None, "superseded_count": 0 if is_whole else None}
    return {**row, "rejected_share": rejected / landed, "tolerance_share": 0.02, "severity_code": "error", **more}


def _registers() -> Frames:
    line = {"statistic": "ratio", "unit": "percent", "direction": "higher", "aspect_code": "time", "formula": "a / b"}
    line |= {"indicator_id": "on_time", "label_id": "Tepat waktu", "label_en": "On time", "source": "task_outcome"}
    return {
        "region": [{"label_id": "Manokwari", "label_en": "Manokwari", "time_zone": "Asia/Jayapura"}],
        "indicator": [
            {
                **line,
                "indicator_id": "on_time",
                "label_id": "Tepat waktu",
                "label_en": "On time",
                "source": "task_outcome",
            }
        ],
        "org_unit": [unit("DINKES", "Dinas Kesehatan"), unit("DUKCAPIL", "Dinas Dukcapil")],
        "employee": [
            person(AGUS, "DUKCAPIL", since=dt.date(2019, 1, 1)),
            person(AGUS, "DINKES"),
            person(BETTY, "DINKES", AGUS),
            person(CORNELIA, "DUKCAPIL", AGUS),
            person(DOMINGGUS, "DUKCAPIL", CORNELIA),
        ],
    }


def _february() -> Frames:
    return {
        **_registers(),
        "period_status": [{"status_code": "closed", "month_count": 1}],
        "kpi": [unit_kpi("DINKES", "on_time", 0.5, 80.0), unit_kpi("DUKCAPIL", "on_time", 1.0, 95.0)],
        "evaluation": [evaluated(AGUS, "DINKES", 101.0), evaluated(BETTY, "DINKES", 95.0)],
        "task_outcome": [task("t1", AGUS, "DINKES", True), task("t2", BETTY, "DINKES", False)],
        "attendance_month": [attended(AGUS, 20, 20, 1, 10, 0.01), attended(BETTY, 20, 19, 0, 0, 0.05)],
        "training_year": [trained(AGUS, "DINKES"), trained(BETTY, "DINKES")],
        "satisfaction_index": [surveyed("DINKES", 84.0, "B", 50, 100), surveyed("DUKCAPIL", 80.0, "B", 50, 100)],
    }


def _march() -> Frames:
    return {
        **_registers(),
        "period_status": [{"status_code": "closed", "month_count": 2}],
        "kpi": [
            # (0.5 * 90 + 0.25 * 100) / 0.75 = 93.333; a quarter of the weight is not computable.
            unit_kpi("DINKES", "on_time", 0.5, 90.0),
            unit_kpi("DINKES", "quality", 0.25, 100.0),
            unit_kpi("DINKES", "cost", 0.25, None),
            unit_kpi("DINKES", "context", 0.0, 10.0),
            unit_kpi("DUKCAPIL", "on_time", 1.0, 85.5),
            person_kpi(AGUS, "DINKES", "on_time", 92.0),
            person_kpi(CORNELIA, "DUKCAPIL", "on_time", 70.0),
        ],
        "evaluation": [
            evaluated(AGUS, "DINKES", 92.0, "baik", behaviour_score=88.0, recommended_predicate="baik"),
            evaluated(BETTY, "DINKES", 112.5, "kurang", recommended_predicate="baik", is_different=True),
            evaluated(CORNELIA, "DUKCAPIL", 70.0, "baik", objection_code="open"),
            evaluated(DOMINGGUS, "DUKCAPIL", None),
        ],
        "unit_evaluation": [
            {"unit_id": "DINKES", "employee_count": 2, "evaluated_count": 2, "baik_count": 1, "kurang_count": 1},
        ],
        "task_outcome": [
            task("t3", AGUS, "DINKES", True),
            task("t4", AGUS, "DINKES", True, quality_score=90.0),
            task("t5", BETTY, "DINKES", True),
            task("t6", BETTY, "DINKES", False),
            task("t7", None, "DINKES", None, status_code="open"),
            task("t8", AGUS, "DINKES", False, status_code="cancelled"),
            task("t9", CORNELIA, "DUKCAPIL", False, task_type="complaint", first_response_hours=30.0, is_repeat=True),
        ],
        "attendance_month": [
            attended(AGUS, 20, 20, 4, 95, 0.02, unexcused_year_count=0),
            attended(BETTY, 20, 20, 0, 0, 0.0, unexcused_year_count=0),
            attended(CORNELIA, 20, 16, 8, 200, 0.25, unexcused_year_count=4, discipline_threshold_code="year_4"),
        ],
        "training_year": [trained(AGUS, "DINKES", 5.0), trained(BETTY, "DINKES", 20.0), trained(CORNELIA, "DUKCAPIL")],
        "allowance": [composed(AGUS, "DINKES", 0.02, 0.98), composed(BETTY, "DINKES", 0.0, 0.91)],
        "satisfaction_index": [surveyed("DINKES", 79.25, "B", 120, 100), surveyed("DUKCAPIL", 75.5, "C", 30, 100)],
        "follow_up": [
            recommended(BETTY, "reward", "reward", "best_of_unit", "result 112.5, behaviour sesuai"),
            recommended(AGUS, "reward", "reward", "objection_open", f"objection of {AGUS}", status_code="excluded"),
            recommended(CORNELIA, "decline", "coaching", "declined", f"asked by {NAMES[AGUS]}"),
            recommended(CORNELIA, "training", "training", "weak_time", "time 70", programme_id="DIK-1"),
            {**recommended("DINKES", "staffing", "fill_positions", "staffing_gap", "2 of 5"), "subject_kind": "unit"},
        ],
        "indicator_target": [
            {"indicator_id": "on_time", "subject_kind": "employee", "subject_id": AGUS, "target": 90.0},
            {"indicator_id": "on_time", "subject_kind": "unit", "subject_id": "DINKES", "target": 90.0},
        ],
        "competency_profile": [
            {"nip": AGUS, "competency_code": "teamwork", "score": 62.5, "is_weakness": True, "gap": -8.0},
        ],
        "data_quality": [
            quality("task_record", "all", 5),
            quality("task_record", "nip__unknown", 3),
            quality("task_record", "task_type__code", 4),
            quality("task_record", "quality_score__range", 9, severity_code="warning"),
            quality("employee", "all", 0, landed=6),
        ],
        "delivery": [
            {
                "feed": "task_record",
                "delivery_id": "ab" * 32,
                "file_name": f"task_record/tugas_{AGUS}.csv",
                "sha256": "ab" * 32,
                "sequence": 1,
                "status_code": "refused",
                "reason": "it is empty",
            }
        ],
    }


def _salor() -> Frames:
    return {
        "region": [{"label_id": "Salor", "label_en": "Salor", "time_zone": "Asia/Jayapura"}],
        "period_status": [{"status_code": "open", "month_count": 1}],
        "org_unit": [unit("SLR-BKD", "BKD Salor")],
        "employee": [person(ELIAS, "SLR-BKD"), person(FRANS, "SLR-BKD", ELIAS)],
        "kpi": [unit_kpi("SLR-BKD", "on_time", 1.0, 99.0)],
        "evaluation": [evaluated(ELIAS, "SLR-BKD", 99.0, "baik"), evaluated(FRANS, "SLR-BKD", 88.0)],
        "attendance_month": [attended(ELIAS, 20, 20, 2, 30, 0.01), attended(FRANS, 20, 20, 0, 0, 0.0)],
        "training_year": [trained(ELIAS, "SLR-BKD"), trained(FRANS, "SLR-BKD")],
        "task_outcome": [task("s1", FRANS, "SLR-BKD", True)],
    }
