"""A home with files in it, and a policy with nothing but the mappings a test declares."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kinerja_pipeline.contracts.model import Contracts, load_contracts
from kinerja_pipeline.home import Home, init_home
from kinerja_pipeline.policies.loader import load_policies
from kinerja_pipeline.policies.mapping import FileMapping
from kinerja_pipeline.policies.model import Policy

Deliver = Callable[..., Path]


@pytest.fixture
def contracts() -> Contracts:
    return load_contracts()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    init_home(home)
    return home


@pytest.fixture
def policy_of() -> Callable[..., Policy]:
    def policy(first_month: str = "2026-01", time_zone: str = "Asia/Jayapura", **feeds: list[FileMapping]) -> Policy:
        base = load_policies()["manokwari"]
        return base.model_copy(update={"feeds": feeds, "first_month": first_month, "time_zone": time_zone})

    return policy


@pytest.fixture
def deliver(home: Home) -> Deliver:
    """Writes a file into manokwari's landing folder, as if it had arrived at `at` (seconds since 1970)."""

    def write(name: str, data: bytes, at: int = 1_775_000_000) -> Path:  # 2026-03-31T23:33:20Z
        path = home.landing / "manokwari" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (at, at))
        return path

    return write
