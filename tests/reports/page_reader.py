"""What a reader gets from a page: its text line by line, its elements, where its links lead."""

from __future__ import annotations

from html.parser import HTMLParser

LINES = ("tr", "p", "h1", "h2", "h3", "figcaption", "svg", "dl", "text", "li")
CELLS = ("td", "th", "dt", "dd", "span", "br")
UNSHOWN = ("style", "title")


class Reader(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.links, self.parts = set[str](), list[str](), list[str]()
        self.attributes: set[str] = set()
        self.hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [v for name, v in attrs if name in ("src", "href", "srcset", "action", "xlink:href") and v]
        self.hidden += tag in UNSHOWN
        self.parts.append("\n" if tag in LINES else "|" if tag in CELLS else "")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in UNSHOWN

    def handle_data(self, data: str) -> None:
        self.parts.append("" if self.hidden else data)

    @property
    def lines(self) -> list[str]:
        """Each line with its cells divided by ` | `."""
        rows = "".join(self.parts).split("\n")
        return [" | ".join(c.strip() for c in row.split("|") if c.strip()) for row in rows if row.strip(" |")]
