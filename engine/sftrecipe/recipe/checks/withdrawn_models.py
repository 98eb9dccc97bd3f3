"""Models, and whole services, that their vendor has withdrawn: told, since they may answer yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sftrecipe.errors import Problem
from sftrecipe.messages import user_language
from sftrecipe.plugin.provider import Provider
from sftrecipe.plugin.vendors.vendor_facts import Vendor, VendorModel, own_name, vendor_of
from sftrecipe.recipe.blocks import BlockDraft
from sftrecipe.recipe.reader.node import Node


def withdrawn_problems(draft: BlockDraft, root: Node, today: date) -> Iterator[Problem]:
    """Warnings of a provider whose model or vendor is gone by the file of vendors."""
    if not isinstance(draft.plugin, Provider):
        return
    vendor, model = served_by(draft.plugin)
    if vendor is not None and vendor.retired is not None and vendor.retired < today:
        closed = {"vendor": vendor.said(user_language()), "date": str(vendor.retired)}
        yield Problem("vendor-withdrawn", draft.place(root, "use"), closed, None, "warning")
    if vendor is not None and model is not None and model.is_retired(today):
        values = {**model_values(vendor, model), "date": str(model.retired)}
        hint = "model-successor" if model.successor else "current-models"
        place = draft.place(root, "model")
        yield Problem("model-withdrawn", place, values, hint, "warning")


def served_by(provider: Provider) -> tuple[Vendor | None, VendorModel | None]:
    """The vendor of a provider, and what is known of its model; None: neither is known."""
    model = provider.model_name()
    addresses = list(provider.sends().values()) or [""]
    vendor = next((found for each in addresses if (found := vendor_of(each, model))), None)
    return vendor, vendor.model(own_name(vendor, model)) if vendor else None


def model_values(vendor: Vendor, model: VendorModel) -> dict[str, object]:
    """What messages say of a model."""
    current = [each.name for each in vendor.models.values() if each.retired is None]
    return {
        "model": model.name,
        "vendor": vendor.said(user_language()),
        "successor": model.successor,
        "current": ", ".join(current) or "?",
    }
