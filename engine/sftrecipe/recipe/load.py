"""`check_recipe`: a file in, a recipe whose every mistake is known out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from sftrecipe.errors import Problem, RecipeError, is_wrong
from sftrecipe.plugin.base import OptionFiles
from sftrecipe.plugin.option_types import FileMarker, values_of
from sftrecipe.plugin.permission import Places
from sftrecipe.plugin.provider import Provider
from sftrecipe.recipe.blocks import BlockDraft, block_drafts
from sftrecipe.recipe.budgets import budget_of
from sftrecipe.recipe.checks import key_owners as vendors
from sftrecipe.recipe.checks.capabilities import ProviderCheck
from sftrecipe.recipe.checks.gates import check_gates, gates_of
from sftrecipe.recipe.checks.inputs import OptionCheck
from sftrecipe.recipe.checks.model_folders import place_models
from sftrecipe.recipe.checks.permissions import Consent, permission_problems
from sftrecipe.recipe.checks.references import StreamCheck
from sftrecipe.recipe.checks.request_options import steering_problems
from sftrecipe.recipe.checks.secrets import SecretCheck, environment, place_problems
from sftrecipe.recipe.checks.shape import shape_problems
from sftrecipe.recipe.checks.trained_models import check_trained, models_before_and_after
from sftrecipe.recipe.checks.trained_rows import trained_rows_problems
from sftrecipe.recipe.checks.withdrawn_models import withdrawn_problems
from sftrecipe.recipe.language.keys import RecipeShape
from sftrecipe.recipe.reader.layers import Composed, compose
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.overlay import without
from sftrecipe.recipe.reader.paths import Roots
from sftrecipe.recipe.recipe import Block, CheckedRecipe
from sftrecipe.recipe.sweep.comparability import SweepCheck

CATALOGUE = "dataset_info.json"


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
) -> CheckedRecipe:
    """Read and check a recipe: no network, no call, nothing written but what the user allows.

    `variables` replace those of `vars`; `allow_paths` are folders beside the recipe's own that it
    may read; `allow_keys` are pairs of environment variable and host, and `allow` words of
    permissions that the user gives, now and from now on. `keys_later`: nothing is asked, so that
    variables of the environment which are not set are the recipe's `warnings`. Raises RecipeError
    with all problems, in file order.
    """
    if allow_keys:
        vendors.remember_keys(allow_keys)
    roots, consent = Roots(path, allow_paths), Consent(path, allow)
    composed = compose(path, roots, profile=profile, variables=variables or {})
    terms = _Terms(path, roots, profile, variables or {}, consent, keys_later)
    check = _RecipeCheck(terms, composed)
    recipe = check.recipe()
    written = composed.root.get("sweep")
    if written is None or not written.is_mapping:
        if recipe is None:
            raise RecipeError(check.problems)
        return recipe
    sweeping = SweepCheck(written, composed, partial(_checked, terms))
    sweep = sweeping.sweep(check.problems)
    if recipe is None or sweep is None:
        raise RecipeError(check.problems)
    return replace(recipe, sweep=sweep, warnings=tuple(check.problems))


def _checked(terms: _Terms, composed: Composed) -> tuple[CheckedRecipe | None, list[Problem]]:
    """A variant's recipe, or its problems."""
    check = _RecipeCheck(terms, composed)
    return check.recipe(), check.problems


def profile_problems(
    path: Path,
    *,
    variables: Mapping[str, str] | None = None,
    allow_paths: Sequence[Path] = (),
    allow: Collection[str] = (),
) -> list[Problem]:
    """What is wrong with a recipe under any of its profiles, unset variables of the environment
    aside: who uses one profile need not have the keys of another."""
    try:
        composed = compose(path, Roots(path, allow_paths), profile=None, variables=variables or {})
    except RecipeError:
        return []
    profiles = composed.written.get("profiles")
    found: list[Problem] = []
    for name in profiles.value if profiles and profiles.is_mapping else ():
        try:
            check_recipe(
                path,
                profile=name,
                variables=variables,
                allow_paths=allow_paths,
                allow=allow,
                keys_later=True,
            )
        except RecipeError as error:
            found += [
                _in_profile(problem, name)
                for problem in error.problems
                if problem.severity == "error"
            ]
    return found


def _in_profile(problem: Problem, name: str) -> Problem:
    """The problem, with the profile as its hint where it has no other."""
    values = {**problem.values, "profile": name}
    return replace(problem, values=values, hint=problem.hint or "in-profile")


