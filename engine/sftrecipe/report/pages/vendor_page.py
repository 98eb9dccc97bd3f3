"""`docs/vendors.md` from the file of vendors; `python -m` with this module prints it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any

from sftrecipe.plugin.vendors.vendor_facts import (
    TokenPrice,
    Vendor,
    VendorModel,
    facts_date,
    known_vendors,
)
from sftrecipe.plugin.vendors.vendor_quirks import Quirks, Switch, vendor_quirks

_TOLD: Mapping[Switch, str] = {
    "enable_thinking": "`enable_thinking`",
    "thinking_type": "`thinking: {type: …}`",
    "chat_template_kwargs": "`chat_template_kwargs`",
    "reasoning_effort": "`reasoning_effort`",
    "none": "",
}


def vendor_page() -> str:
    """The page, in Markdown."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - 60 ms, for this page alone

    text = (
        resources.files("sftrecipe.report.pages").joinpath("vendor_page.md.j2").read_text("utf-8")
    )
    page = Environment(undefined=StrictUndefined, trim_blocks=True, autoescape=False)  # noqa: S701
    every = [each for each in known_vendors().values() if each.retired is None]
    return page.from_string(text).render(
        date=facts_date(),
        companies=[each for each in every if not each.local],
        closed=[each for each in known_vendors().values() if each.retired is not None],
        described=[_described(each) for each in every if each.example],
    )


def _described(vendor: Vendor) -> Mapping[str, Any]:
    """A vendor's section: an example, its models, and what they take otherwise."""
    current = [each for each in vendor.models.values() if each.retired is None]
    ending = [each for each in vendor.models.values() if each.retired is not None]
    named = current or ([] if ending else [VendorModel(vendor.example)])
    return {
        "vendor": vendor,
        "block": "\n".join(_block(vendor)),
        "models": [(each, _prices(each), _quirks_text(vendor, each)) for each in named],
        "ending": ending,
    }


def _block(vendor: Vendor) -> Iterator[str]:
    """Lines of a provider block, ready to copy."""
    yield f"  {vendor.id}:"
    yield f"    use: {vendor.use}"
    if vendor.use == "litellm":
        yield f"    model: {vendor.litellm}/{vendor.example}"
    else:
        if vendor.id not in ("openai", "ernie", "vllm"):
            yield f"    vendor: {vendor.id}"
        yield f"    model: {vendor.example}"
    if vendor.local:
        yield f"    base_url: {vendor.address}"


def _prices(model: VendorModel) -> str:
    return "; ".join(map(_price, model.prices))


def _price(price: TokenPrice) -> str:
    cached = "" if price.cached is None else f" ({price.cached:g} cached)"
    thought = "" if price.reasoning is None else f", {price.reasoning:g} while it thinks"
    where = f" at `{'`, `'.join(price.at)}`" if price.at else ""
    off_peak = f", ×{price.off_peak:g} off peak" if price.off_peak != 1 else ""
    return f"{price.input:g}{cached} → {price.output:g}{thought} {price.currency}{where}{off_peak}"


def _quirks_text(vendor: Vendor, model: VendorModel) -> str:
    return "; ".join(_sentences(vendor_quirks(vendor, model.name)))


def _sentences(quirks: Quirks) -> Iterator[str]:
    """What a model takes otherwise, for people."""
    if quirks.omit:
        yield f"takes no {_names(quirks.omit)}"
    if thinking := quirks.omit_when_thinking - quirks.omit:
        yield f"no {_names(thinking)} while it thinks"
    if quirks.streams_only:
        yield "streams only"
    if quirks.always_thinks:
        yield "always thinks"
    elif quirks.thinks_by_default:
        yield "thinks by default"
    if _TOLD[quirks.thinking]:
        yield f"`thinking` is sent as {_TOLD[quirks.thinking]}"
    if quirks.budget:
        yield f"its budget as `{quirks.budget}`"
    for name, value in quirks.fixed.items():
        yield f"`{name}: {str(value).lower()}` is sent unless told otherwise"
    for old, new in quirks.rename.items():
        yield f"`{old}` is sent as `{new}`"


def _names(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


if __name__ == "__main__":
    import sys

    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(vendor_page())
