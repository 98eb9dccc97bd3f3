"""`check_recipe`: a file in, a recipe whose every mistake is known out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, partial
from pathlib import Path
from typing import Any

from sftrecipe.errors import Position, Problem, RecipeError, is_wrong
from sftrecipe.plugin.base import OptionFiles
from sftrecipe.plugin.option_types import FileMarker, values_of
from sftrecipe.plugin.permission import Places
from sftrecipe.plugin.provider import Provider
from sftrecipe.recipe.blocks import BlockDraft, block_drafts, of_section
from sftrecipe.recipe.checks.block_options import OptionCheck
from sftrecipe.recipe.checks.capabilities import ProviderCheck
from sftrecipe.recipe.checks.gate_rows import gate_rows_problems
from sftrecipe.recipe.checks.gates import gate_problems, gates_of
from sftrecipe.recipe.checks.misplaced import is_of_another_tool, put_right, sections_by_name
from sftrecipe.recipe.checks.permissions import Consent, permission_problems
from sftrecipe.recipe.checks.references import StreamCheck
from sftrecipe.recipe.checks.request_options import request_problems
from sftrecipe.recipe.checks.secrets import (
    SecretCheck,
    allowed_keys,
    environment,
    place_problems,
    remember_keys,
)
from sftrecipe.recipe.checks.shape import document_problems
from sftrecipe.recipe.checks.trained_models import (
    models_before_and_after,
    place_models,
    training_problems,
)
from sftrecipe.recipe.checks.trained_rows import trained_rows_problems
from sftrecipe.recipe.checks.withdrawn_models import withdrawn_problems
from sftrecipe.recipe.language.keys import RecipeShape
from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.recipe.project_marks import CATALOGUE, CLONE
from sftrecipe.recipe.reader.layers import RecipeDocument, compose, without
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.paths import Roots
from sftrecipe.recipe.reader.yaml_reader import read_recipe_file
from sftrecipe.recipe.recipe import Block, CheckedRecipe, budget_of
from sftrecipe.recipe.sweep.sweep_check import SweepCheck


@dataclass(frozen=True)
class _Terms:
    """What the user said of a recipe on the command line."""

    path: Path
    roots: Roots
    profile: str | None
    variables: Mapping[str, str]
    consent: Consent
    keys_later: bool


def check_recipe(
    path: Path,
    *,
    profile: str | None = None,
    variables: Mapping[str, str] | None = None,
    allow_paths: Sequence[Path] = (),
    allow_keys: Collection[tuple[str, str]] = (),
    allow: Collection[str] = (),
    keys_later: bool = False,
    written: Node | None = None,
) -> CheckedRecipe:
    """Read and check a recipe: no network, no call, nothing written but what the user allows.

    `variables` replace those of `vars`; `allow_paths` are folders beside the recipe's own that it
    may read, as it may what `variables` name by an absolute path; `allow_keys` are pairs of
    environment variable and host, and `allow` words of permissions that the user gives, now and
    from now on. `keys_later`: nothing is asked, so that variables of the environment which are not
    set are the recipe's `warnings`. `written` is read in the file's place, which there need not be.
    Raises RecipeError with all problems, in file order.
    """
    if allow_keys:
        remember_keys(allow_keys)
    roots, consent = Roots(path, allow_paths, variables), Consent(path, allow)
    terms = _Terms(path, roots, profile, variables or {}, consent, keys_later)
    document = compose(path, roots, profile=profile, variables=terms.variables, written=written)
    recipe, problems = _checked(terms, document)
    asked, sweep = document.root.get("sweep"), None
    if asked is not None and asked.is_mapping:
        sweep = SweepCheck(asked, document, partial(_checked, terms)).sweep(problems)
        recipe = recipe if sweep else None
    if recipe is None:
        raise RecipeError(problems)
    return replace(recipe, sweep=sweep, warnings=tuple(problems))


def profile_problems(
    path: Path,
    *,
    variables: Mapping[str, str] | None = None,
    allow_paths: Sequence[Path] = (),
    allow: Collection[str] = (),
    written: Node | None = None,
) -> list[Problem]:
    """What is wrong with a recipe under any of its profiles, unset variables of the environment
    aside: who uses one profile need not have the keys of another."""
    roots = Roots(path, allow_paths, variables)
    try:
        written = written or read_recipe_file(path)  # once for all of them
        document = compose(path, roots, profile=None, variables=variables or {}, written=written)
    except RecipeError:
        return []
    if sections_by_name(document.root).keys != document.root.keys:
        return []  # a profile changes sections by their names
    profiles = document.written.get("profiles")
    problems: list[Problem] = []
    for name in profiles.value if profiles and profiles.is_mapping else ():
        try:
            check_recipe(
                path,
                profile=name,
                variables=variables,
                allow_paths=allow_paths,
                allow=allow,
                keys_later=True,
                written=written,
            )
        except RecipeError as error:
            problems += [
                _in_profile(problem, name)
                for problem in error.problems
                if problem.severity == "error"
            ]
    return problems


def _in_profile(problem: Problem, name: str) -> Problem:
    """The problem, with the profile as its hint where it has no other."""
    values = {**problem.values, "profile": name}
    return replace(problem, values=values, hint=problem.hint or "in-profile")


def _checked(terms: _Terms, document: RecipeDocument) -> tuple[CheckedRecipe | None, list[Problem]]:
    """The recipe of a document, None where it is wrong, and all problems: every check goes on as
    far as the ones before it let it."""
    problems = document.problems
    if is_of_another_tool(document.root):
        problems.append(Problem("not-a-recipe", _first_key(document.root), {}, "start-a-recipe"))
        return None, problems
    document = replace(document, root=put_right(document.root, problems))
    root = without(document.root, "sweep")
    problems += document_problems(document)
    drafts = block_drafts(root, problems)
    drafts = [*models_before_and_after(drafts, terms.path.parent, terms.roots), *drafts]
    problems += place_models(root, drafts, terms.roots)
    problems += training_problems(root, drafts)
    problems += gate_problems(root, drafts)
    inputs = StreamCheck(root, drafts, problems).inputs()
    problems += place_problems(root)
    problems += place_problems(sections_by_name(document.written))
    asked = ProviderCheck(root, drafts, problems).asked()
    problems += request_problems(root, drafts)
    _check_providers(root, drafts, asked, problems, keys_later=terms.keys_later)
    options = OptionCheck(root, terms.roots, inputs, problems, _language(root))
    options.check(drafts)
    problems += trained_rows_problems(root, drafts, inputs, options.input_columns)
    problems += gate_rows_problems(root, drafts, cache(options.source_rows))
    places = Places(terms.path.absolute().parent, terms.roots.folders)
    problems += permission_problems(drafts, root, places, terms.consent, terms.roots)
    catalogue = _catalogue(root, terms, problems)
    if is_wrong(problems):
        return None, problems
    blocks = [_block(draft, root, inputs[draft], options) for draft in drafts]
    return _recipe(terms, root, blocks, catalogue, document.layers), problems


def _first_key(root: Node) -> Position:
    return next(iter(root.keys.values()), root.place)


def _language(root: Node) -> str:
    default: str = RecipeShape.model_fields["language"].default
    written = root.text("language")
    return default if written is None else written


def _check_providers(
    root: Node,
    drafts: Sequence[BlockDraft],
    asked: Sequence[BlockDraft],
    problems: list[Problem],
    *,
    keys_later: bool,
) -> None:
    """The keys and addresses of the providers, and whether their models are still served."""
    secrets = SecretCheck(root, allowed_keys(), environment())
    for draft in of_section(drafts, "providers"):
        for problem in secrets.problems(draft, asked=draft in asked):
            later = keys_later and problem.slug == "unset-environment"
            problems.append(replace(problem, severity="warning") if later else problem)
        if draft.whole and not is_wrong(problems):
            problems += withdrawn_problems(draft, root, date.today())


def _catalogue(root: Node, terms: _Terms, problems: list[Problem]) -> Path | None:
    """The project's catalogue, where the recipe itself asks to be entered there."""
    asked = root.get("register")
    if asked is None or asked.value is not True:
        return None
    if (preset := terms.roots.preset_of(asked.written_at)) is not None:
        values = {"preset": preset.name}
        problems.append(Problem("preset-register", asked.place, values, "preset-say-register"))
        return None
    folder = terms.path.resolve().parent
    for up in (folder, *folder.parents):
        if (up / CATALOGUE).is_file():
            return up / CATALOGUE
        if (up / CLONE).exists():
            break
    problems.append(Problem("no-catalogue", asked.place, {}, "create-catalogue"))
    return None


