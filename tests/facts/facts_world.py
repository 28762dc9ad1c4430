"""A small region: its policy and the frames a test writes in a few lines. Expectations stay in the tests, by hand."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from kinerja_pipeline.policies.model import Policy

ANI, BUDI, CITRA = "199001012015012001", "199001012015011002", "199001012015012003"

OFFICE = {"start": "07:30", "end": "16:00", "break_minutes": 60, "break_start": "12:00"}
OFFICE_FRIDAY = {"start": "07:30", "end": "16:30", "break_minutes": 90, "break_start": "11:30"}
FASTING = {"start": "08:00", "end": "15:00", "break_minutes": 30, "break_start": "12:00"}
FASTING_FRIDAY = {"start": "08:00", "end": "15:30", "break_minutes": 60, "break_start": "11:30"}
EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def label(text: str) -> dict[str, str]:
    return {"id": text, "en": text}


def every_day(start: str, end: str, **more: Any) -> dict[str, Any]:
    return {day: {"start": start, "end": end, **more} for day in EVERY_DAY}


def rostered(start: str, end: str, **more: Any) -> dict[str, Any]:
    return {"labels": label(start), "is_rostered": True, "week": every_day(start, end, **more)}


def make_policy(**changes: Any) -> Policy:
    """The national rules of DOMAIN.md in a small region; `changes` replace whole sections."""
    sections: dict[str, Any] = {
        "region": "tanjung",
        "version": "2026.1",
        "labels": label("Tanjung"),
        "time_zone": "Asia/Jayapura",
        "first_month": "2026-01",
        "calendar": {
            "days_off": [{"date": "2026-03-26", "label": "Hari Jadi Tanjung"}],
            "ramadan": [{"start": "2026-02-19", "end": "2026-03-20"}],
        },
        "schedules": {
            "office_5_day": {
                "labels": label("office"),
                "week": {"mon": OFFICE, "tue": OFFICE, "wed": OFFICE, "thu": OFFICE, "fri": OFFICE_FRIDAY},
                "ramadan": {"mon": FASTING, "tue": FASTING, "wed": FASTING, "thu": FASTING, "fri": FASTING_FRIDAY},
            },
            "guard": {"labels": label("guard"), "week": every_day("20:30", "07:30")},
            "shift_morning": rostered("07:00", "14:00"),
            "shift_evening": rostered("14:00", "21:00"),
            "shift_night": rostered("21:00", "07:00", break_minutes=30, break_start="01:00"),
        },
        "attendance": {},
        "permits": {
            "cuti": {"labels": label("cuti"), "status": "leave"},
            "sakit": {"labels": label("sakit"), "status": "sick"},
            "dinas": {"labels": label("dinas"), "status": "duty_travel"},
        },
        "deductions": [
            {
                "valid_from": "2026-01",
                "late": [
                    {"from_minutes": 1, "code": "TL1", "share": 0.005},
                    {"from_minutes": 31, "code": "TL2", "share": 0.01},
                    {"from_minutes": 91, "code": "TL4", "share": 0.025},
                ],
                "early": [
                    {"from_minutes": 1, "code": "PSW1", "share": 0.005},
                    {"from_minutes": 31, "code": "PSW2", "share": 0.01},
                ],
                "missing_tap_share": 0.015,
                "absent_day_share": 0.05,
                "base": "attendance_part",
                "month_cap_share": 0.4,
                "source": "tests",
            }
        ],
        "discipline": [
            {"code": "year_3", "counter": "year", "days": 3},
            {"code": "year_4", "counter": "year", "days": 4},
            {"code": "run_10", "counter": "run", "days": 10},
        ],
        "feeds": {},
        "surveys": {
            "skm": {
                "labels": label("SKM"),
                "elements": {f"u{n}": label(f"u{n}") for n in range(1, 10)},
                "classes": [
                    {"code": "D", "minimum": 25.0},
                    {"code": "C", "minimum": 65.0},
                    {"code": "B", "minimum": 76.61},
                    {"code": "A", "minimum": 88.31},
                ],
            }
        },
        "indicators": {},
        "evaluation": {},
        "follow_up": {},
        "periods": {},
    }
    return Policy.model_validate(sections | changes)


def local(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def frame(rows: list[tuple[Any, ...]], **schema: Any) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=schema, orient="row")


def day(text: str | None) -> dt.date | None:
    return None if text is None else dt.date.fromisoformat(text)


def tap_frame(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    """(device, pin, local time); the pressed state is always 0, as on most devices."""
    return frame(
        [(device, pin, local(at), 0, 1) for device, pin, at in rows],
        device_id=pl.String,
        pin=pl.String,
        tapped_at=pl.Datetime("us"),
        state_code=pl.Int64,
        verify_code=pl.Int64,
    )


def employee_frame(
    rows: list[tuple[str, str, str | None, str, str | None]], assignment: str = "utama", status: str = "pns"
) -> pl.DataFrame:
    """(nip, unit, schedule, first day, last day)."""
    return frame(
        [(nip, assignment, day(start), status, unit, schedule, day(end)) for nip, unit, schedule, start, end in rows],
        nip=pl.String,
        assignment_code=pl.String,
        valid_from=pl.Date,
        employment_status=pl.String,
        unit_id=pl.String,
        schedule_id=pl.String,
        valid_to=pl.Date,
    )


def pin_frame(rows: list[tuple[str, str, str, str, str | None]]) -> pl.DataFrame:
    """(device, pin, nip, first day, last day)."""
    return frame(
        [(device, pin, day(start), nip, day(end)) for device, pin, nip, start, end in rows],
        device_id=pl.String,
        pin=pl.String,
        valid_from=pl.Date,
        nip=pl.String,
        valid_to=pl.Date,
    )


def permit_frame(rows: list[tuple[str, str, str, str, str, str]]) -> pl.DataFrame:
    """(permit, nip, kind, part, first day, last day)."""
    return frame(
        [(permit, nip, kind, part, day(start), day(end)) for permit, nip, kind, part, start, end in rows],
        permit_id=pl.String,
        nip=pl.String,
        kind_code=pl.String,
        part=pl.String,
        start_date=pl.Date,
        end_date=pl.Date,
    )


def roster_frame(rows: list[tuple[str, str, str]]) -> pl.DataFrame:
    """(nip, day, shift)."""
    return frame(
        [(nip, day(on), shift) for nip, on, shift in rows], nip=pl.String, work_date=pl.Date, schedule_id=pl.String
    )


def outage_frame(rows: list[tuple[str, str, str | None]]) -> pl.DataFrame:
    """(device, down from, up again)."""
    return frame(
        [(device, local(start), end and local(end)) for device, start, end in rows],
        device_id=pl.String,
        started_at=pl.Datetime("us"),
        ended_at=pl.Datetime("us"),
    )
