"""The five made-up regions: their units, devices, services, and the habits of whoever delivers their files.

Here: what is fixed about a region. Not here: people (demo/people), a file's layout (the region's policy, `feeds`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TimeStyle = Literal["iso", "iso_offset", "day_first"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of a region. `device` is the scanner its people tap on; `population` how many people it serves in a survey
    period, `respondents` how many of them answer; `shift_share` the part of its staff that works by roster."""

    unit_id: str
    name: str
    parent_id: str | None
    sector: str
    staff: int
    device: int
    population: int | None = None
    services: tuple[str, ...] = ()
    respondents: int = 0
    shift_share: float = 0.0
    schedule_id: str | None = None
    leader: Literal["jpt", "administrator", "pengawas"] = "administrator"


@dataclass(frozen=True, slots=True)
class Region:
    """One region: the first unit is the top. `overlap_days` is how far a month's attendance export reaches back;
    `tap_name` the column of the export with the person's name, `nip_mark` what the roster writes before a NIP.
    `late_device` hands in a month's taps late, and the answers of the month number `late_answers` come late.
    `down_device` took no taps between the `down_hours` after the midnight that begins one day of the second month. The
    public is unhappy with `poor_service`, whatever superiors say."""

    region: str
    prefix: str
    devices: int
    units: tuple[Unit, ...]
    time_style: TimeStyle = "iso"
    decimal_comma: bool = False
    newline: str = "\n"
    state: Literal["pressed", "unset"] = "pressed"
    overlap_days: int = 0
    late_device: int | None = None
    late_answers: int | None = None
    down_device: int = 1
    down_hours: tuple[float, float] = (6.5, 9.5)
    files_per_device: bool = False
    tap_name: str = ""
    nip_mark: str = ""
    few_answers: str = ""
    poor_service: str = ""
    straight_liners: str = ""

    def device_id(self, number: int) -> str:
        return f"{self.prefix}-{number:02d}"

    def unit(self, unit_id: str) -> Unit:
        return next(u for u in self.units if u.unit_id == unit_id)


MANOKWARI = Region(
    region="manokwari",
    prefix="MKW",
    devices=7,
    overlap_days=2,
    late_device=7,
    newline="\r\n",
    few_answers="MKW-PRAFI",
    straight_liners="MKW-PTSP",
    units=(
        Unit("MKW-SETDA", "Sekretariat Daerah", None, "administration", 30, 1, leader="jpt"),
        Unit("MKW-BKPSDM", "Badan Kepegawaian dan PSDM", "MKW-SETDA", "administration", 16, 1, leader="jpt"),
        Unit(
            "MKW-DUKCAPIL",
            "Dinas Dukcapil",
            "MKW-SETDA",
            "administration",
            24,
            2,
            52000,
            ("ktp_el", "akta_kelahiran", "kartu_keluarga"),
            120,
            leader="jpt",
        ),
        Unit(
            "MKW-PTSP",
            "DPMPTSP",
            "MKW-SETDA",
            "administration",
            18,
            2,
            100,
            ("izin_usaha", "izin_bangunan"),
            90,
            leader="jpt",
        ),
        Unit(
            "MKW-BARAT",
            "Distrik Manokwari Barat",
            "MKW-SETDA",
            "administration",
            18,
            3,
            31000,
            ("surat_keterangan", "surat_pindah"),
            100,
        ),
        Unit("MKW-PRAFI", "Distrik Prafi", "MKW-SETDA", "administration", 12, 7, 8000, ("surat_keterangan",), 14),
        Unit("MKW-DINKES", "Dinas Kesehatan", "MKW-SETDA", "health", 20, 4, leader="jpt"),
        Unit(
            "MKW-RSUD",
            "RSUD Manokwari",
            "MKW-DINKES",
            "health",
            44,
            5,
            40000,
            ("rawat_jalan", "laboratorium"),
            140,
            shift_share=0.6,
        ),
        Unit(
            "MKW-SANGGENG",
            "Puskesmas Sanggeng",
            "MKW-DINKES",
            "health",
            24,
            4,
            22000,
            ("rawat_jalan", "imunisasi"),
            110,
            leader="pengawas",
        ),
        Unit(
            "MKW-WOSI",
            "Puskesmas Wosi",
            "MKW-DINKES",
            "health",
            22,
            6,
            18000,
            ("rawat_jalan",),
            shift_share=0.4,
            leader="pengawas",
        ),
        Unit(
            "MKW-PKMPRAFI", "Puskesmas Prafi", "MKW-DINKES", "health", 14, 7, 9000, ("rawat_jalan",), leader="pengawas"
        ),
        Unit("MKW-DISDIK", "Dinas Pendidikan", "MKW-SETDA", "education", 18, 3, leader="jpt"),
        Unit("MKW-SMPN1", "SMP Negeri 1 Manokwari", "MKW-DISDIK", "education", 20, 6, leader="pengawas"),
        Unit("MKW-SDN12", "SD Negeri 12 Amban", "MKW-DISDIK", "education", 14, 6, leader="pengawas"),
        Unit("MKW-SDN23", "SD Inpres 23 Wosi", "MKW-DISDIK", "education", 12, 6, leader="pengawas"),
    ),
)

