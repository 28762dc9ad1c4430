"""The frame of every page: head, colours, tables and sections; nothing of a page runs or asks the network.

Here: what all pages share, and the forms that escape what they are given. Not here: words and numbers (reports/words),
what a page says. Parameters called `html` are parts of a page that were made here or by the page; all others are text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser is allowed to do for the page: style it. Should a text ever get in as markup, it can ask nobody."""

STYLE = """
:root { --ink: #1d2733; --soft: #5d6b7a; --line: #dde3ea; --good: #1c7c54; --bad: #b3261e; --bar: #3b6ea5 }
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: #f5f7f9 }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem }
section { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 1rem 1.25rem; margin: 1rem 0 }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 0 0 .6rem }
p { margin: .3rem 0 } .soft { color: var(--soft) } a { color: var(--bar) }
.verdict { border-left: 6px solid var(--good) } .verdict.bad { border-left-color: var(--bad) }
dl { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; margin: .8rem 0 0 }
dt { color: var(--soft); font-size: .85rem } dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .85rem }
th, td { padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
td code { overflow-wrap: anywhere } .met { color: var(--good) } .unmet { color: var(--bad); font-weight: 600 }
"""


def document(title: str, html: str, *, style: str = "", language: str = "id") -> str:
    """A whole page: `html` is its body."""
    return (
        f'<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}{style}</style></head>\n<body>{html}</body></html>\n"
    )


def tiles(html: Iterable[tuple[str, str]]) -> str:
    """Figures that are seen first: name and value."""
    return f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{value}</dd></div>' for name, value in html)}</dl>"


def table(html_head: Sequence[str], html_rows: Iterable[Sequence[str]], numbers: Iterable[int] = ()) -> str:
    """A table that scrolls by itself where it is too wide; the columns of `numbers` are set as numbers."""
    right = set(numbers)

    def cells(kind: str, html: Sequence[str]) -> str:
        return "".join(
            f"<{kind}{' class=n' if n in right else ''}{' scope=col' if kind == 'th' else ''}>{cell}</{kind}>"
            for n, cell in enumerate(html)
        )

    rows = "".join(f"<tr>{cells('td', row)}</tr>" for row in html_rows)
    head = f"<thead><tr>{cells('th', html_head)}</tr></thead>"
    return f'<div class="wide"><table>{head}<tbody>{rows}</tbody></table></div>'
