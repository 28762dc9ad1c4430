"""What a contract costs beside the same checks written by hand: one region and month of taps, split and judged.

    python benchmarks/split.py --rows 10000000

Ours is the product's own path: the split of a landed frame by attendance_log (typed values, every rule, references,
repeats, reasons, the tally), the judgement by Great Expectations from its counts, the document that is kept. By hand is
bare Polars for the same twelve rules, fitted to this one table and these very forms of its values: typed valid rows
and a count per rule; no reasons, no deliveries, no quarantine. Both give the same valid rows, cell by cell, and the
same counts, or nothing is timed. The frame is in memory for both; imports and the first look at the suite are not
counted. Where memory is asked for, ours reads the files one after the other, as the product does; by hand there is one.
"""

from __future__ import annotations

import argparse
import datetime as dt
import tempfile
from pathlib import Path

import polars as pl
from measuring import Figure, Timed, in_turn, peak_gigabytes, ratio, show, told
from peak import own_peak_gigabytes

from kinerja_pipeline.contracts.model import load_contracts
from kinerja_pipeline.validated.evidence import document, judged
from kinerja_pipeline.validated.split import Split, split

TAPS = load_contracts().incoming["attendance_log"]
MONTH, ZONE = "2026-03", "Asia/Jayapura"
ROWS_OF_FILE = 10**6
KINDS_OF_BAD = 12
PEAKS = ("frame", "contract", "hand")
BY_HAND = (
    "device_id__missing",
    "device_id__length",
    "pin__missing",
    "pin__pattern",
    "pin__unknown",
    "tapped_at__missing",
    "tapped_at__unreadable",
    "tapped_at__month",
    "state_code__unreadable",
    "state_code__range",
    "verify_code__unreadable",
    "verify_code__range",
)


def landed(rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Taps as landing leaves them, a file after the other: forty a person, one in a hundred bad in one of twelve ways,
    one in two hundred repeated at the end of its file; and the register of devices and numbers."""
    people = max(rows // 40, 1)
    number = pl.col("number")
    person, tap = number % people, number // people
    minute = pl.when(tap % 2 == 0).then(7 * 60 + 10).otherwise(16 * 60) + number.hash(1) % 60
    at = pl.lit(dt.datetime.fromisoformat("2026-03-02")) + pl.duration(
        days=tap // 2, minutes=minute, seconds=number.hash(2) % 60
    )
    register = pl.DataFrame({"number": pl.int_range(people, eager=True)}).select(
        device_id=pl.format("MKW-{}", number // 500), pin=(number % 500 + 1).cast(pl.String)
    )
    good = pl.DataFrame({"number": pl.int_range(rows, eager=True)}).with_columns(
        device_id=pl.format("MKW-{}", person // 500),
        pin=(person % 500 + 1).cast(pl.String),
        tapped_at=at.dt.strftime("%Y-%m-%d %H:%M:%S"),
        state_code=(tap % 2).cast(pl.String),
        verify_code=pl.lit("1"),
        kind=pl.when(number % 100 == 7).then(number // 100 % KINDS_OF_BAD).otherwise(-1),
    )
    kind = pl.col("kind")
    spoiled = good.with_columns(
        device_id=pl.when(kind == 0).then(None).when(kind == 1).then(pl.lit("D" * 41)).otherwise("device_id"),
        pin=pl.when(kind == 2)
        .then(pl.lit("12-3"))
        .when(kind == 3)
        .then(pl.lit("99999"))
        .when(kind == 4)
        .then(None)
        .otherwise("pin"),
        tapped_at=pl.when(kind == 5)
        .then(None)
        .when(kind == 6)
        .then(pl.lit("kemarin"))
        .when(kind == 7)
        .then(pl.lit("2000-01-01 00:00:00"))
        .otherwise("tapped_at"),
        state_code=pl.when(kind == 8).then(pl.lit("300")).when(kind == 9).then(pl.lit("x")).otherwise("state_code"),
        verify_code=pl.when(kind == 10).then(pl.lit("-1")).otherwise("verify_code"),
        _problem=pl.when(kind == 11).then(pl.lit("row__short")),
        _raw=pl.when(kind == 11).then(pl.lit("1\t2")),
    )
    frame = pl.concat([spoiled, spoiled.filter(number % 200 == 3)], rechunk=True)
    file = number // ROWS_OF_FILE
    return frame.sort(file, maintain_order=True).select(
        *TAPS.names,
        file.cast(pl.String).str.zfill(64).alias("_delivery_id"),
        pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).alias("_source_row"),
        "_problem",
        "_raw",
        pl.lit(MONTH).alias("_month"),
    ), register


def by_contract(frame: pl.DataFrame | list[Path], register: pl.DataFrame) -> Split:
    """The split of a whole frame, or of files one after the other."""
    parts = [frame] if isinstance(frame, pl.DataFrame) else map(pl.read_parquet, frame)
    number = pl.int_range(frame["_delivery_id"].n_unique() if isinstance(frame, pl.DataFrame) else len(frame))
    ledger = pl.select(
        delivery_id=number.cast(pl.String).str.zfill(64),
        sequence=number + 1,
        delivery_mode=pl.lit("append"),
        delivery_scope=pl.lit("*_attlog.dat"),
    )
    result = split(parts, TAPS, zone=ZONE, references={"device_pin": register}, deliveries=ledger, month=MONTH)
    document(TAPS, result, judged(TAPS, result), "manokwari", MONTH)
    return result


def by_hand(
    frame: pl.DataFrame, register: pl.DataFrame, *, repeats_go: bool = True
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The valid rows, and how many rows break each rule."""

    def text(name: str) -> pl.Expr:
        stripped = pl.col(name).str.strip_chars()
        return pl.when(stripped != "").then(stripped).alias(name)

    known = register.lazy().select("device_id", "pin", is_known=pl.lit(True)).unique()
    flagged = (
        frame.lazy()
        .filter(pl.col("_problem").is_null())
        .select(*(text(name) for name in TAPS.names), "_delivery_id", "_source_row", "_month")
        .with_columns(
            at=pl.col("tapped_at").str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False),
            state=pl.col("state_code").cast(pl.Int64, strict=False),
            verify=pl.col("verify_code").cast(pl.Int64, strict=False),
        )
        .join(known, on=["device_id", "pin"], how="left", maintain_order="left")
        .with_columns(
            device_id__missing=pl.col("device_id").is_null(),
            device_id__length=pl.col("device_id").str.len_chars() > 40,
            pin__missing=pl.col("pin").is_null(),
            pin__pattern=~pl.col("pin").str.contains("^[0-9A-Za-z]{1,24}$"),
            pin__unknown=pl.col("is_known").is_null() & pl.col("device_id").is_not_null() & pl.col("pin").is_not_null(),
            tapped_at__missing=pl.col("tapped_at").is_null(),
            tapped_at__unreadable=pl.col("at").is_null() & pl.col("tapped_at").is_not_null(),
            tapped_at__month=pl.col("at").dt.strftime("%Y-%m") != pl.col("_month"),
            state_code__unreadable=pl.col("state").is_null() & pl.col("state_code").is_not_null(),
            state_code__range=~pl.col("state").is_between(0, 255),
            verify_code__unreadable=pl.col("verify").is_null() & pl.col("verify_code").is_not_null(),
            verify_code__range=~pl.col("verify").is_between(0, 255),
        )
        .with_columns(pl.col(BY_HAND).fill_null(False))
        .collect()
    )
    counts = flagged.select(pl.col(BY_HAND).sum()).row(0, named=True)
    valid = flagged.filter(~pl.any_horizontal(BY_HAND)).select(
        "device_id",
        "pin",
        "_delivery_id",
        "_source_row",
        tapped_at="at",
        state_code="state",
        verify_code="verify",
    )
    return valid.unique(TAPS.names, keep="first", maintain_order=True) if repeats_go else valid, counts


