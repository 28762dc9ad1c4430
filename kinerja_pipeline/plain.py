"""Texts that somebody else wrote, on their way to a terminal or into a CSV file: they stay texts there.

Not here: pages (each escapes what it shows), workbooks (spreadsheet.py), JSON (it quotes by itself).
"""

from __future__ import annotations

import re

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal obeys or no ledger can hold: control characters, other directions of writing, half characters."""
PERSON_NUMBER = "[0-9]{16,}"
"""NIPs have 18 digits, NIKs 16; a longer run of digits is not told from two of them."""
_PERSON = re.compile(PERSON_NUMBER)
_ACTIVE = re.compile(r"[=+\-@\t\r](?!$)(?!([0-9]+[.,]?)+$)")
"""How a text begins that a spreadsheet takes for a formula; a number with its sign is none."""


def visible(text: str) -> str:
    """The text with every character that would not be seen, or would act on a terminal, written out (`\\x1b`)."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def unnumbered(text: str) -> str:
    """The text without the numbers of persons (NIP, NIK), which somebody may call a file by."""
    return _PERSON.sub("(NIP)", text)


def csv_cell(value: object) -> object:
    """The value as it may stand in a CSV file that somebody opens in a spreadsheet: an apostrophe before a text that
    would be run there."""
    return f"'{value}" if isinstance(value, str) and _ACTIVE.match(value) else value
