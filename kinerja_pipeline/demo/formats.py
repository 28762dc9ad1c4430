"""Rows by contract column -> the bytes of a file as the supplier of the region's policy would deliver it.

Here: the way back through a FileMapping (codes, names, wide rows, events) and the five file formats, byte for byte the
same each time. Not here: which rows, and when a file arrives (demo/deliveries).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl
import xlsxwriter

from kinerja_pipeline.contracts.model import Contract
from kinerja_pipeline.demo.regions import Region
from kinerja_pipeline.demo.rows import DAMAGE, Row, Value
from kinerja_pipeline.policies.mapping import FileMapping

ATTLOG = ("pin", "tapped_at", "device_number", "state_code", "verify_code", "work_code")
CREATED = dt.datetime.combine(dt.date(2026, 1, 1), dt.time())


@dataclass(frozen=True, slots=True)
class Supplier:
    """How one region writes: its time style, decimal sign, line ends and zone."""

    region: Region
    zone: ZoneInfo

    def text(self, value: Value) -> str:
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "ya" if value else "tidak"
        if isinstance(value, dt.datetime):
            return self.moment(value)
        if isinstance(value, dt.date):
            day_first = self.region.time_style == "day_first"
            return f"{value.day:02d}/{value.month:02d}/{value.year}" if day_first else value.isoformat()
        if isinstance(value, float):
            number = str(int(value)) if value.is_integer() else str(value)
            return number.replace(".", ",") if self.region.decimal_comma else number
        return str(value)

    def moment(self, value: dt.datetime) -> str:
        if self.region.time_style == "day_first":
            seconds = f":{value.second:02d}" if value.second else ""
            return f"{value.day:02d}/{value.month:02d}/{value.year} {value.hour:02d}:{value.minute:02d}{seconds}"
        if self.region.time_style == "iso_offset":
            return value.replace(tzinfo=self.zone).isoformat(sep="T")
        return value.isoformat(sep=" ")


def file_bytes(supplier: Supplier, mapping: FileMapping, contract: Contract, rows: Sequence[Row]) -> bytes:
    """The whole file. Rows are those of the contract, before the supplier gave them its own names and codes."""
    if mapping.reader == "attlog":
        return _attlog(supplier, mapping, rows)
    source = [event for row in rows for event in unfolded(row, mapping)] if mapping.fold else rows
    names = source_names(mapping, contract, rows)
    cells = _cells(source, list(names.values()), mapping)
    if supplier.region.nip_mark and contract.name == "employee":
        _mark_nips(supplier.region.nip_mark, list(names.values()), cells)
    damage = [str(row.get(DAMAGE) or "") for row in source]
    header = list(names)
    match mapping.reader:
        case "csv":
            return _csv(supplier, mapping, header, cells, damage)
        case "xlsx":
            return _xlsx(mapping, header, cells, damage)
        case "jsonl":
            return _jsonl(supplier, header, cells, damage)
        case "parquet":
            return _parquet(header, cells)


def source_names(mapping: FileMapping, contract: Contract, rows: Sequence[Row]) -> dict[str, str]:
    """The file's columns in order, each with the key its value has in a row."""
    if mapping.fold is not None:
        return _event_names(mapping)
    names: dict[str, str] = {}
    made = {mapping.unpivot.code_to, mapping.unpivot.value_to} if mapping.unpivot else set()
    looked_up = {new: look.on for look in mapping.lookup for new in look.take}
    stated = list(mapping.columns) if mapping.columns else list(contract.names)
    required = [c.name for c in contract.columns if c.is_required and c.name not in stated]
    for column in (*stated, *required):
        if column in made or column in mapping.constants:
            continue
        source = mapping.columns.get(column, column)
        names[looked_up.get(source, source)] = column
    if mapping.unpivot is not None:
        names |= {source: f"={code}" for source, code in mapping.unpivot.columns.items()}
    names |= {name[1:]: name for name in (rows[0] if rows else {}) if name.startswith("+")}
    if mapping.column_names:
        return {name: names[name] for name in mapping.column_names}
    return names


