"""SVG elements; texts and attributes are escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

from sftrecipe.report.pages.html_page import visible


def svg(width: float, height: float, label: str, parts: Iterable[Markup], kind: str = "") -> Markup:
    """A drawing that scales with the page; `label` is read aloud in its place."""
    return Markup(
        '<svg viewBox="0 0 {} {}" width="{}" height="{}" class="{}" role="img" aria-label="{}">'
        "{}</svg>"
    ).format(*(_number(each) for each in (width, height) * 2), kind, visible(label), joined(parts))


def joined(parts: Iterable[Markup]) -> Markup:
    """Elements one after the other."""
    return Markup("").join(parts)


def rect(  # noqa: PLR0917 - a place, a size, a class
    x: float, y: float, width: float, height: float, kind: str, title: str = ""
) -> Markup:
    """A rectangle; `kind` is its class in the style sheet, `title` shows when it is pointed at."""
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" class="{}">{}</rect>').format(
        *map(_number, (x, y, width, height)), kind, _title(title)
    )


def circle(x: float, y: float, radius: float, kind: str, title: str = "") -> Markup:
    """A circle."""
    return Markup('<circle cx="{}" cy="{}" r="{}" class="{}">{}</circle>').format(
        *map(_number, (x, y, radius)), kind, _title(title)
    )


def line(start: tuple[float, float], end: tuple[float, float], kind: str) -> Markup:
    """A straight line."""
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"/>').format(
        *map(_number, (*start, *end)), kind
    )


def path(steps: str, kind: str, title: str = "") -> Markup:
    """A path; `steps` is made of numbers and letters here, never of the user's text."""
    return Markup('<path d="{}" class="{}">{}</path>').format(steps, kind, _title(title))


def text(x: float, y: float, content: str, kind: str = "") -> Markup:
    """A text at its base line."""
    return Markup('<text x="{}" y="{}" class="{}">{}</text>').format(
        _number(x), _number(y), kind, visible(content)
    )


def _title(content: str) -> Markup:
    return Markup("<title>{}</title>").format(visible(content)) if content else Markup("")


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
