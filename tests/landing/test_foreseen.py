"""What landing would do, told before it is done; and in which other months keys of a file's rows stand already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kinerja_pipeline.contracts.model import Contracts
from kinerja_pipeline.home import Home
from kinerja_pipeline.landing.deliveries import foresee, has_unread, land_region
from kinerja_pipeline.landing.landed import months_sharing_keys
from kinerja_pipeline.landing.ledger import Delivery, in_force, read_ledger
from kinerja_pipeline.policies.mapping import FileMapping
from kinerja_pipeline.policies.model import Policy

REGION = "manokwari"
TASKS = {"reader": "csv", "constants": {"task_type": "routine", "status_code": "open", "unit_id": "U1"}}
PINS = FileMapping(reader="csv")
LATER = 1_775_000_900

Deliver = Callable[..., Path]
PolicyOf = Callable[..., Policy]


def tasks(*rows: tuple[str, str]) -> bytes:
    return b"task_id,opened_at\n" + "".join(f"{number},{day} 08:00\n" for number, day in rows).encode()


def test_what_is_foreseen_is_what_lands(
    home: Home, contracts: Contracts, deliver: Deliver, policy_of: PolicyOf
) -> None:
    policy = policy_of(task_record=[FileMapping(delivery="delta", **TASKS)], device_pin=[PINS])  # type: ignore[arg-type]
    deliver("task_record/a.csv", tasks(("T1", "2026-02-03"), ("T2", "2026-03-03")))
    deliver("task_record/b.txt.part", b"half")
    deliver("device_pin/c.csv", b"", at=LATER)
    before = sorted(home.root.rglob("*"))
    foreseen = foresee(home, REGION, policy, contracts)
    assert sorted(home.root.rglob("*")) == before, "nothing is written"
    assert [(f.delivery.status_code, dict(f.delivery.months), f.is_known) for f in foreseen] == [
        ("landed", {"2026-02": 1, "2026-03": 1}, False),
        ("refused", {}, False),
    ]
    land_region(home, REGION, policy, contracts)
    assert read_ledger(home.landing / REGION) == [f.delivery for f in foreseen]
    assert foresee(home, REGION, policy, contracts) == []


def test_landing_has_nothing_to_do_until_a_file_comes_or_the_lake_has_lost_one(
    home: Home, contracts: Contracts, deliver: Deliver, policy_of: PolicyOf
) -> None:
    policy = policy_of(task_record=[FileMapping(**TASKS)])  # type: ignore[arg-type]
    deliver("task_record/a.csv", tasks(("T1", "2026-02-03")))
    assert has_unread(home, REGION, policy, contracts)
    land_region(home, REGION, policy, contracts)
    assert not has_unread(home, REGION, policy, contracts)
    (lost,) = home.lake.rglob("*.parquet")
    lost.unlink()
    assert has_unread(home, REGION, policy, contracts)


def test_a_file_whose_mapping_changed_is_foreseen_as_the_delivery_that_it_is(
    home: Home, contracts: Contracts, deliver: Deliver, policy_of: PolicyOf
) -> None:
    deliver("task_record/a.csv", tasks(("T1", "2026-02-03")))
    land_region(home, REGION, policy_of(task_record=[FileMapping(**TASKS)]), contracts)  # type: ignore[arg-type]
    (known,) = foresee(
        home,
        REGION,
        policy_of(task_record=[FileMapping(empty=["-"], **TASKS)]),
        contracts,  # type: ignore[arg-type]
    )
    (line,) = read_ledger(home.landing / REGION)
    assert known.is_known
    assert (known.delivery.delivery_id, known.delivery.sequence) == (line.delivery_id, line.sequence)


def shared(home: Home, line: Delivery) -> set[str]:
    landed = [d for d in in_force(read_ledger(home.landing / REGION)) if d.status_code == "landed"]
    (months,) = months_sharing_keys(home, REGION, [line], landed)
    return set(months)


@pytest.mark.parametrize(("mode", "found"), [("delta", {"2026-02"}), ("full", {"2026-02"}), ("append", set())])
def test_a_key_that_comes_again_in_another_month_is_found_where_only_one_may_stand(
    mode: str, found: set[str], home: Home, contracts: Contracts, deliver: Deliver, policy_of: PolicyOf
) -> None:
    policy = policy_of(task_record=[FileMapping(delivery=mode, **TASKS)])  # type: ignore[arg-type]
    deliver("task_record/a.csv", tasks(("T1", "2026-02-03"), ("T2", "2026-01-03")))
    land_region(home, REGION, policy, contracts)
    deliver("task_record/b.csv", tasks(("T1", "2026-03-03"), ("T9", "2026-03-03")), at=LATER)
    (foreseen,) = foresee(home, REGION, policy, contracts)
    assert foreseen.shared == found
    land_region(home, REGION, policy, contracts)
    assert shared(home, read_ledger(home.landing / REGION)[-1]) == found


@pytest.mark.parametrize("at_once", [1, 16_000_000])
def test_many_new_deliveries_are_told_each_its_own_months(
    at_once: int,
    monkeypatch: pytest.MonkeyPatch,
    home: Home,
    contracts: Contracts,
    deliver: Deliver,
    policy_of: PolicyOf,
) -> None:
    monkeypatch.setattr("kinerja_pipeline.landing.landed.KEYS_AT_ONCE", at_once)
    policy = policy_of(task_record=[FileMapping(delivery="delta", **TASKS)])  # type: ignore[arg-type]
    files = {
        "a": tasks(("T1", "2026-01-03"), ("T2", "2026-02-03"), ("T3", "2026-02-03")),
        "b": tasks(("T1", "2026-03-03"), ("T2", "2026-02-05")),
        "c": tasks(("T3", "2026-03-03"), ("T9", "2026-01-03")),
        "d": tasks(("T8", "2026-03-03")),
    }
    for name, rows in files.items():
        deliver(f"task_record/{name}.csv", rows)
    land_region(home, REGION, policy, contracts)
    lines = read_ledger(home.landing / REGION)
    found = months_sharing_keys(home, REGION, lines, [d for d in in_force(lines) if d.status_code == "landed"])
    told = {line.file_name[-5]: set(months) for line, months in zip(lines, found, strict=True)}
    assert told == {"a": {"2026-03"}, "b": {"2026-01"}, "c": {"2026-02"}, "d": set()}
