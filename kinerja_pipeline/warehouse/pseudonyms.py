"""What of a table is masked, by its contract alone, and the pseudonym that stands for a NIP.

Here: Contract -> what becomes of each column; the keyed hash. Not here: doing it to rows (warehouse/masking) and in
PostgreSQL (warehouse/access), where the key comes from (home).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

from kinerja_pipeline.contracts.model import Column, Contract

NO_NAME = "(nama)"
How = Literal["number", "subject", "led", "name", "text", "open"]
"""What becomes of a column: a pseudonym; one where the row is about an employee; one in front, where the text begins
with the employee; no name; a text swept; kept."""


def pseudonym(key: str, number: str) -> str:
    """`p` and 20 hexadecimal digits: the same for the same NIP and key, and without the key nobody can tell whose."""
    return f"p{hmac.new(key.encode(), number.encode(), hashlib.sha256).hexdigest()[:20]}"


def how_masked(contract: Contract) -> dict[str, How]:
    """What becomes of each column, by its page alone: restricted columns are masked, other texts are swept for what
    they may quote; codes, keys of things, numbers and days are kept."""
    return {column.name: _how(contract, column) for column in contract.columns}


def _how(contract: Contract, column: Column) -> How:
    if column.classification == "restricted":
        if "subject_kind" in contract.names and column.pattern is None:
            return "subject" if column.name == "subject_id" else "led"
        # What a key or a pattern shows to be a number joins; the rest of what says who somebody is goes.
        return "number" if column.pattern is not None or column.key_position is not None else "name"
    return "text" if column.kind == "string" and not column.codes else "open"