def _event_names(mapping: FileMapping) -> dict[str, str]:
    assert mapping.fold is not None
    found: dict[str, str] = {}
    for by in mapping.fold.by:
        found[by] = f"@{by}"
    for take in mapping.fold.take.values():
        for source in (*take.where, take.column):
            found[source] = f"@{source}"
    return found


def unfolded(row: Row, mapping: FileMapping) -> list[Row]:
    """The events of a case, in the order in which the mapping takes its times; every event repeats the case's facts."""
    assert mapping.fold is not None
    fold = mapping.fold
    back = {source: name for name, source in mapping.columns.items()}
    facts: Row = {f"@{by}": row[back.get(by, by)] for by in fold.by}
    events: list[Row] = []
    for name, take in fold.take.items():
        codes = _labels(mapping.codes.get(name, {}))
        if not take.where and take.pick == "first":
            value = row[name]
            facts[f"@{take.column}"] = codes[value] if isinstance(value, str) and value in codes else value
        elif take.where and row[name] is not None:
            event: Row = {f"@{c}": words[0] for c, words in take.where.items()}
            events.append(event | {f"@{take.column}": row[name]})
    if (cancelled := row.get("_cancelled_at")) is not None:
        (column,) = {c for take in fold.take.values() for c in take.where}
        moment = next(take.column for take in fold.take.values() if take.where)
        label = _labels(mapping.codes["status_code"])["cancelled"]
        events.append({f"@{column}": label, f"@{moment}": cancelled})
    return [facts | event | {DAMAGE: row.get(DAMAGE)} for event in events]


def _labels(codes: Mapping[str, str]) -> dict[str, str]:
    """Our code -> the supplier's word; of several words for one code the first."""
    found: dict[str, str] = {}
    for label, code in codes.items():
        found.setdefault(code, label)
    return found


def _cells(rows: Sequence[Row], keys: Sequence[str], mapping: FileMapping) -> list[list[Value]]:
    """The rows' values under `keys`, our codes in the supplier's words."""
    cells = [[row.get(key) for key in keys] for row in rows]
    for column, key in enumerate(keys):
        if codes := mapping.codes.get("score" if key.startswith("=") else key):
            words = _labels(codes)
            for number, row in enumerate(cells):
                value = row[column]
                told = words.get(str(value), value)
                # Where case does not matter, some write in capitals.
                loud = mapping.codes_ignore_case and number % 3 == 0 and isinstance(told, str)
                row[column] = str(told).upper() if loud else told
    return cells


def _mark_nips(mark: str, keys: Sequence[str], cells: Sequence[list[Value]]) -> None:
    """Marks the numbers that a spreadsheet would read as numbers, in place."""
    for column, key in enumerate(keys):
        if key.endswith("nip"):
            for row in cells:
                row[column] = f"{mark}{row[column]}" if row[column] else None


def _attlog(supplier: Supplier, mapping: FileMapping, rows: Iterable[Row]) -> bytes:
    """PIN right-aligned, local time, device number, state, verify mode, work code, between tabs."""
    numbers = _labels(mapping.codes.get("device_id", {}))
    lines = []
    for row in rows:
        at = row["tapped_at"]
        time = at.isoformat(sep=" ") if isinstance(at, dt.datetime) else at
        number = numbers.get(str(row["device_id"]), "1")
        line = f"{row['pin']:>9}\t{time}\t{number}\t{row['state_code']}\t{row['verify_code']}\t0"
        lines.append(line[:20] if row.get(DAMAGE) == "cut" else line)
    newline = supplier.region.newline
    return (newline.join(lines) + newline).encode()