def _block(draft: BlockDraft, root: Node, inputs: tuple[str, ...], options: OptionCheck) -> Block:
    if draft.plugin is None:
        raise AssertionError("a block without a plugin and without a problem")
    raw, files = draft.node.plain(), options.files[draft]
    return Block(
        section=draft.section.name,
        id=draft.id,
        use=draft.use,
        plugin=_placed(draft.plugin, files) if isinstance(draft.plugin, Provider) else draft.plugin,
        inputs=inputs,
        provider=draft.provider,
        files=files,
        position=draft.place(root),
        folder=options.preset_folder(draft),
        raw=raw,
        budget=budget_of(raw.get("budget") if draft.section.takes("budget") else None),
        gates=gates_of(draft),
    )


def _placed(provider: Provider, files: OptionFiles) -> Provider:
    """The provider with its files' absolute paths: it is connected where no recipe is at hand."""
    paths = {str(path[0]): files.paths[value] for path, _, value in values_of(provider, FileMarker)}
    return provider.model_copy(update=paths) if paths else provider


def _recipe(
    terms: _Terms,
    root: Node,
    blocks: Sequence[Block],
    catalogue: Path | None,
    layers: tuple[Path, ...],
) -> CheckedRecipe:
    document: dict[str, Any] = root.plain()
    sections: dict[str, tuple[Block, ...]] = dict.fromkeys(SECTIONS, ())
    for block in blocks:
        sections[block.section] += (block,)
    return CheckedRecipe(
        name=document["name"],
        path=terms.path,
        seed=document.get("seed", RecipeShape.model_fields["seed"].default),
        language=document.get("language", RecipeShape.model_fields["language"].default),
        document=document,
        sections=sections,
        budget=budget_of(document.get("budget")),
        profile=terms.profile,
        set_variables=terms.variables,
        register_in=catalogue,
        allowed=frozenset(terms.consent.given),
        readable=terms.roots.folders,
        presets=terms.roots.presets,
        layers=layers,
    )
