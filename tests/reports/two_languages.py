"""What a reader sees of a page in one of its two languages, and where it leads."""

from __future__ import annotations

from html.parser import HTMLParser


class Page(HTMLParser):
    def __init__(self, language: str) -> None:
        super().__init__()
        self.language, self.text, self.links = language, "", list[str]()
        self.inside: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.links += [v for k, v in named.items() if k in ("src", "href", "srcset", "action") and v]
        if tag == "span":
            self.inside.append(named.get("lang") not in (None, self.language))
        if tag in ("tr", "p", "h1", "h2", "section"):
            self.text += "\n"
        if tag in ("td", "dt"):
            self.text += " "

    def handle_endtag(self, tag: str) -> None:
        if tag == "span":
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        self.text += "" if any(self.inside) else data


def read(html: str, language: str) -> Page:
    page = Page(language)
    page.feed(html)
    return page
