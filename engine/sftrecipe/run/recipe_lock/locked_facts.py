"""The facts that a lock would hold now: nothing is asked and nothing executed for them.

Nothing of this machine is among them, neither paths nor versions of Python or of the system: who
makes the lock elsewhere from the same files gets the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import orjson

from sftrecipe.calls.limits.prices import currency_of, looked_up
from sftrecipe.plan.steps import Plan, Step, hashed, plan_recipe
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.discovery import plugins
from sftrecipe.plugin.package_source import source_files
from sftrecipe.plugin.provider import Price
from sftrecipe.plugin.trainer import Trainer
from sftrecipe.plugin.vendors.vendor_facts import facts_date
from sftrecipe.recipe.language.sections import REACHES, SECTIONS
from sftrecipe.recipe.recipe import Block, CheckedRecipe
from sftrecipe.run.contexts import asked_providers
from sftrecipe.run.recipe_lock.lock_contents import UNKNOWN, FactPath, RecipeLock
from sftrecipe.run.recipe_lock.locked_files import file_facts, layer_facts
from sftrecipe.run.recipe_lock.made_data import made_facts
from sftrecipe.run.recipe_lock.told_models import told_facts
from sftrecipe.store.project import Project

_LONGEST = 160
"""Characters of a value that stands in the lock as it is; of longer ones its hash does."""
_Fact = tuple[FactPath, Any]


def current_lock(recipe: CheckedRecipe, project: Project, *, made: bool = True) -> RecipeLock:
    """The recipe's lock as things stand: data and replies are those of the last finished run of
    the same steps in this project, as far as there was one; without the data unless `made`, for
    which every row is read.

    Raises SftrecipeError where a file cannot be read.
    """
    plan = plan_recipe(recipe, project, REACHES[-1])
    return RecipeLock({
        **dict(_head(recipe)),
        **dict(sorted(_packages(plan))),
        **dict(sorted(_plugins(plan))),
        **dict(layer_facts(plan)),
        **dict(_steps(plan)),
        **dict(sorted(file_facts(plan))),
        **dict(sorted(_models(plan))),
        **dict(_prices(plan)),
        **dict(told_facts(_asked(plan), recipe.name, project.ledger)),
        **dict(made_facts(plan) if made else ()),
    })  # fmt: skip


def _head(recipe: CheckedRecipe) -> Iterator[_Fact]:
    yield ("recipe",), recipe.path.name
    if recipe.profile is not None:
        yield ("profile",), recipe.profile
    for name, value in sorted(recipe.set_variables.items()):
        yield ("set", name), str(value)
    yield ("name",), recipe.name
    yield ("seed",), recipe.seed
    yield ("language",), recipe.language


def _blocks(plan: Plan) -> list[Block]:
    """The blocks of the steps, and the providers that they ask."""
    return [*(step.block for step in plan.steps), *_asked(plan).values()]


def _asked(plan: Plan) -> dict[str, Block]:
    """The providers that the steps ask, by name, in its order."""
    asked = asked_providers(plan.recipe, (step.block for step in plan.steps))
    return dict(sorted(asked.items()))


def _package_of(block: Block) -> str:
    """The package that ships a block's plugin, as its installer calls it."""
    found = plugins(SECTIONS[block.section].kind).get(block.use)
    if found is not None and found.entry.dist is not None:
        return found.entry.dist.name
    return block.package


def _packages(plan: Plan) -> Iterator[_Fact]:
    for name in {"sftrecipe", *map(_package_of, _blocks(plan))}:
        try:
            yield ("packages", name), version(name)
        except PackageNotFoundError:
            continue
    for block in _blocks(plan):
        for name, found in block.plugin.programs().items():
            section = "packages" if isinstance(block.plugin, Trainer) else "programs"
            yield (section, name), found or UNKNOWN


def _plugins(plan: Plan) -> Iterator[_Fact]:
    for block in _blocks(plan):
        kind = SECTIONS[block.section].kind
        told = f"{_package_of(block)}, version {block.plugin.version}"
        if source_files(type(block.plugin)):  # somebody may be editing it
            told += f", blake2b:{hashed(plan.files.source(block))}"
        yield ("plugins", f"{kind}.{block.use}"), told