SALOR = Region(
    region="salor",
    prefix="SLR",
    devices=6,
    time_style="day_first",
    decimal_comma=True,
    newline="\r\n",
    overlap_days=1,
    late_device=5,
    late_answers=3,
    down_device=3,
    down_hours=(0, 9 * 24),
    few_answers="SLR-KURIK",
    poor_service="SLR-PKMSALOR",
    straight_liners="SLR-DUKCAPIL",
    units=(
        Unit("SLR-SETDA", "Sekretariat Daerah", None, "administration", 28, 1, leader="jpt"),
        Unit("SLR-BKD", "Badan Kepegawaian Daerah", "SLR-SETDA", "administration", 16, 1, leader="jpt"),
        Unit("SLR-BAPPERIDA", "Bapperida", "SLR-SETDA", "administration", 16, 1, leader="jpt"),
        Unit("SLR-KOMINFO", "Dinas Komunikasi dan Informatika", "SLR-SETDA", "apps", 22, 2, leader="jpt"),
        Unit("SLR-APLIKASI", "Bidang Aplikasi Informatika", "SLR-KOMINFO", "apps", 18, 2, 4000, ("aduan_aplikasi",)),
        Unit(
            "SLR-DUKCAPIL",
            "Dinas Dukcapil",
            "SLR-SETDA",
            "administration",
            20,
            2,
            115,
            ("ktp_el", "akta_kelahiran"),
            95,
            leader="jpt",
        ),
        Unit("SLR-DINKES", "Dinas Kesehatan", "SLR-SETDA", "health", 20, 3, leader="jpt"),
        Unit(
            "SLR-RSUD",
            "RSUD Salor",
            "SLR-DINKES",
            "health",
            44,
            4,
            30000,
            ("rawat_jalan", "laboratorium"),
            130,
            shift_share=0.6,
        ),
        Unit(
            "SLR-PKMSALOR",
            "Puskesmas Salor",
            "SLR-DINKES",
            "health",
            22,
            3,
            12000,
            ("rawat_jalan", "imunisasi"),
            100,
            leader="pengawas",
        ),
        Unit(
            "SLR-KURIK", "Puskesmas Kurik", "SLR-DINKES", "health", 18, 5, 9000, ("rawat_jalan",), 13, leader="pengawas"
        ),
        Unit("SLR-DISDIK", "Dinas Pendidikan dan Kebudayaan", "SLR-SETDA", "education", 22, 3, leader="jpt"),
        Unit(
            "SLR-SMAN1",
            "SMA Negeri 1 Salor",
            "SLR-DISDIK",
            "education",
            22,
            6,
            620,
            (),
            80,
            schedule_id="school_6_day",
            leader="pengawas",
        ),
        Unit(
            "SLR-SMPN2",
            "SMP Negeri 2 Kurik",
            "SLR-DISDIK",
            "education",
            18,
            5,
            480,
            (),
            schedule_id="school_6_day",
            leader="pengawas",
        ),
        Unit(
            "SLR-SDN5",
            "SD Negeri 5 Salor Indah",
            "SLR-DISDIK",
            "education",
            14,
            6,
            310,
            (),
            schedule_id="school_6_day",
            leader="pengawas",
        ),
    ),
)

