"""One recipe laid over another: `extends` and profiles."""

from __future__ import annotations

from sftrecipe.recipe.document import Node


def laid_over(base: Node, over: Node) -> Node:
    """The base with the upper one's changes.

    Mappings merge key by key; a key that is empty in the upper one is taken away; a mapping with
    another `use` replaces the lower one whole, since options of one plugin mean nothing to another.
    Lists of blocks that all have an `id` merge by it, new ones at the end; any other list or value
    replaces what lies below.
    """
    if base.is_mapping and over.is_mapping:
        return over if _other_plugin(base, over) else _merged_mapping(base, over)
    if base.is_list and over.is_list and over.value and all(_id(item) for item in over.value):
        return _merged_list(base, over)
    return over


def without(node: Node, *keys: str) -> Node:
    """A mapping without some of its keys."""
    kept = {key: item for key, item in node.value.items() if key not in keys}
    return Node(kept, node.place, {key: node.keys[key] for key in kept})


def _other_plugin(base: Node, over: Node) -> bool:
    lower, upper = base.get("use"), over.get("use")
    return lower is not None and upper is not None and lower.value != upper.value


def _merged_mapping(base: Node, over: Node) -> Node:
    items, keys = dict(base.value), dict(base.keys)
    for key, item in over.value.items():
        if item.value is None and key in items:
            del items[key], keys[key]
            continue
        items[key] = laid_over(items[key], item) if key in items else item
        keys[key] = over.keys[key]
    return Node(items, over.place, keys)


def _merged_list(base: Node, over: Node) -> Node:
    changes = {_id(item): item for item in over.value}
    items = []
    for item in base.value:
        change = changes.pop(_id(item), None) if _id(item) else None
        items.append(laid_over(item, change) if change else item)
    return Node([*items, *changes.values()], over.place)


def _id(item: Node) -> str | None:
    found = item.get("id")
    return found.value if found and isinstance(found.value, str) else None
