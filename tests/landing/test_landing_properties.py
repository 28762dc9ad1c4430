"""Whatever bytes arrive: a sentence for people or rows that add up, never another exception."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.landing import text
from kinerja_pipeline.landing.readers import UnreadableFile, read_source
from kinerja_pipeline.landing.reshape import Reshaped, reshape
from kinerja_pipeline.policies.mapping import FileMapping

FEEDS = load_contracts().incoming
LOG = FileMapping(reader="attlog", columns={"device_id": "device_number"})
SET_ASIDE = {"gates": {"column": "device_id", "values": ["1"]}}
PINS = FileMapping.model_validate({"reader": "csv", "set_aside": SET_ASIDE})
JSONL = FileMapping.model_validate({"reader": "jsonl", "set_aside": SET_ASIDE})
WORKBOOK = FileMapping(reader="xlsx")
PARQUET = FileMapping(reader="parquet")

tap = st.builds(
    lambda pin, sep, rest, end: b"%9d%b2026-03-01 07:30:00%b1\t0\t1%b%b" % (pin, sep, sep, rest, end),
    st.integers(0, 99999),
    st.sampled_from([b"\t", b"\t", b" "]),
    st.sampled_from([b"\t0", b"", b"\t0\t9", b"\0\0"]),
    st.sampled_from([b"\n", b"\r\n", b"\0\n", b""]),
)
attlog_bytes = st.lists(st.one_of(tap, st.binary(max_size=30)), max_size=20).map(b"".join)

cell = st.sampled_from(
    [b"1", b"51", b"", b'"a"', b'"a,b"', b'"a\r\nb"', b'"', b'""', b'x"y', b" ", b"\0", b"\x01", b"\xc3\xa9"]
)
line = st.lists(cell, max_size=6).map(b",".join)
csv_bytes = st.builds(
    lambda head, lines, end: head + end.join(lines),
    st.sampled_from(
        [b"device_id,pin,valid_from,nip\n", b"\xef\xbb\xbfx\r\n\r\nnip,secret,valid_from,pin,device_id\r\n"]
    ),
    st.lists(st.one_of(line, st.binary(max_size=20)), max_size=20),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)


def landed(data: bytes, feed: str, mapping: FileMapping) -> Reshaped | None:
    said = ""
    try:
        source = read_source(data, f"{feed}/file", mapping, FEEDS[feed])
    except UnreadableFile as refusal:
        said = str(refusal)
    if said:
        assert said.startswith(f"{feed}/file, ")
        return None
    return reshape(source, mapping, FEEDS[feed])


def adds_up(result: Reshaped | None) -> None:
    if result is None:
        return
    assert result.file_row_count == result.landed["_source_row"].n_unique() + sum(result.set_aside.values())
    texts = result.landed.drop("_source_row")
    assert all(kind.is_(texts.schema["_raw"]) for kind in texts.schema.values())
    assert not any("\0" in (value or "") for row in texts.rows() for value in row)


@settings(max_examples=150)
@given(attlog_bytes)
def test_any_attlog_is_refused_or_adds_up(data: bytes) -> None:
    result = landed(data, "attendance_log", LOG)
    adds_up(result)
    if result is not None:
        lines = [x for x in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if x.strip(b" \t\r\0\x1a")]
        assert result.file_row_count == len(lines)


@settings(max_examples=150)
@given(csv_bytes)
def test_any_csv_is_refused_or_adds_up(data: bytes) -> None:
    result = landed(data, "device_pin", PINS)
    adds_up(result)
    if result is not None and b'"' not in data and b"\n" in data:
        body = data.removeprefix(b"\xef\xbb\xbf").rstrip(b"\0").split(b"\n")
        head = next(i for i, x in enumerate(body) if b"valid_from" in x)
        filled = [x for x in body[head + 1 :] if x.replace(b"\0", b"").strip(b" ,\t\r\x1a")]
        assert result.file_row_count == len(filled)


@settings(max_examples=150)
@given(
    st.lists(st.one_of(line, st.sampled_from([b'{"nip":1}', b'{"pin":"\\u0000","device_id":"1"}'])), max_size=8).map(
        b"\n".join
    )
)
def test_any_json_lines_are_refused_or_add_up(data: bytes) -> None:
    adds_up(landed(data + b'\n{"device_id":"2","pin":"1","valid_from":"","nip":"9"}', "device_pin", JSONL))


@settings(max_examples=150)
@given(st.binary(max_size=200), st.sampled_from([b"PK\x03\x04", b"PAR1", b""]))
def test_any_bytes_are_no_workbook_and_no_parquet(data: bytes, start: bytes) -> None:
    assert landed(start + data, "device_pin", WORKBOOK) is None
    assert landed(start + data, "device_pin", PARQUET) is None


odd_line = st.sampled_from([b"\n", b" \t2\t1\t0\t1\t0\n", b"5\t2 \t1\t0\t1\t0\r\r\n"])


@settings(max_examples=100)
@given(st.lists(st.one_of(tap, tap, odd_line), max_size=6).map(b"".join))
def test_the_fast_way_through_a_regular_attlog_gives_what_the_careful_way_gives(data: bytes) -> None:
    fast = text._regular_attlog(data)
    if fast is not None:
        # One irregular line more sends the same lines the careful way.
        careful = read_source(data.removesuffix(b"\n") + b"\ncut", "attendance_log/file", LOG, FEEDS["attendance_log"])
        assert fast.rows() == careful.head(fast.height).rows()
