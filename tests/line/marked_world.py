"""A region's month in whose delivered files every secret is marked, and what each mark is: a number, a name, a remark.

Here: planting the marks in the small world's own files. Not here: running it, and where which mark may stand.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from pathlib import Path

from line_world import MONTHS, home_with

from kinerja_pipeline.home import Home

REGION, MONTH = "manokwari", MONTHS[0]
JUDGED = "197205142002061119"
"""Somebody of that region, in whose name tasks and files are called."""

Marks = dict[str, set[str]]
"""Marks by what they are: numbers and names of people; `remark`: what nobody outside the classified rooms may read;
`called`: what suppliers call a file or a task by."""


def marked_home(root: Path, world: Path) -> tuple[Home, Marks]:
    """The home before its run. Most marks begin with a letter that every kind of file escapes its own way."""
    home = home_with(root, world, REGION)
    folder = home.landing / REGION
    for file in (*folder.rglob("*2026-03*"), *folder.rglob("*20260331*")):
        file.unlink()
    marks: Marks = {"number": set(), "name": set(), "remark": set(), "called": set()}

    def mark(kind: str, text: str) -> str:
        marks[kind].add(text)
        return text

    def remark(text: str) -> str:
        return mark("remark", f"Žq{text}")

    def people(rows: list[list[str]]) -> None:
        for number, row in enumerate(rows[1:]):
            mark("number", row[0])
            row[3] = f'{mark("name", f"Žqnama{number:02d}")} <O\'Brien & "{number}">, S.Pd.'
        bad = list(rows[1])
        bad[0], bad[3], bad[6] = f"19 {remark('nip')}", remark("ditolak"), f"Staf {remark('jabatan')} 08127700"
        rows.append(bad)

    def survey(rows: list[list[str]]) -> None:
        rows[0].append("saran_bebas")
        for number, row in enumerate(rows[1:]):
            row[12:14] = remark(f"responden{number}"), mark("remark", f"0899777{number:05d}")
            row.append(f"{remark(f'saran{number}')} 'petugas' & <kasar>")
        bad = list(rows[1])
        bad[0], bad[1], bad[3] = "MKW-BAD-1", f"{remark('tanggal')} 0812998877", f"jelek, Bu {remark('petugas')}"
        rows.append(bad)
        bad = list(rows[1])
        bad[0], bad[2] = f"{remark('jawaban')} {JUDGED}", f"Loket Pak {remark('loket')}"
        rows.append(bad)

    def permits(rows: list[list[str]]) -> None:
        rows.append(
            [mark("called", "Žqizin"), JUDGED, f"sakit {remark('penyakit')}", "whole", "2026-02-03", "2026-02-04"]
        )
        rows.append(["MKW/202602/09999", JUDGED, "sakit", "whole", remark("mulai"), "2026-02-04"])

    def tasks(rows: list[list[str]]) -> None:
        for number, row in enumerate(rows[1:]):
            row[16] = f"arsip/{remark(f'bukti{number}')}.pdf"
        rows[2][0] = f"{mark('called', 'Žqtugas')}-{JUDGED}"
        rest = [""] * (len(rows[0]) - 5)
        rows.append(["MKW-2602-bad1", JUDGED, "", f"urusan {remark('jenis')}", remark("layanan"), *rest])
        rows.append(["MKW-2602-bad2", remark("pendek")])

    def unit_of(kind: str, *rest: str) -> Callable[[list[list[str]]], None]:
        """A row about something that is no unit, but what somebody thinks of somebody."""
        return lambda rows: rows.append([*kind.split(","), f"Pak {remark(f'unit{len(rows)}')}", *rest])

    _edited(folder / "employee/pegawai_20260202.csv", people)
    _edited(folder / f"feedback_response/survei_skm_{MONTH}.csv", survey)
    _edited(folder / f"leave_permit/cuti_izin_{MONTH}.csv", permits)
    _edited(folder / f"task_record/tugas_{MONTH}.csv", tasks)
    _edited(
        folder / f"indicator_measurement/capaian_{MONTH}.csv", unit_of("budget_absorption,unit", MONTH, "1", "2", "")
    )
    agreed = ("2026-Q1", "80", "2026-02-08 09:07:00", JUDGED)
    _edited(folder / f"indicator_target/target_{MONTH}.csv", unit_of("task_quality,unit", *agreed))
    with (folder / f"attendance_log/{MONTH}_attlog.dat").open("a", encoding="utf-8", newline="") as taps:
        taps.write(f"{remark('pin')}\t2026-02-26 07:35:56\t4\t0\t15\t0\r\n        1\t{remark('jam')}\t4\t0\t15\t0\r\n")
        taps.write(f"{remark('baris')} 0812000\r\n{JUDGED}\t2026-02-26 07:35:56\t4\t0\t15\t0\r\n")
    refused = folder / f"leave_permit/{mark('called', 'Žqberkas')} {JUDGED} sakit.csv"
    refused.write_text(f"{remark('kolom')} Budi,{remark('kolom2')} 0812999\r\n{remark('isi')},1\r\n", encoding="utf-8")
    undecodable = f"permit_id,nip,kind_code\r\nMKW/1,{JUDGED},{remark('kutip')}".encode() + b"\x99\xff\r\n"
    (folder / f"leave_permit/cuti_izin_{MONTH}b.csv").write_bytes(undecodable)
    (folder / mark("called", "Žqmap")).mkdir()
    (folder / "Žqmap/a.csv").write_text(f"{remark('lain')}\n", encoding="utf-8")
    return home, marks


def _edited(file: Path, change: Callable[[list[list[str]]], None]) -> None:
    before = file.stat()
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))
    change(rows)
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened, lineterminator="\r\n").writerows(rows)
    os.utime(file, (before.st_atime, before.st_mtime))
