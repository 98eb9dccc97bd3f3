"""What stands in a page, by its parser: elements, addresses, texts."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_ADDRESSES = {"src", "href", "action", "formaction", "poster", "srcset", "xlink:href", "data"}


class PageParts(HTMLParser):
    """Reads a page and keeps what the tests ask about."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.inline_styles: list[str] = []
        self.labels: list[str] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    @property
    def text(self) -> str:
        """Everything that is read."""
        return "\n".join(self.texts)

    @property
    def css_addresses(self) -> list[str]:
        """Addresses in the style sheet."""
        return re.findall(r"url\([^)]*\)|@import[^;]*|https?:[^\s;]*", self.style)

    @property
    def style(self) -> str:
        return self._style

    _style = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.open.append(tag)
        for name, value in attrs:
            if name in _ADDRESSES:
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.handlers.append(f"{tag} {name}")
            if name == "style":
                self.inline_styles.append(value or "")
            if name == "aria-label":
                self.labels.append(value or "")
        if tag in ("meta", "link", "br", "hr", "img", "input"):
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self._style += data
        else:
            self.texts.append(data)
