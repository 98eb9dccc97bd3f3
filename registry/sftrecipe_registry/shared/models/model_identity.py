"""What a ledger key says of a model that is named by its vendor."""

from __future__ import annotations


def model_identity(model: str, revision: str | None) -> dict[str, object]:
    """Its name, and the revision where the recipe states one."""
    return {"model": model, "revision": revision} if revision else {"model": model}