class _RecipeCheck:
    """One recipe being checked; every stage goes on as far as the ones before it let it."""

    def __init__(self, terms: _Terms, composed: Composed) -> None:
        self.problems = composed.problems
        self._path = terms.path
        self._root = without(composed.root, "sweep")
        self._written = composed.written
        self._roots = terms.roots
        self._profile = terms.profile
        self._variables = terms.variables
        self._keys_later = terms.keys_later
        self._consent = terms.consent
        self._check_shape(composed)

    def recipe(self) -> CheckedRecipe | None:
        """The recipe; None where there are problems."""
        blocks = block_drafts(self._root, self.problems)
        blocks = [*models_before_and_after(blocks, self._path.parent), *blocks]
        place_models(self._root, blocks)
        check_trained(self._root, blocks, self.problems)
        check_gates(self._root, blocks, self.problems)
        graph = StreamCheck(self._root, blocks, self.problems)
        inputs = graph.inputs()
        self._check_secrets(blocks)
        reading = OptionCheck(self._root, self._roots, inputs, self.problems, self._language())
        reading.check(blocks)
        self.problems.extend(
            trained_rows_problems(self._root, blocks, inputs, reading.input_columns)
        )
        self.problems.extend(self._without_permission(blocks))
        catalogue = self._catalogue()
        if is_wrong(self.problems):
            return None
        made = [_block(draft, self._root, inputs[draft], reading) for draft in blocks]
        return self._assembled(made, catalogue)

    def _language(self) -> str:
        written = self._root.get("language")
        default: str = RecipeShape.model_fields["language"].default
        return written.value if written and isinstance(written.value, str) else default

    def _check_shape(self, composed: Composed) -> None:
        """Shape of the whole document; profiles other than the chosen one included."""
        profiles = composed.written.get("profiles")
        root = composed.root
        whole = root
        if profiles is not None:
            keys = {**root.keys, "profiles": composed.written.keys["profiles"]}
            whole = Node({**root.value, "profiles": profiles}, root.place, keys)
        try:
            RecipeShape.model_validate_json(orjson.dumps(whole.plain()), strict=True)
        except ValidationError as error:
            self.problems.extend(shape_problems(error, RecipeShape, whole))

    def _check_secrets(self, blocks: Sequence[BlockDraft]) -> None:
        self.problems.extend(place_problems(self._root))
        self.problems.extend(place_problems(self._written))
        asked = ProviderCheck(self._root, blocks, self.problems).asked()
        self.problems.extend(steering_problems(self._root, blocks))
        secrets = SecretCheck(self._root, vendors.allowed_keys(), environment())
        for draft in blocks:
            if draft.section.name == "providers":
                found = secrets.problems(draft, asked=draft in asked)
                self.problems.extend(map(self._weighed, found))
                if draft.whole and not is_wrong(self.problems):
                    self.problems.extend(withdrawn_problems(draft, self._root, date.today()))

    def _weighed(self, problem: Problem) -> Problem:
        """The problem, a warning where it only stands in the way of asking."""
        later = self._keys_later and problem.slug == "unset-environment"
        return replace(problem, severity="warning") if later else problem

    def _without_permission(self, blocks: Sequence[BlockDraft]) -> list[Problem]:
        places = Places(self._path.absolute().parent, self._roots.folders)
        return list(permission_problems(blocks, self._root, places, self._consent))

    def _catalogue(self) -> Path | None:
        """The project's catalogue, where the recipe asks to be entered there."""
        asked = self._root.get("register")
        if asked is None or asked.value is not True:
            return None
        folder = self._path.resolve().parent
        for up in (folder, *folder.parents):
            if (up / CATALOGUE).is_file():
                return up / CATALOGUE
            if (up / ".git").exists():
                break
        self.problems.append(Problem("no-catalogue", asked.place, {}, "create-catalogue"))
        return None

    def _assembled(self, blocks: Sequence[Block], catalogue: Path | None) -> CheckedRecipe:
        document: dict[str, Any] = self._root.plain()
        sections: dict[str, list[Block]] = {}
        for block in blocks:
            sections.setdefault(block.section, []).append(block)

        def several(section: str) -> tuple[Block, ...]:
            return tuple(sections.get(section, ()))

        def single(section: str) -> Block | None:
            return next(iter(several(section)), None)

        return CheckedRecipe(
            name=document["name"],
            path=self._path,
            seed=document.get("seed", RecipeShape.model_fields["seed"].default),
            language=document.get("language", RecipeShape.model_fields["language"].default),
            document=document,
            providers={block.id: block for block in several("providers")},
            sources={block.id: block for block in several("sources")},
            generate=several("generate"),
            filter=several("filter"),
            mix=single("mix"),
            export=several("export"),
            train=several("train"),
            evaluate=several("evaluate"),
            budget=budget_of(document.get("budget")),
            profile=self._profile,
            set_variables=self._variables,
            register_in=catalogue,
            warnings=tuple(self.problems),
            allowed=frozenset(self._consent.given),
            readable=self._roots.folders,
        )


def _block(draft: BlockDraft, root: Node, inputs: tuple[str, ...], reading: OptionCheck) -> Block:
    if draft.plugin is None:
        raise AssertionError("a block without a plugin and without a problem")
    raw, files = draft.node.plain(), reading.files[draft]
    return Block(
        section=draft.section.name,
        id=draft.id,
        use=draft.use,
        plugin=_placed(draft.plugin, files) if isinstance(draft.plugin, Provider) else draft.plugin,
        inputs=inputs,
        provider=draft.text("provider") if draft.section.name != "providers" else None,
        files=files,
        position=draft.place(root),
        raw=raw,
        # Beside `use`, `budget` is an option of the plugin's own.
        budget=budget_of(None if draft.section.beside else raw.get("budget")),
        gates=gates_of(draft),
    )


def _placed(provider: Provider, files: OptionFiles) -> Provider:
    """The provider with its files' absolute paths: it is connected where no recipe is at hand."""
    found = {str(path[0]): files.paths[value] for path, _, value in values_of(provider, FileMarker)}
    return provider.model_copy(update=found) if found else provider
