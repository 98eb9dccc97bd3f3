"""One recipe laid over another: `extends` and profiles."""

from __future__ import annotations

from sftrecipe.recipe.reader.node import Node


def extending(base: Node, over: Node) -> Node:
    """A recipe laid over the one that it extends.

    Profiles merge as mappings do, but their empty keys stay, for what they will take away.
    """
    merged = laid_over(without(base, "profiles"), without(over, "profiles"))
    profiles = [node for layer in (base, over) if (node := layer.get("profiles"))]
    if not profiles:
        return merged
    joined = profiles[-1] if len(profiles) == 1 else _joined_profiles(*profiles)
    place = (over.keys if "profiles" in over.keys else base.keys)["profiles"]
    return Node(
        {**merged.value, "profiles": joined}, merged.place, {**merged.keys, "profiles": place}
    )


def laid_over(base: Node, over: Node, *, keep_empty: bool = False) -> Node:
    """The base with the upper one's changes.

    Mappings merge key by key; a key that is empty in the upper one is taken away, if it is there; a
    mapping with another `use` replaces the lower one whole, since options of one plugin mean
    nothing to another. Lists of blocks that all have an `id` merge by it, new ones at the end; any
    other list or value replaces what lies below. `keep_empty`: empty keys are not taken as changes.
    """
    if base.is_mapping and over.is_mapping:
        if _other_plugin(base, over):
            return over
        return _merged_mapping(base, over, keep_empty)
    if base.is_list and over.is_list and over.value and all(_id(item) for item in over.value):
        return _merged_list(base, over, keep_empty)
    return over


def without(node: Node, *keys: str) -> Node:
    """A mapping without some of its keys."""
    kept = {key: item for key, item in node.value.items() if key not in keys}
    return Node(kept, node.place, {key: node.keys[key] for key in kept})


def _other_plugin(base: Node, over: Node) -> bool:
    lower, upper = base.get("use"), over.get("use")
    return lower is not None and upper is not None and lower.value != upper.value


def _joined_profiles(base: Node, over: Node) -> Node:
    if not base.is_mapping or not over.is_mapping:
        return over
    items, keys = dict(base.value), dict(base.keys)
    for name, profile in over.value.items():
        if profile.value is None:
            items.pop(name, None)
            keys.pop(name, None)
            continue
        below = items.get(name)
        items[name] = laid_over(below, profile, keep_empty=True) if below else profile
        keys[name] = over.keys[name]
    return Node(items, over.place, keys)


def _merged_mapping(base: Node, over: Node, keep_empty: bool) -> Node:
    items, keys = dict(base.value), dict(base.keys)
    for key, item in over.value.items():
        if item.value is None and not keep_empty:
            items.pop(key, None)
            keys.pop(key, None)
            continue
        below = items.get(key) or _nothing_below(item)
        items[key] = laid_over(below, item, keep_empty=keep_empty)
        keys[key] = over.keys[key]
    return Node(items, over.place, keys)


def _nothing_below(item: Node) -> Node:
    """What a new key is laid over; a whole plugin over itself, so that its empty options stay."""
    return Node({}, item.place) if item.is_mapping and item.get("use") is None else item


def _merged_list(base: Node, over: Node, keep_empty: bool) -> Node:
    changes = {_id(item): item for item in over.value}
    items = []
    for item in base.value:
        change = changes.pop(_id(item), None) if _id(item) else None
        items.append(laid_over(item, change, keep_empty=keep_empty) if change else item)
    return Node([*items, *changes.values()], over.place)


def _id(item: Node) -> str | None:
    found = item.get("id")
    return found.value if found and isinstance(found.value, str) else None