def compared(frame: pl.DataFrame, register: pl.DataFrame) -> None:
    """Raises AssertionError unless both say the same."""
    ours, (valid, counts) = by_contract(frame, register), by_hand(frame, register)
    assert ours.valid.equals(valid.select(ours.valid.columns)), "other valid rows"
    broken = ours.tally.filter(pl.col("rule_id").is_in(BY_HAND))
    tally = broken.group_by("rule_id").agg(pl.col("failed_count").sum())
    assert dict(tally.iter_rows()) == {rule: count for rule, count in counts.items() if count}, "other counts"


def figures(rows: int) -> tuple[list[Figure], dict[str, Timed]]:
    frame, register = landed(rows)
    compared(frame, register)
    size = f"{rows:.0e}".replace("e+0", "e")
    with tempfile.TemporaryDirectory() as folder:
        # A process of its own reads what landed, as the product does: making it up takes more memory.
        frame.write_parquet(f"{folder}/frame.parquet")
        for number, part in enumerate(frame.partition_by("_delivery_id", maintain_order=True)):
            part.write_parquet(f"{folder}/file-{number:03d}.parquet")
        register.write_parquet(f"{folder}/register.parquet")
        peaks = {of: peak_gigabytes(Path(__file__), "--peak", of, "--of", folder) for of in PEAKS}
    timed = in_turn(
        {
            "by contract": lambda: by_contract(frame, register),
            "by hand": lambda: by_hand(frame, register),
            "by hand, repeats kept": lambda: by_hand(frame, register, repeats_go=False),
        }
    )
    bound = 1.0 if rows <= 10**6 else 3.0 if rows <= 10**7 else 8.0
    memory = f"the frame alone {peaks['frame']:.2f}, by hand {peaks['hand']:.2f}"
    return [
        Figure(f"split and judge {size} taps / by hand", ratio(timed, "by contract", "by hand"), 1.5, "x", told(timed)),
        Figure("  / by hand, repeats kept", ratio(timed, "by contract", "by hand, repeats kept"), None),
        Figure(f"peak memory of splitting {size} taps", peaks["contract"], bound, "GB", memory),
    ], timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=10**6)
    parser.add_argument("--peak", choices=PEAKS, help="work once on the frame of the folder --of; print the peak in GB")
    parser.add_argument("--of")
    given = parser.parse_args()
    if not given.peak:
        show(figures(given.rows)[0])
        return
    folder = Path(given.of)
    register = pl.read_parquet(folder / "register.parquet")
    if given.peak == "contract":
        by_contract(sorted(folder.glob("file-*.parquet")), register)
    else:
        frame = pl.read_parquet(folder / "frame.parquet")
        if given.peak == "hand":
            by_hand(frame, register)
    print(own_peak_gigabytes())


if __name__ == "__main__":
    main()
