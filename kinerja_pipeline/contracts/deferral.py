"""Modules that a library imports at its start and hardly ever needs: they come when they are first used.

Here: a placeholder for a module. Not here: which modules (where the library is imported).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands for a module until an attribute of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        # The import system asks for some of its own; they say nothing of a use.
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)


@contextmanager
def deferred(*names: str) -> Iterator[None]:
    """What is imported inside sees placeholders for these modules, unless they are loaded already; afterwards the
    import system knows nothing of them, so that whoever else imports them gets them themselves."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        parent, _, own = name.rpartition(".")
        sys.modules[name] = _Later(name)
        if parent:
            setattr(importlib.import_module(parent), own, sys.modules[name])
    try:
        yield
    finally:
        for name in absent:
            parent, _, own = name.rpartition(".")
            del sys.modules[name]
            if parent:
                delattr(sys.modules[parent], own)
