"""Files and pages as offices and operators write them, spoiled in every way that was seen or could be thought of.

Here: the kinds of damage, and how each is done to a good file, from a seed. Not here: landing what comes of it
(bad_input_trial), and what must hold then (test_bad_input).
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from kinerja_pipeline.policies.mapping import FileMapping


@dataclass(frozen=True, slots=True)
class Good:
    """A file as its supplier delivers it, and how the region's policy reads it."""

    feed: str
    name: str
    data: bytes
    mapping: FileMapping

    @property
    def encoding(self) -> str:
        return {"windows-1252": "cp1252"}.get(self.mapping.encoding, self.mapping.encoding)

    @property
    def delimiter(self) -> str:
        return "\t" if self.mapping.reader == "attlog" else self.mapping.delimiter

    @property
    def head(self) -> int:
        """How many lines stand before the first row."""
        return self.mapping.header_row if self.mapping.reader == "csv" else 0


@dataclass(frozen=True, slots=True)
class Size:
    """How far the excessive kinds go."""

    columns: int
    field: int
    repeats: int


SMALL = Size(columns=20_000, field=300_000, repeats=2_000)
LARGE = Size(columns=1_000_000, field=3_000_000, repeats=50_000)

Spoil = Callable[[Good, random.Random, Size], bytes]
HOSTILE = (
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "=HYPERLINK(\"http://127.0.0.1\")",
    "<script>alert(1)</script>", "'; DROP TABLE kpi; --", "\" OR 1=1 --", "{{7*7}}", "${x}", "%s%n",
    "\x1b[2J\x1b]0;x\x07", "../../etc/passwd", "\u202egnp.exe", "!!python/object:os.system x", "*a", "&a",
    "\ufeff", "\u0000", "\u2028", "null",
)  # fmt: skip
MOMENTS = (
    "2000-01-01 00:00:12", "1970-01-01 00:00:00", "2099-12-31 23:59:59", "0000-00-00 00:00:00",
    "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "31/12/2026 24:00", "02/30/2026", "13/13/2026",
    "2026-02-29", "12/31/26", "2026-1-5 7:5", "1 Januari 2026", "46023.5", "1767225600", "٢٠٢٦-٠١-٠٥", "",
    "2026-01-05T07:30:00.999999999+07:00", "-2026-01-05",
)  # fmt: skip
NUMBERS = ("NaN", "inf", "-0", "1e999", "1,2,3", "1.000.000,00", "９", "9" * 400, "0x1F", "1_000", "--1", "1e-400")
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?(?:[+-]\d\d:\d\d)?)?|\d\d/\d\d/\d{4}(?: \d\d:\d\d(?::\d\d)?)?"
)


# ---- bytes of any format ---------------------------------------------------------------------------------------------


def _half_written(good: Good, rng: random.Random, size: Size) -> bytes:
    return good.data[: rng.randrange(len(good.data))]


def _random_bytes(good: Good, rng: random.Random, size: Size) -> bytes:
    data = bytearray(good.data)
    for _ in range(rng.choice((1, 1, 3, 20))):
        at = rng.randrange(len(data))
        length = rng.choice((1, 1, 2, 8))
        new = rng.choice((rng.randbytes(length), b"", data[:length], b"\xff" * length, b"\n", b'"', b"\x1a"))
        data[at : at + length] = new
    return bytes(data)


def _nul_bytes(good: Good, rng: random.Random, size: Size) -> bytes:
    data = bytearray(good.data)
    for _ in range(rng.choice((1, 2, 5))):
        at, length = rng.randrange(len(data)), rng.choice((1, 4, 200))
        data[at : at + rng.choice((0, length))] = b"\0" * length
    return bytes(data) + rng.choice((b"", b"\0" * 512))


def _empty(good: Good, rng: random.Random, size: Size) -> bytes:
    return rng.choice(
        (b"", b"\0" * 4096, b"\r\n\r\n", b"\xef\xbb\xbf", b"\xff\xfe", b" \t ", b"PAR1PAR1", b"PK\x05\x06")
    )


def _twice_in_one(good: Good, rng: random.Random, size: Size) -> bytes:
    return good.data + good.data[: rng.randrange(len(good.data))]


# ---- lines of text ---------------------------------------------------------------------------------------------------


