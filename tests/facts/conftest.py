"""What every test of facts may ask for."""

from __future__ import annotations

import pytest
from facts_world import make_policy

from kinerja_pipeline.policies.model import Policy


@pytest.fixture(scope="session")
def policy() -> Policy:
    return make_policy()
