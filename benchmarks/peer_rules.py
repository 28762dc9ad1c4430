"""What the peers must know of the policy, written down by hand: April 2026 in Manokwari.

Nothing of the product is imported here: the peers run without it, and what they agree on with it was stated twice.
"""

from __future__ import annotations

MONTH, FIRST, LAST = "2026-04", "2026-04-01", "2026-04-30"
DAY_BEFORE, DAY_AFTER = "2026-03-31", "2026-05-01"
UTC_HOURS = 9
MARGIN_FIRST, MARGIN_OVER = "2026-03-30 12:00:00", "2026-05-02 12:00:00"
"""Taps from 36 hours before the month to 36 hours after it."""

HOLIDAYS = (
    "2026-03-18",
    "2026-03-19",
    "2026-03-20",
    "2026-03-21",
    "2026-03-22",
    "2026-03-23",
    "2026-03-24",
    "2026-04-03",
    "2026-04-05",
    "2026-05-01",
    "2026-05-14",
    "2026-05-15",
)
OFFICE = "office_5_day"
OFFICE_DAY = ("07:30", "16:00", "12:00", "13:00")
OFFICE_FRIDAY = ("07:30", "16:30", "11:30", "13:00")
"""Start, end, break from, break to; no Ramadan in the month."""
SHIFTS = {"shift_morning": (7, 14), "shift_evening": (14, 21), "shift_night": (21, 31)}
"""Hours after the midnight that begins the shift's day."""
BEFORE_MINUTES, AFTER_MINUTES, REPEAT_SECONDS = 240, 360, 60

PERMITS = {
    "cuti_tahunan": "leave",
    "cuti_besar": "leave",
    "cuti_melahirkan": "leave",
    "cuti_alasan_penting": "leave",
    "sakit": "sick",
    "dinas_luar": "duty_travel",
    "izin": "permit",
    "tugas_belajar": "study",
    "kerja_jarak_jauh": "remote_work",
}
WITH_PRESENCE = ("present", "late", "left_early", "late_and_left_early", "missing_in", "missing_out")
BY_PERMIT = ("leave", "duty_travel", "sick", "permit", "study", "remote_work")
BANDS = ((1, 0.005), (31, 0.01), (61, 0.0125), (91, 0.015))
LATE_CODES, EARLY_CODES = ("TL1", "TL2", "TL3", "TL4"), ("PSW1", "PSW2", "PSW3", "PSW4")
MISSING_SHARE, ABSENT_SHARE = 0.015, 0.03

STATUSES = ("pns", "pppk", "pppk_paruh_waktu")
LEVELS = ("jpt", "administrator", "pengawas", "fungsional", "pelaksana")
TASK_TYPES = ("service_request", "complaint", "routine", "project")
TASK_STATUSES = ("open", "in_progress", "completed", "cancelled")
SKM = {"Q1": "u1", "Q2": "u2", "Q3": "u3", "Q4": "u4", "Q5": "u5", "Q6": "u6", "Q7": "u7", "Q8": "u9", "Q9": "u8"}
CLASSES = ((88.31, "A"), (76.61, "B"), (65.0, "C"), (25.0, "D"))

INDICATORS = {
    # indicator: (target, is lower better, scale, kinds of subject, least evidence)
    "attendance": (98.0, False, 100.0, ("employee", "unit"), 1),
    "punctuality": (90.0, False, 100.0, ("employee", "unit"), 1),
    "task_on_time": (85.0, False, 100.0, ("employee", "unit"), 1),
    "task_quantity": (100.0, False, 100.0, ("employee", "unit"), 1),
    "task_quality": (80.0, False, 1.0, ("employee", "unit"), 1),
    "task_cost": (100.0, True, 100.0, ("employee", "unit"), 1),
    "task_backlog": (25.0, True, 1.0, ("unit",), 1),
    "first_response": (24.0, True, 1.0, ("unit",), 1),
    "request_on_time": (90.0, False, 100.0, ("unit",), 1),
    "satisfaction": (80.0, False, 100.0, ("unit",), 9),
    "service_time_satisfaction": (80.0, False, 100.0, ("unit",), 1),
    "product_satisfaction": (80.0, False, 100.0, ("unit",), 1),
}