def _lines(good: Good) -> tuple[list[str], list[str]]:
    text = good.data.decode(good.encoding)
    lines = text.splitlines()
    return lines[: good.head], lines[good.head :]


def _text(good: Good, head: Sequence[str], rows: Sequence[str], end: str = "\n") -> bytes:
    return (end.join([*head, *rows]) + end).encode(good.encoding, "replace")


def _each(good: Good, rng: random.Random, change: Callable[[str], str], share: float = 0.3) -> bytes:
    head, rows = _lines(good)
    return _text(good, head, [change(r) if rng.random() < share else r for r in rows])


def _cells(good: Good, rng: random.Random, change: Callable[[list[str]], list[str]], share: float = 0.3) -> bytes:
    """Rows with their cells changed; of an object the values."""

    def of_row(row: str) -> str:
        if good.mapping.reader == "jsonl":
            item = json.loads(row)
            return json.dumps(dict(zip(item, change([str(v) for v in item.values()]), strict=False)))
        return good.delimiter.join(change(row.split(good.delimiter)))

    return _each(good, rng, of_row, share)


def _put(rng: random.Random, texts: Sequence[str]) -> Callable[[list[str]], list[str]]:
    def change(cells: list[str]) -> list[str]:
        at = rng.randrange(len(cells))
        return [*cells[:at], rng.choice(texts), *cells[at + 1 :]]

    return change


def _cut_lines(good: Good, rng: random.Random, size: Size) -> bytes:
    return _each(good, rng, lambda row: row[: rng.randrange(len(row) + 1)])


def _other_encoding(good: Good, rng: random.Random, size: Size) -> bytes:
    head, rows = _lines(good)
    text = "\n".join([*head, *(r.replace("a", "é") if rng.random() < 0.5 else r for r in rows)])
    codec = rng.choice(("utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-8-sig", "utf-32", "cp500", "utf-8", "utf-7"))
    data = text.encode(codec, "replace")
    return data if rng.random() < 0.7 else data[:-1]


def _mixed_dates(good: Good, rng: random.Random, size: Size) -> bytes:
    def another(found: re.Match[str]) -> str:
        year, month, day = (found[0][:4], found[0][5:7], found[0][8:10]) if found[0][4] == "-" else ("2026", "01", "05")
        styles = (
            f"{day}/{month}/{year}",
            f"{month}/{day}/{year}",
            f"{day}-{month}-{year}",
            f"{year}/{month}/{day}",
            found[0],
        )
        return rng.choice(styles)

    return _each(good, rng, lambda row: _DATE.sub(another, row), 0.7)


def _clock_reset(good: Good, rng: random.Random, size: Size) -> bytes:
    return _each(good, rng, lambda row: _DATE.sub(lambda _: rng.choice(MOMENTS), row))


def _swapped_columns(good: Good, rng: random.Random, size: Size) -> bytes:
    order = random.Random(rng.random())

    def shuffled(cells: list[str]) -> list[str]:
        one, other = order.randrange(len(cells)), order.randrange(len(cells))
        cells[one], cells[other] = cells[other], cells[one]
        return cells

    return _cells(good, rng, shuffled, rng.choice((0.2, 1.0)))


def _repeated_rows(good: Good, rng: random.Random, size: Size) -> bytes:
    head, rows = _lines(good)
    rows += rng.choices(rows, k=len(rows)) if rows else []
    return _text(good, [*head], [*rows, *(head if rng.random() < 0.3 else [])])


def _out_of_order(good: Good, rng: random.Random, size: Size) -> bytes:
    head, rows = _lines(good)
    rng.shuffle(rows)
    return _text(good, head, rows)