MAMUJU = Region(
    region="mamuju",
    prefix="MMJ",
    devices=6,
    time_style="iso",
    overlap_days=1,
    down_device=3,
    down_hours=(0, 24),
    tap_name="Name",
    few_answers="MMJ-TAPALANG",
    straight_liners="MMJ-BINANGA",
    units=(
        Unit("MMJ-SETDA", "Sekretariat Daerah", None, "administration", 28, 1, leader="jpt"),
        Unit("MMJ-BKPP", "Badan Kepegawaian dan Pelatihan", "MMJ-SETDA", "administration", 18, 1, leader="jpt"),
        Unit(
            "MMJ-DUKCAPIL",
            "Dinas Dukcapil",
            "MMJ-SETDA",
            "administration",
            24,
            2,
            48000,
            ("ktp_el", "akta_kelahiran", "kartu_keluarga"),
            120,
            leader="jpt",
        ),
        Unit("MMJ-KOMINFO", "Dinas Kominfo dan Persandian", "MMJ-SETDA", "it", 24, 2, leader="jpt"),
        Unit(
            "MMJ-ADUAN",
            "Unit Pengaduan Online",
            "MMJ-KOMINFO",
            "complaints",
            16,
            2,
            125,
            ("aduan_jalan", "aduan_air", "aduan_sampah"),
            100,
        ),
        Unit("MMJ-DINKES", "Dinas Kesehatan", "MMJ-SETDA", "health", 20, 3, leader="jpt"),
        Unit(
            "MMJ-BINANGA",
            "Puskesmas Binanga",
            "MMJ-DINKES",
            "health",
            30,
            3,
            24000,
            ("rawat_jalan", "imunisasi"),
            110,
            shift_share=0.5,
            leader="pengawas",
        ),
        Unit(
            "MMJ-BAMBU",
            "Puskesmas Bambu",
            "MMJ-DINKES",
            "health",
            22,
            4,
            14000,
            ("rawat_jalan", "kia"),
            85,
            leader="pengawas",
        ),
        Unit(
            "MMJ-RANGAS", "Puskesmas Rangas", "MMJ-DINKES", "health", 20, 4, 12000, ("rawat_jalan",), leader="pengawas"
        ),
        Unit(
            "MMJ-TAPALANG",
            "Puskesmas Tapalang",
            "MMJ-DINKES",
            "health",
            18,
            5,
            10000,
            ("rawat_jalan",),
            15,
            shift_share=0.3,
            leader="pengawas",
        ),
        Unit("MMJ-DISDIK", "Dinas Pendidikan", "MMJ-SETDA", "education", 26, 6, leader="jpt"),
        Unit("MMJ-SMPN2", "SMP Negeri 2 Mamuju", "MMJ-DISDIK", "education", 28, 6, leader="pengawas"),
        Unit("MMJ-SDN1", "SD Negeri 1 Mamuju", "MMJ-DISDIK", "education", 18, 6, leader="pengawas"),
    ),
)

PARIAMAN = Region(
    region="pariaman",
    prefix="PRM",
    devices=6,
    time_style="iso_offset",
    newline="\r\n",
    state="unset",
    overlap_days=2,
    late_device=4,
    files_per_device=True,
    few_answers="PRM-PAUH",
    straight_liners="PRM-DUKCAPIL",
    units=(
        Unit("PRM-SETDA", "Sekretariat Daerah Kota", None, "administration", 26, 1, leader="jpt"),
        Unit("PRM-BKPSDM", "BKPSDM", "PRM-SETDA", "administration", 16, 1, leader="jpt"),
        Unit("PRM-BPKPD", "Badan Pengelolaan Keuangan Daerah", "PRM-SETDA", "budget", 22, 1, leader="jpt"),
        Unit(
            "PRM-PTSP",
            "DPMPTSP dan Tenaga Kerja",
            "PRM-SETDA",
            "documents",
            24,
            2,
            145,
            ("izin_usaha", "izin_bangunan", "izin_praktik"),
            120,
            leader="jpt",
        ),
        Unit(
            "PRM-DUKCAPIL",
            "Dinas Dukcapil",
            "PRM-SETDA",
            "documents",
            24,
            2,
            30000,
            ("ktp_el", "akta_kelahiran", "kartu_keluarga"),
            100,
            leader="jpt",
        ),
        Unit("PRM-LH", "Dinas Perumahan dan Lingkungan Hidup", "PRM-SETDA", "environment", 20, 3, leader="jpt"),
        Unit(
            "PRM-KRU-UTARA",
            "Kru Kebersihan Pariaman Utara",
            "PRM-LH",
            "cleaning",
            20,
            3,
            21000,
            ("angkut_sampah",),
            leader="pengawas",
        ),
        Unit(
            "PRM-KRU-TENGAH",
            "Kru Kebersihan Pariaman Tengah",
            "PRM-LH",
            "cleaning",
            24,
            3,
            29000,
            ("angkut_sampah",),
            leader="pengawas",
        ),
        Unit(
            "PRM-KRU-SELATAN",
            "Kru Kebersihan Pariaman Selatan",
            "PRM-LH",
            "cleaning",
            18,
            4,
            17000,
            ("angkut_sampah",),
            leader="pengawas",
        ),
        Unit("PRM-DINKES", "Dinas Kesehatan", "PRM-SETDA", "health", 20, 5, leader="jpt"),
        Unit(
            "PRM-RSUD", "RSUD dr. Sadikin", "PRM-DINKES", "health", 36, 6, 25000, ("rawat_jalan",), 130, shift_share=0.6
        ),
        Unit(
            "PRM-KAMPUNGBARU",
            "Puskesmas Kampung Baru",
            "PRM-DINKES",
            "health",
            18,
            5,
            13000,
            ("rawat_jalan",),
            90,
            leader="pengawas",
        ),
        Unit(
            "PRM-MARUNGGI",
            "Puskesmas Marunggi",
            "PRM-DINKES",
            "health",
            16,
            4,
            9000,
            ("rawat_jalan",),
            leader="pengawas",
        ),
        Unit(
            "PRM-PAUH", "Puskesmas Pauh", "PRM-DINKES", "health", 16, 5, 8000, ("rawat_jalan",), 14, leader="pengawas"
        ),
    ),
)