def _steps(plan: Plan) -> Iterator[_Fact]:
    for step in plan.steps:
        yield from ((("steps", step.id, *path), value) for path, value in _deciding(step))
        if texts := plan.files.texts(step.block):
            yield ("steps", step.id, "read_as"), f"blake2b:{hashed(texts)}"


def _deciding(step: Step) -> Iterator[_Fact]:
    """What decides a step's result, but for files, models and code."""
    block = step.block
    yield ("use",), f"{SECTIONS[block.section].kind}.{block.use}"
    if step.reads or step.after:
        yield ("reads",), [*step.reads, *(each for each in step.after if each not in step.reads)]
    if block.provider is not None:
        yield ("provider",), block.provider
    usual = _usual(block.plugin)
    for name, value in sorted(block.plugin.identity().items()):
        if name not in usual or value != usual[name]:
            yield from _flat((name,), value, usual.get(name))


def _usual(plugin: Plugin) -> dict[str, object]:
    """What the identity of a plugin's options is at their defaults."""
    defaults = {
        name: field.get_default(call_default_factory=True)
        for name, field in type(plugin).model_fields.items()
        if not field.is_required()
    }
    usual = plugin.model_copy(update=defaults).identity()
    return {name: _plain(value) for name, value in usual.items() if name in defaults}


def _plain(value: Any) -> Any:
    try:
        return orjson.loads(orjson.dumps(value, default=_dumped))
    except (TypeError, ValueError):
        return value


def _dumped(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return list(value)
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else str(value)


def _flat(path: FactPath, value: Any, default: Any = None) -> Iterator[_Fact]:
    """A value's facts: mappings key by key, without what is as it is by default; what is long by
    its hash."""
    if isinstance(value, Mapping) and value:
        usual = default if isinstance(default, Mapping) and default.keys() <= value.keys() else {}
        for name, inner in sorted(value.items(), key=lambda each: str(each[0])):
            if name not in usual or usual[name] != inner:
                yield from _flat((*path, str(name)), inner, usual.get(name))
        return
    if isinstance(value, Mapping):
        yield path, "{}"
        return
    written = orjson.dumps(value, default=str).decode()
    is_short = len(written) <= _LONGEST and not (isinstance(value, list) and "{" in written)
    plain = str(value) if isinstance(value, str) else orjson.loads(written)
    if is_short and plain != UNKNOWN:
        yield path, plain
    else:
        yield path, f"{len(written)} characters, blake2b:{hashed(value)}"


def _models(plan: Plan) -> Iterator[_Fact]:
    for name, provider in _asked(plan).items():
        yield ("models", name, "use"), f"provider.{provider.use}"
        for key, value in provider.plugin.identity().items():
            if isinstance(value, str) and value.startswith("${env:"):
                yield ("models", name, key), UNKNOWN
            elif value is not None:
                yield from _flat(("models", name, key), value)


def _prices(plan: Plan) -> Iterator[_Fact]:
    recipe = plan.recipe
    currency = currency_of([recipe.budget, *(step.block.budget for step in plan.steps)])
    for name, block in _asked(plan).items():
        provider: Any = block.plugin
        price, of_vendors = provider.price, False
        if price is None:
            price, of_vendors = looked_up(provider, currency)
        if price is not None and not price.free:
            yield from _price_facts(name, price)
            source = "recipe" if provider.price is not None else "litellm"
            yield ("prices", name, "from"), "vendors" if of_vendors else source
            if of_vendors:
                yield ("prices", name, "date"), facts_date().isoformat()


def _price_facts(name: str, price: Price) -> Iterator[_Fact]:
    yield ("prices", name, "currency"), price.currency
    yield ("prices", name, "input"), price.input
    yield ("prices", name, "output"), price.output
    if price.cached_input is not None:
        yield ("prices", name, "cached_input"), price.cached_input
