"""The plots of a report, as SVG inside the page: lines, bars with a mark, dots with a span, stacks, a heat map.

Drawn here, not by a plotting library: real text for screen readers and printers, no script, milliseconds (libraries
took 0.2 to 1.3 s a page, and none of those tried draws spans over classes, or a heat map that reads without colour).
Here: numbers -> SVG. Not here: which numbers, and words. Nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import NamedTuple

STYLE = """
figure { margin: 1rem 0 } figcaption { font-weight: 600; margin-bottom: .3rem }
.chart { display: block; width: 100%; min-width: 34rem; height: auto }
.chart text { font: 12px system-ui, sans-serif; fill: #1d2733 } .chart .faint { fill: #5d6b7a }
.heat { border-collapse: separate; border-spacing: 1px; font-size: .72rem }
.heat th, .heat td { padding: .15rem .1rem; border: 0; text-align: center; font-size: inherit; line-height: 1.2 }
.heat th[scope=row] { text-align: left; padding-right: .4rem; color: var(--ink); font-weight: 400; min-width: 6.5rem }
.heat td { min-width: 1.2rem; color: #1d2733; white-space: nowrap; letter-spacing: -.03em }
.heat .l5, .heat .l4 { color: #fff }
.l0 { background: #fdf3e3 } .l1 { background: #f9dcb4 } .l2 { background: #f0bb7c }
.l3 { background: #e0954a } .l4 { background: #b8621b } .l5 { background: #7a3b0a } .none { background: #eef1f4 }
.key { display: inline-block; width: .9em; height: .9em; margin: 0 .3em 0 .9em; vertical-align: -.1em }
"""

WIDTH = 720
LABELS = 236
"""Pixels for the names at the left of rows."""
ROW = 24
LONGEST = 32
"""Characters of a name that fit there."""

LINE_LOOKS = (("#1f5a96", "", 4), ("#b5532a", "6 3", 0), ("#4f4f4f", "2 3", 4), ("#7a4f9c", "9 3 2 3", 0))
"""Colour, dashes, and the round marks' radius (0: square marks) of the first, second, ... line."""
STACK_LOOKS = (
    *(("#0b4f8a", "#ffffff"), ("#8fbce0", "#1d2733"), ("#efe6cd", "#1d2733")),
    *(("#e39a4f", "#1d2733"), ("#8c3408", "#ffffff")),
)
"""Colour and text colour from the best level to the worst."""
_INK, _SOFT, _GRID, _BAR, _BAD = "#1d2733", "#5d6b7a", "#dde3ea", "#3b6ea5", "#b3261e"

Shown = Callable[[float], str]


class Line(NamedTuple):
    label: str
    values: Sequence[float | None]


class Bar(NamedTuple):
    """`mark` is what is asked for; `is_bad` says that the value misses it."""

    label: str
    value: float | None
    shown: str
    mark: float | None = None
    is_bad: bool = False


class Dot(NamedTuple):
    """A value with the span around it: a confidence interval, or the lowest and the highest."""

    label: str
    low: float | None
    value: float | None
    high: float | None
    shown: str


class Cell(NamedTuple):
    """A field of a heat map; `level` 0 (light) to 5 (dark), None where there is nothing to colour."""

    shown: str
    level: int | None
    title: str


def lines(
    title: str, ticks: Sequence[str], series: Sequence[Line], shown: Shown, target: tuple[float, str] | None
) -> str:
    """One line of shares (0-1) per series over the ticks; `target` is a level with its name. A gap stays a gap."""
    values = [v for line in series for v in line.values if v is not None] + ([target[0]] if target else [])
    low = min(int(min(values, default=0.8) * 10) / 10, 0.8)
    left, right, top, bottom = 56, WIDTH - 70, 14, 210
    step = (right - left) / max(len(ticks) - 1, 1)

    def x(place: int) -> float:
        return left + (step * place if len(ticks) > 1 else (right - left) / 2)

    def y(value: float) -> float:
        return bottom - (value - low) / (1 - low) * (bottom - top)

    parts, ends, below = [], [], bottom + 46
    for grid in _steps(low, 1.0, 5):
        parts.append(_line(left, y(grid), right, y(grid), _GRID))
        parts.append(_text(left - 8, y(grid) + 4, shown(grid), "end", "faint"))
    parts += [_text(x(place), bottom + 20, tick, "middle", "faint") for place, tick in enumerate(ticks)]
    if target is not None:
        parts.append(_line(left, y(target[0]), right, y(target[0]), _INK, "1 4"))
        parts += _key(below, _INK, "1 4", f"{target[1]} {shown(target[0])}")
        below += 18
    for (colour, dashes, radius), line in zip(LINE_LOOKS, series, strict=False):
        points = [(x(place), y(v), v, place) for place, v in enumerate(line.values) if v is not None]
        for path in _unbroken(points):
            parts.append(
                f'<polyline points="{" ".join(f"{_n(px)},{_n(py)}" for px, py, _, _ in path)}" fill="none" '
                f'stroke="{colour}" stroke-width="2.2" stroke-dasharray="{dashes}"/>'
            )
        for px, py, value, place in points:
            told = f"<title>{escape(line.label)}, {escape(ticks[place])}: {escape(shown(value))}</title>"
            parts.append(
                f'<circle cx="{_n(px)}" cy="{_n(py)}" r="{radius}" fill="{colour}">{told}</circle>'
                if radius
                else f'<rect x="{_n(px - 3.5)}" y="{_n(py - 3.5)}" width="7" height="7" fill="{colour}">{told}</rect>'
            )
        if points:
            ends.append((points[-1][1], shown(points[-1][2]), colour))
        parts += _key(below, colour, dashes, line.label)
        below += 18
    parts += [_text(right + 12, at + 4, label, colour=colour) for at, label, colour in _apart(ends, top)]
    return _figure(title, parts, below - 6)


def _key(y: float, colour: str, dashes: str, label: str) -> list[str]:
    """What a line means, below the plot."""
    return [_line(56, y - 4, 92, y - 4, colour, dashes, width=2.2), _text(100, y, label)]


def bars(title: str, rows: Sequence[Bar], maximum: float, mark: str) -> str:
    """One bar per row from 0 to at most `maximum`; `mark` names the upright strokes, empty when there are none."""
    right = WIDTH - 90
    parts, bottom = [], len(rows) * ROW + 6

    def x(value: float) -> float:
        return LABELS + min(value, maximum) / maximum * (right - LABELS)

    parts.append(_line(LABELS, 0, LABELS, bottom, _GRID))
    for place, row in enumerate(rows):
        top = place * ROW + 4
        parts.append(_label(row.label, top + 13))
        if row.value is not None:
            told = f"<title>{escape(row.label)}: {escape(row.shown)}</title>"
            width = max(x(row.value) - LABELS, 0.5)
            parts.append(
                f'<rect x="{LABELS}" y="{top}" width="{_n(width)}" height="16" rx="2" '
                f'fill="{_BAD if row.is_bad else _BAR}">{told}</rect>'
            )
        if row.mark is not None:
            parts.append(_line(x(row.mark), top - 3, x(row.mark), top + 19, _INK, width=2))
        parts.append(_text(right + 8, top + 13, f"{row.shown}{' ▼' if row.is_bad else ''}"))
    if mark:
        parts.append(_line(LABELS + 4, bottom + 8, LABELS + 4, bottom + 22, _INK, width=2))
        parts.append(_text(LABELS + 12, bottom + 19, mark, css="faint"))
    return _figure(title, parts, bottom + (28 if mark else 4))


def dots(title: str, rows: Sequence[Dot], bands: Sequence[tuple[float, str]], span: tuple[float, float]) -> str:
    """One dot per row with its span, over bands that each begin at a value and have a name (classes, best last)."""
    low, high = span
    right, top = WIDTH - 70, 22
    bottom = top + len(rows) * ROW + 4

    def x(value: float) -> float:
        return LABELS + (min(max(value, low), high) - low) / (high - low) * (right - LABELS)

    parts = []
    starts = [start for start, _ in bands]
    for place, (start, name) in enumerate(bands):
        end = starts[place + 1] if place + 1 < len(bands) else high
        if end <= low or start >= high:
            continue
        shade = "#f4f7fa" if place % 2 else "#e6edf4"
        parts.append(
            f'<rect x="{_n(x(start))}" y="{top}" width="{_n(x(end) - x(start))}" height="{_n(bottom - top)}" '
            f'fill="{shade}"/>'
        )
        parts.append(_text((x(start) + x(end)) / 2, 14, name, "middle", "faint"))
    for place, row in enumerate(rows):
        middle = top + place * ROW + 14
        parts.append(_label(row.label, middle + 4))
        if row.value is None:
            parts.append(_text(LABELS + 6, middle + 4, row.shown, css="faint"))
            continue
        told = f"<title>{escape(row.label)}: {escape(row.shown)}</title>"
        if row.low is not None and row.high is not None:
            parts.append(_line(x(row.low), middle, x(row.high), middle, _SOFT, width=2))
            parts += [_line(x(end), middle - 4, x(end), middle + 4, _SOFT, width=2) for end in (row.low, row.high)]
        parts.append(f'<circle cx="{_n(x(row.value))}" cy="{middle}" r="5" fill="#1f5a96">{told}</circle>')
        parts.append(_text(right + 8, middle + 4, row.shown))
    return _figure(title, parts, bottom + 4)


def stacks(title: str, levels: Sequence[str], rows: Sequence[tuple[str, Sequence[int], str]]) -> str:
    """One bar per row, divided by how many are on each level; what is written at its end comes last in the row."""
    right = WIDTH - 60
    parts, bottom = [], len(rows) * ROW + 6
    for place, (label, counts, note) in enumerate(rows):
        top, at, total = place * ROW + 4, float(LABELS), sum(counts)
        parts.append(_label(label, top + 13))
        for (colour, ink), level, count in zip(STACK_LOOKS, levels, counts, strict=True):
            if not count:
                continue
            width = count / total * (right - LABELS)
            parts.append(
                f'<rect x="{_n(at)}" y="{top}" width="{_n(width)}" height="17" fill="{colour}" stroke="#fff">'
                f"<title>{escape(label)}: {escape(level)} {count}</title></rect>"
            )
            if width > 14:
                parts.append(_text(at + width / 2, top + 13, str(count), "middle", colour=ink))
            at += width
        parts.append(_text(right + 8, top + 13, note))
    x = 4.0
    for (colour, _), level in zip(STACK_LOOKS, levels, strict=True):
        parts.append(f'<rect x="{_n(x)}" y="{bottom + 8}" width="12" height="12" fill="{colour}" stroke="{_SOFT}"/>')
        parts.append(_text(x + 17, bottom + 18, level))
        x += 32 + 6.6 * len(level)
    return _figure(title, parts, bottom + 28)


def heat(title: str, head: Sequence[tuple[str, str]], rows: Sequence[tuple[str, Sequence[Cell]]]) -> str:
    """A heat map that is a table: every field says its number. `head` is what stands above a column, and its name."""
    above = "".join(f'<th scope="col" title="{escape(name)}">{escape(short)}</th>' for short, name in head)
    body = "".join(
        f'<tr><th scope="row">{escape(label)}</th>{"".join(map(_field, cells))}</tr>' for label, cells in rows
    )
    return (
        f'<figure class="wide"><figcaption>{escape(title)}</figcaption>'
        f'<table class="heat"><thead><tr><td></td>{above}</tr></thead><tbody>{body}</tbody></table></figure>'
    )


def _field(cell: Cell) -> str:
    level = "none" if cell.level is None else f"l{cell.level}"
    return f'<td class="{level}" title="{escape(cell.title)}">{escape(cell.shown)}</td>'


def _figure(title: str, parts: Sequence[str], height: float) -> str:
    return (
        f'<figure class="wide"><figcaption>{escape(title)}</figcaption>'
        f'<svg class="chart" viewBox="0 0 {WIDTH} {_n(height)}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg></figure>"
    )


def _text(x: float, y: float, text: str, anchor: str = "start", css: str = "", colour: str | None = None) -> str:
    looks = f' class="{css}"' if css else ""
    fill = f' style="fill:{colour}"' if colour else ""
    return f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}"{looks}{fill}>{escape(text)}</text>'


def _label(label: str, y: float) -> str:
    short = _short(label, LONGEST)
    told = f"<title>{escape(label)}</title>" if short != label else ""
    return f'<text x="{LABELS - 8}" y="{_n(y)}" text-anchor="end">{escape(short)}{told}</text>'


def _short(label: str, length: int) -> str:
    return label if len(label) <= length else f"{label[: length - 1].rstrip()}…"


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, dashes: str = "", width: float = 1) -> str:
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<line x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{colour}" '
        f'stroke-width="{_n(width)}"{dashed}/>'
    )


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _steps(low: float, high: float, count: int) -> Iterator[float]:
    yield from (low + (high - low) * n / count for n in range(count + 1))


def _unbroken(points: Sequence[tuple[float, float, float, int]]) -> Iterator[list[tuple[float, float, float, int]]]:
    """The stretches of points without a gap."""
    path: list[tuple[float, float, float, int]] = []
    for point in points:
        if path and point[3] != path[-1][3] + 1:
            yield path
            path = []
        path.append(point)
    yield path


def _apart(ends: Sequence[tuple[float, str, str]], top: float) -> Iterator[tuple[float, str, str]]:
    """Names at the ends of lines, moved down where they would lie on each other."""
    below = top - 15
    for at, label, colour in sorted(ends):
        below = max(at, below + 15)
        yield below, label, colour
