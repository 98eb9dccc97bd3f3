"""What naming a vendor fills in: its address, and the variable that holds its key."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sftrecipe.plugin import (
    OptionProblem,
    Texts,
    Vendor,
    closest,
    known_vendors,
    vendor_at,
    vendor_named,
)

texts = Texts(__package__)
_VENDOR = ("vendor",)


def preset(vendor: str | None, base_url: str | None) -> Vendor | None:
    """The vendor that a recipe names, else the one whose address it gives."""
    if vendor is not None:
        return vendor_named(vendor)
    return vendor_at(base_url) if base_url else None


def key_variable(vendor: Vendor | None, otherwise: str) -> str:
    """How a recipe writes the vendor's key; empty for a server of one's own."""
    if vendor is None:
        return otherwise
    return f"${{env:{vendor.keys[0]}}}" if vendor.keys else ""


def vendor_problems(vendor: str | None, uses: Collection[str]) -> Iterator[OptionProblem]:
    """What is wrong with the name of a vendor; `uses`: the providers that may be named for it."""
    if vendor is None:
        return
    found = vendor_named(vendor)
    fitting = [each.id for each in known_vendors().values() if each.use in uses]
    if found is None:
        every = [name for each in known_vendors().values() for name in (each.id, *each.also)]
        near = closest(vendor.lower(), every)
        known = ", ".join(fitting)
        if near:
            advice = texts("vendor-near", near=near, known=known)
        else:
            advice = texts("vendor-known", known=known)
        yield OptionProblem(_VENDOR, texts("vendor-unknown", vendor=vendor), advice)
    elif found.use not in uses:
        slug = "write-use-alone" if found.use == "litellm" else "write-use"
        advice = texts(slug, use=found.use)
        yield OptionProblem(_VENDOR, texts("vendor-otherwise", vendor=vendor), advice)