def _huge_field(good: Good, rng: random.Random, size: Size) -> bytes:
    text = rng.choice(("9", "x", "é", "a b ")) * (size.field // rng.choice((1, 2, 50)))
    return _cells(good, rng, _put(rng, [text]), 2 / max(3, good.data.count(b"\n")))


def _many_columns(good: Good, rng: random.Random, size: Size) -> bytes:
    head, rows = _lines(good)
    count = rng.choice((11_000, size.columns))
    if good.mapping.reader == "jsonl":
        return _text(good, [], [*rows, json.dumps(dict.fromkeys(map(str, range(count)), "1"))])
    wide = good.delimiter.join(f"k{n}" for n in range(count))
    where = rng.choice(("head", "row", "alone"))
    if where == "head" and head:
        head[-1] += good.delimiter + wide
    return _text(good, head, [wide] if where == "alone" else [*rows, wide] if where == "row" else rows)


def _conflict_marks(good: Good, rng: random.Random, size: Size) -> bytes:
    head, rows = _lines(good)
    at = rng.randrange(len(rows) + 1)
    marked = ["<<<<<<< HEAD", *rows[:at], "=======", *rows[at:], ">>>>>>> susulan"]
    return _text(good, *((head, marked) if rng.random() < 0.5 else ([], [marked[0], *head, *marked[1:]])))


def _open_quotes(good: Good, rng: random.Random, size: Size) -> bytes:
    def quoted(row: str) -> str:
        at = rng.randrange(len(row) + 1)
        return row[:at] + rng.choice(('"', '""', "'", '"x', f'{good.delimiter}"', '\\"')) + row[at:]

    return _each(good, rng, quoted, rng.choice((0.1, 0.8)))


def _line_ends(good: Good, rng: random.Random, size: Size) -> bytes:
    head, rows = _lines(good)
    ends = ("\n", "\r\n", "\r", "\n\r", "\r\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\n\n", "\x1a")
    if rng.random() < 0.3:
        return _text(good, head, rows, rng.choice(ends[:5]))
    return "".join(row + rng.choice(ends) for row in (*head, *rows)).encode(good.encoding, "replace")


def _hostile_texts(good: Good, rng: random.Random, size: Size) -> bytes:
    return _cells(good, rng, _put(rng, HOSTILE), 0.6)


def _odd_numbers(good: Good, rng: random.Random, size: Size) -> bytes:
    return _cells(good, rng, _put(rng, NUMBERS), 0.6)


def _another_delimiter(good: Good, rng: random.Random, size: Size) -> bytes:
    other = rng.choice((";", "\t", "|", ",", " ", "\x1f"))
    return _each(good, rng, lambda row: row.replace(good.delimiter, other), rng.choice((0.3, 1.0)))


def _lost_header(good: Good, rng: random.Random, size: Size) -> bytes:
    head, rows = _lines(good)
    if not head:
        return _text(good, ["PIN\tWaktu\tMesin"], rows)
    names = head[-1].split(good.delimiter)
    names[rng.randrange(len(names))] = rng.choice(("", names[0], "ni\u0301p", "=1+1", "\x1b[31mnip", "nip\u200b"))
    return _text(good, rng.choice(([], [*head[:-1], good.delimiter.join(names)], [*head, *head])), rows)


# ---- JSON Lines ------------------------------------------------------------------------------------------------------


def _odd_objects(good: Good, rng: random.Random, size: Size) -> bytes:
    depth = rng.choice((10, 400, 990, size.repeats))

    def odd(row: str) -> str:
        name = rng.choice(list(json.loads(row)))
        value = rng.choice(
            ("[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, '"\\ud800"', "1" * 5000, "1e999999", "NaN",
             "[" + "[]," * size.repeats + "1]", "true", '{"x":"y"}', '"\\u0000"', "-0", '"' + "\\u00e9" * 50 + '"')
        )  # fmt: skip
        extra = rng.choice((f'"{name}":{value}', f'"ni\\ud800p":{value}', f'"\\u001b[2J":{value}', f'"":{value}'))
        return rng.choice((f"{row[:-1]},{extra}}}", f"[{row}]", row * 2, f"\ufeff{row}", row.replace('"', "'"), value))

    return _each(good, rng, odd)


# ---- workbooks -------------------------------------------------------------------------------------------------------


def _repacked(good: Good, change: Callable[[str, bytes], bytes | None]) -> bytes:
    target = io.BytesIO()
    source = zipfile.ZipFile(io.BytesIO(good.data))
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as book:
        for name in source.namelist():
            if (part := change(name, source.read(name))) is not None:
                book.writestr(name, part)
    return target.getvalue()


def _in_sheets(good: Good, change: Callable[[bytes], bytes]) -> bytes:
    return _repacked(good, lambda name, part: change(part) if name.startswith("xl/worksheets/") else part)


def _sheet_text(good: Good, rng: random.Random, size: Size) -> bytes:
    """The text of one part, spoiled as text: cut, doubled, with other numbers and places."""
    names = [n for n in zipfile.ZipFile(io.BytesIO(good.data)).namelist() if n.startswith(("xl/", "[Content"))]
    victim = rng.choice([*names, *(n for n in names if "sheet" in n or "shared" in n)])

    def change(name: str, part: bytes) -> bytes | None:
        if name != victim:
            return part
        at = rng.randrange(len(part))
        digit = rng.choice((b"0", b"-1", b"99999999", b"1e308", b"x", b""))
        return rng.choice((
            None, part[:at], part[:at] + rng.randbytes(3) + part[at:], re.sub(rb"(?<=<v>)\d+", digit, part),
            re.sub(rb'(?<= r=")[A-Z]*\d+', rng.choice((b"A0", b"XFD1048576", b"ZZZZ9", b"7", b"")), part, count=3),
            re.sub(rb' t="s"', rng.choice((b"", b' t="str"', b' t="e"', b' t="d"', b' t="b"')), part),
            part.replace(b"<?xml", b'<!DOCTYPE x [<!ENTITY a "' + b"b" * 99 + b'">]><?xml', 1),
            part.decode().encode("utf-16"),
        ))  # fmt: skip

    return _repacked(good, change)


def _sheet_rows(good: Good, rng: random.Random, size: Size) -> bytes:
    """Rows repeated or in another order, with their numbers and without."""

    def change(part: bytes) -> bytes:
        rows = re.findall(rb"<row .*?</row>", part, re.S)
        new = list(rows)
        if rng.random() < 0.5:
            new += rng.choices(rows, k=len(rows)) if rows else []
        else:
            rng.shuffle(new)
        text = b"".join(new)
        if rng.random() < 0.5:
            text = re.sub(rb' r="[A-Z]*\d+"', b"", text)
        start = part.find(rows[0]) if rows else 0
        return part.replace(b"".join(rows), text) if rows else part[:start]

    return _in_sheets(good, change)


def _bomb(good: Good, rng: random.Random, size: Size) -> bytes:
    """A workbook of kilobytes that unpacks to megabytes or gigabytes."""
    count = size.repeats
    kind = rng.choice(("cells", "columns", "rows", "stray", "shared", "zeros", "sheets", "deep", "entities"))
    cell = b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>'
    added = {
        "cells": b'<row r="900">' + b'<c r="A900"><v>1</v></c>' * (count * 40) + b"</row>",
        "columns": b"<row>" + b"<c/>" * (count * 40) + b"</row>",
        "rows": b"<row/>" * (count * 40),
        "stray": b'<row r="1048576"><c r="CV1048576"><v>1</v></c></row>',
        "shared": b"".join(cell % (row, row) for row in range(900, 900 + count)),
        "deep": b"<a>" * count + b"</a>" * count,
    }.get(kind, b"")

    def change(name: str, part: bytes) -> bytes:
        if name.startswith("xl/worksheets/"):
            return part.replace(b"</sheetData>", added + b"</sheetData>")
        if kind == "shared" and name == "xl/sharedStrings.xml":
            return part.replace(b"</t>", b"x" * size.field + b"</t>", 1)
        if kind == "zeros" and name == "xl/styles.xml":
            return part + b"\0" * (size.field * 100)
        if kind == "sheets" and name == "xl/workbook.xml":
            return part.replace(b"</sheets>", b'<sheet name="x" sheetId="9" r:id="rId1"/>' * count + b"</sheets>")
        if kind == "entities" and name == "xl/workbook.xml":
            laughs = b"".join(b'<!ENTITY b%d "%s">' % (n, b"&b%d;" % (n - 1) * 10) for n in range(1, 10))
            return (
                b'<!DOCTYPE x [<!ENTITY b0 "ha">'
                + laughs
                + b"]>"
                + part[part.find(b"?>") + 2 :].replace(b"</workbook>", b"<x>&b9;</x></workbook>")
            )
        return part

    return _repacked(good, change)


# ---- Parquet ---------------------------------------------------------------------------------------------------------


def _table(table: pl.DataFrame) -> bytes:
    target = io.BytesIO()
    table.write_parquet(target)
    return target.getvalue()


def _odd_parquet(good: Good, rng: random.Random, size: Size) -> bytes:
    """Other types, names, orders, and one value a great many times."""
    table = pl.read_parquet(io.BytesIO(good.data))
    name = rng.choice(table.columns)
    far = pl.Series([2**62], dtype=pl.Int64)
    odd = rng.choice((
        pl.lit([1, 2]), pl.struct(x=1), pl.lit(b"\xff\x00"), pl.lit("\x00"), pl.lit(None), pl.lit(float("nan")),
        pl.lit(1.5).cast(pl.Decimal(20, 3)),
        pl.lit("a").cast(pl.Categorical), pl.duration(days=3), pl.time(7, 30), pl.lit("x" * size.field),
        pl.lit(far.first()).cast(pl.Datetime("us")), pl.lit(2**31 - 1).cast(pl.Int32).cast(pl.Date), pl.lit(1e300),
    ))  # fmt: skip
    many = pl.concat([table.head(1)] * 2).select(pl.all().repeat_by(size.repeats * 20).explode())
    wide = table.with_columns(pl.lit(1).alias(f"k{n}") for n in range(min(size.columns, 12_000)))
    return _table(rng.choice((
        table.with_columns(odd.alias(name)), table.with_columns(odd.alias(name)),
        table.sample(fraction=1, shuffle=True, seed=rng.randrange(99)),
        pl.concat([table, table]), table.drop(name), table.rename({name: "ni\x1b[2Jp"}), table.head(0), many, wide,
        table.select(pl.col(table.columns[::-1])),
    )))  # fmt: skip


_ANY: dict[str, Spoil] = {
    "half-written file": _half_written,
    "random bytes": _random_bytes,
    "NUL bytes": _nul_bytes,
    "empty file": _empty,
    "two files in one": _twice_in_one,
}
_TEXT: dict[str, Spoil] = {
    "cut lines": _cut_lines,
    "other encoding": _other_encoding,
    "mixed dates": _mixed_dates,
    "clocks reset": _clock_reset,
    "swapped columns": _swapped_columns,
    "repeated rows": _repeated_rows,
    "rows out of order": _out_of_order,
    "huge fields": _huge_field,
    "a million columns": _many_columns,
    "merge-conflict marks": _conflict_marks,
    "open quotes": _open_quotes,
    "mixed line ends": _line_ends,
    "hostile texts": _hostile_texts,
    "odd numbers": _odd_numbers,
    "another delimiter": _another_delimiter,
    "lost header": _lost_header,
}
KINDS: Mapping[str, Mapping[str, Spoil]] = {
    "attlog": _ANY | _TEXT,
    "csv": _ANY | _TEXT,
    "jsonl": _ANY | _TEXT | {"odd objects": _odd_objects},
    "xlsx": _ANY | {"spoiled parts": _sheet_text, "rows of a sheet": _sheet_rows, "bombs": _bomb},
    "parquet": _ANY | {"odd Parquet": _odd_parquet},
}
"""What can be done to the bytes of a file, by reader."""


# ---- names, links and clocks of files --------------------------------------------------------------------------------

NAMES = (
    "..", "...csv", "a\nb", "a\r\n2026 ERROR b", "\x1b[2J\x1b[31m", "\x07", "..%2f..%2fx", "x" * 180, "-rf",
    "$(touch x)", "`x`", "a;b", "'; DROP TABLE kpi; --", "<script>", "\u202egnp", "\u2028", "é", " ", "*", "[a]", "?",
    "%00", "CON", "~",
)  # fmt: skip


def spoiled_name(folder: Path, good: Good, rng: random.Random, outside: Path) -> Path:
    """Lays the file under a name, behind a link or with a clock as no honest supplier would."""
    stem, dot, ending = good.name.rpartition(".")
    path = folder / good.name
    kind = rng.choice(
        ("name", "name", "name", "bytes", "link out", "loop", "broken", "folder", "pipe", "clock", "inside")
    )
    match kind:
        case "name":
            path = folder / f"{stem}{rng.choice(NAMES)}{dot}{ending}"
        case "bytes":
            path = Path(
                os.fsdecode(
                    os.fsencode(folder / stem) + rng.choice((b"\xff", b"\xfe", b"\x80\x1b")) + b"." + ending.encode()
                )
            )
        case "link out":
            path.symlink_to(outside)
            return path
        case "loop":
            path.symlink_to(path.name)
            return path
        case "broken":
            path.symlink_to(folder / "nothing")
            return path
        case "folder":
            path.mkdir()
            path = path / good.name
        case "pipe":
            os.mkfifo(path)
            return path
        case "inside":
            (folder / ".other").write_bytes(good.data)
            path.symlink_to(".other")
            return path
    path.write_bytes(good.data)
    if kind == "clock":
        at = rng.choice((0, -(10**9), 2**31, 2**34 - 1, 946_684_800))
        os.utime(path, (at, at))
    return path


# ---- pages: policies, contracts, registers of corrections ------------------------------------------------------------


PAGE_KINDS = (
    "alias bomb", "deep nesting", "merge-conflict marks", "tags", "other values", "other keys", "cut or doubled lines",
    "random bytes", "other encoding", "hostile texts", "huge fields",
)  # fmt: skip


def spoiled_page(text: str, rng: random.Random, size: Size) -> tuple[str, bytes]:
    """The kind of damage and the page's bytes after it."""
    lines = text.splitlines()
    at = rng.randrange(len(lines))
    kind = rng.choice(PAGE_KINDS)
    key = re.match(r"( *(?:- )?[\w.*\"@-]+:)", lines[at])
    start = key[1] if key else ""
    match kind:
        case "alias bomb":
            bomb = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
            bomb += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, rng.choice((3, 5, 12)))]
            bomb += rng.choice(([], ["b: &b {<<: *b}"], ["c: &c [*c]"]))
            return kind, "\n".join([*lines, *bomb]).encode()
        case "deep nesting":
            depth = rng.choice((20, 45, size.repeats))
            lines[at] = f"{start} " + rng.choice(
                ("[" * depth + "]" * depth, "{a: " * depth + "}" * depth, "- " * depth)
            )
        case "merge-conflict marks":
            lines[at:at] = ["<<<<<<< HEAD", lines[at], "=======", lines[at], ">>>>>>> main"]
        case "tags":
            tag = rng.choice(
                ("!!bool", "!!int", "!!float", "!!timestamp", "!!binary", "!!set", "!!omap", "!!python/name:os", "!x")
            )
            lines[at] = f"{start} {tag} {rng.choice(('x', '', '[]', '{a: 1}', lines[at][len(start) :].strip() or 'y'))}"
        case "other values":
            values = ("[]", "{}", "null", "-1", "0", "1e400", ".nan", "true", "0x" + "f" * 5000, "2026-02-30",
                      "''", "[[1]]", "~", "{a: {b: c}}", "16:99", "9" * 30, "'[a-z'", "'(((((a*)*)*)*)*'", "1 +",
                      "sum(x", "SELECT 1")  # fmt: skip
            lines[at] = f"{start} {rng.choice(values)}"
        case "other keys":
            names = (
                "1:",
                "null:",
                "? [a]\n:",
                "true:",
                "2026-01-01:",
                "''",
                "nip:",
                "../x:",
                "!!binary YQ==:",
                ".nan:",
            )
            lines[at] = re.sub(r"[\w.*-]+:", lambda _: rng.choice(names), lines[at], count=1)
        case "cut or doubled lines":
            lines[at : at + rng.choice((1, 5))] = rng.choice(
                ([], [lines[at][: len(lines[at]) // 2]], [lines[at]] * 2, lines[:at])
            )
        case "random bytes":
            data = bytearray("\n".join(lines).encode())
            for _ in range(rng.choice((1, 3, 10))):
                place = rng.randrange(len(data))
                data[place : place + rng.choice((0, 1))] = rng.choice(
                    (rng.randbytes(1), b"\0", b"\t", b":", b"'", b"\x1b")
                )
            return kind, bytes(data)
        case "other encoding":
            return kind, "\n".join(lines).encode(rng.choice(("utf-16", "utf-32", "utf-8-sig", "cp500")), "replace")
        case "hostile texts":
            lines[at] = f"{start} {json.dumps(rng.choice(HOSTILE))}"
        case "huge fields":
            lines[at] = f"{start} {'x' * size.field}"
    return kind, "\n".join(lines).encode()
