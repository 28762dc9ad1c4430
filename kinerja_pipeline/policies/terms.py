"""Terms that every part of a policy is written in: months, ids, times of day, labels, and what all its pages share.

Not here: the keys of any part (policies/model, policies/mapping, policies/follow_up).
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Aspect = Literal["quantity", "quality", "time", "cost"]
Predicate = Literal["sangat_baik", "baik", "butuh_perbaikan", "kurang", "sangat_kurang"]
PREDICATES: tuple[Predicate, ...] = get_args(Predicate)
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


def _clock(value: object) -> object:
    if not isinstance(value, str | dt.time):
        raise ValueError(f"'{value}' is not a time of day; write it as 07:30")
    return value


Clock = Annotated[dt.time, BeforeValidator(_clock)]
"""A local time of day. A bare number would be read as seconds after midnight: 1600 as 00:26."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Labels(Model):
    """What officials read: Indonesian first, English by option."""

    id: str
    en: str
