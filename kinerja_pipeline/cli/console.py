"""The console that commands print tables and findings to.

Here: that no text of a file or a page becomes a colour, a link or an order to the terminal. Not here: what is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.segment import Segment

from kinerja_pipeline.plain import visible


class _Harmless:
    """What is printed, with the characters that act on a terminal written out; colours and frames stay."""

    def __init__(self, inner: ConsoleRenderable) -> None:
        self.inner = inner

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.inner, options):
            yield segment if segment.control else Segment("\n".join(self._lines(segment.text)), segment.style)

    @staticmethod
    def _lines(text: str) -> Iterator[str]:
        return map(visible, text.split("\n"))


class _Hook(RenderHook):
    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Harmless(each) for each in renderables]


def new_console() -> Console:
    # A pipe gets whole lines: a table must not fold at 80 columns because nobody looks at it. Without markup `[/b]` in
    # a cell is what it is, and not a fault.
    console = Console(width=None if sys.stdout.isatty() else 140, markup=False, emoji=False)
    console.push_render_hook(_Hook())
    return console