def _csv(
    supplier: Supplier, mapping: FileMapping, header: list[str], cells: list[list[Value]], damage: list[str]
) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=mapping.delimiter, lineterminator=supplier.region.newline)
    if mapping.header_row:
        for number in range(1, mapping.header_row):
            writer.writerow([f"Lampiran {number}"])
        writer.writerow(header)
    for row, spoiled in zip(cells, damage, strict=True):
        written = [value if type(value) is str else supplier.text(value) for value in row]
        writer.writerow(written[: len(written) // 2] if spoiled == "short" else written)
    return text.getvalue().encode({"windows-1252": "cp1252"}.get(mapping.encoding, mapping.encoding))


def _xlsx(mapping: FileMapping, header: list[str], cells: list[list[Value]], damage: list[str]) -> bytes:
    """A workbook with titles above the header, dates as date cells, long numbers as text; where the mapping takes a
    column from the sheet's name, a sheet per value with the header in another row each."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True, "default_date_format": "dd/mm/yyyy hh:mm"})
    book.set_properties({"created": CREATED})
    rows = list(zip(cells, damage, strict=True))
    if mapping.sheet_as is None:
        _write_sheet(book, mapping.sheet or "Sheet1", mapping.header_row, header, rows)
    else:
        at = header.index(mapping.sheet_as)
        names = list(dict.fromkeys(str(row[at]).title() for row, _ in rows))
        shown = [name for name in header if name != mapping.sheet_as]
        for place, sheet in enumerate(names):
            own = [(row[:at] + row[at + 1 :], spoiled) for row, spoiled in rows if str(row[at]).title() == sheet]
            _write_sheet(book, sheet, 4 + place % 2, shown, own)
    book.close()
    return target.getvalue()


def _write_sheet(
    book: xlsxwriter.Workbook, name: str, header_row: int, header: list[str], rows: Sequence[tuple[list[Value], str]]
) -> None:
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet(name)
    for number in range(1, header_row):
        sheet.write_string(number - 1, 0, ("REKAPITULASI", "Dicetak dari aplikasi")[(number - 1) % 2])
    for column, title in enumerate(header):
        sheet.write_string(header_row - 1, column, title)
    for line, (row, spoiled) in enumerate(rows, start=header_row):
        for column, value in enumerate(row):
            if value is None:
                continue
            if spoiled == "nip_as_number" and column == 0:
                sheet.write_number(line, column, float(str(value)))
            elif isinstance(value, bool):
                sheet.write_string(line, column, "ya" if value else "tidak")
            elif isinstance(value, int | float):
                sheet.write_number(line, column, value)
            elif isinstance(value, dt.datetime):
                sheet.write_datetime(line, column, value)
            elif isinstance(value, dt.date):
                sheet.write_datetime(line, column, value, day)
            else:
                sheet.write_string(line, column, value)


def _jsonl(supplier: Supplier, header: list[str], cells: list[list[Value]], damage: list[str]) -> bytes:
    lines = []
    for row, spoiled in zip(cells, damage, strict=True):
        item: dict[str, str | int | float | bool | None] = {}
        for name, value in zip(header, row, strict=True):
            item[name] = supplier.text(value) if isinstance(value, dt.date) else value
        if spoiled == "nip_as_number":
            item[header[0]] = int(str(row[0]))
        line = json.dumps(item, ensure_ascii=False)
        lines.append(line[: len(line) // 2] if spoiled == "cut" else line)
    return ("\n".join(lines) + "\n").encode()


def _parquet(header: list[str], cells: list[list[Value]]) -> bytes:
    table = pl.DataFrame(cells, schema=header, orient="row", infer_schema_length=None)
    target = io.BytesIO()
    table.write_parquet(target, compression="zstd", statistics=False)
    return target.getvalue()


def id_file_bytes(rows: Sequence[Row]) -> bytes:
    """An id file: plain CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(list(rows[0]))
    writer.writerows([list(row.values()) for row in rows])
    return text.getvalue().encode()