NANGGALO = Region(
    region="nanggalo",
    prefix="NGL",
    devices=6,
    overlap_days=1,
    tap_name="nama",
    nip_mark="'",
    down_device=4,
    down_hours=(0, 9 * 24),
    few_answers="NGL-GURUN",
    straight_liners="NGL-KURAO",
    units=(
        Unit("NGL-KEC", "Kantor Kecamatan Nanggalo", None, "administration", 42, 1, 58000,
             ("surat_pindah", "legalisasi", "izin_keramaian"), 130),
        Unit("NGL-KURAO", "Kelurahan Kurao Pagang", "NGL-KEC", "administration", 22, 2, 15000,
             ("surat_keterangan", "surat_usaha"), 95, leader="pengawas"),
        Unit("NGL-LAPAI", "Kelurahan Kampung Lapai", "NGL-KEC", "administration", 20, 2, 105,
             ("surat_keterangan", "surat_usaha"), 85, leader="pengawas"),
        Unit("NGL-OLO", "Kelurahan Kampung Olo", "NGL-KEC", "administration", 18, 3, 7000, ("surat_keterangan",),
             leader="pengawas"),
        Unit("NGL-SURAU", "Kelurahan Surau Gadang", "NGL-KEC", "administration", 24, 3, 21000,
             ("surat_keterangan", "surat_usaha"), 110, leader="pengawas"),
        Unit("NGL-GURUN", "Kelurahan Gurun Laweh", "NGL-KEC", "administration", 16, 3, 6000, ("surat_keterangan",), 12,
             leader="pengawas"),
        Unit("NGL-TABING", "Kelurahan Tabing Banda Gadang", "NGL-KEC", "administration", 18, 4, 9000,
             ("surat_keterangan",), leader="pengawas"),
        Unit("NGL-PKM", "Puskesmas Nanggalo", "NGL-KEC", "health", 40, 5, 30000, ("rawat_jalan", "imunisasi"), 140,
             shift_share=0.5),
        Unit("NGL-PKMLAPAI", "Puskesmas Lapai", "NGL-KEC", "health", 26, 5, 18000, ("rawat_jalan",), leader="pengawas"),
        Unit("NGL-DIKLAT", "UPT Pendidikan dan Pelatihan", "NGL-KEC", "training", 20, 6, 1200,
             ("pendaftaran_pelatihan",)),
        Unit("NGL-SDN4", "SD Negeri 04 Kampung Olo", "NGL-KEC", "education", 20, 4, leader="pengawas"),
        Unit("NGL-SMPN12", "SMP Negeri 12 Padang", "NGL-KEC", "education", 28, 6, leader="pengawas"),
    ),
)  # fmt: skip

REGIONS: tuple[Region, ...] = (MANOKWARI, SALOR, MAMUJU, PARIAMAN, NANGGALO)
