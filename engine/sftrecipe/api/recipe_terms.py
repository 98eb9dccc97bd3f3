"""Which recipe is meant, and what the user says of it: profile, variables, permissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sftrecipe.errors import Problem, RecipeError
from sftrecipe.recipe.load import check_recipe, profile_problems
from sftrecipe.recipe.reader.layers import compose
from sftrecipe.recipe.reader.node import Node
from sftrecipe.recipe.reader.paths import Roots
from sftrecipe.recipe.reader.yaml_reader import read_recipe_file
from sftrecipe.recipe.recipe import CheckedRecipe


@dataclass(frozen=True)
class RecipeTerms:
    """A recipe's file, and how it is to be read."""

    path: Path
    profile: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    """What replaces those of `vars`."""
    allow_paths: tuple[Path, ...] = ()
    allow_keys: tuple[tuple[str, str], ...] = ()
    """Pairs of environment variable and host."""
    allow: tuple[str, ...] = ()
    written: Node | None = None
    """What is read in the file's place."""

    def check_file(self) -> None:
        """Raises RecipeError where the file cannot be read, or holds no YAML."""
        if self.written is None:
            read_recipe_file(self.path)

    def name(self) -> str:
        """The recipe's name, as far as it can be read."""
        roots = Roots(self.path, self.allow_paths, self.variables)
        try:
            root = compose(
                self.path, roots,
                profile=self.profile, variables=self.variables, written=self.written,
            ).root  # fmt: skip
        except RecipeError:
            return (self.written and self.written.text("name")) or ""
        return str(root.text("name") or "")

    def checked(self, *, keys_later: bool = False) -> CheckedRecipe:
        """The recipe, checked; `keys_later`: its keys need not be set.

        Raises RecipeError with all its problems.
        """
        return check_recipe(
            self.path,
            profile=self.profile,
            variables=self.variables,
            allow_paths=self.allow_paths,
            allow_keys=self.allow_keys,
            allow=self.allow,
            keys_later=keys_later,
            written=self.written,
        )

    def problems(self) -> list[Problem]:
        """What is wrong with the recipe, in the order of the file; under any of its profiles where
        none is named."""
        try:
            problems = list(self.checked(keys_later=True).warnings)
        except RecipeError as error:
            problems = list(error.problems)
        if self.profile is None:
            others = profile_problems(
                self.path,
                variables=self.variables,
                allow_paths=self.allow_paths,
                allow=self.allow,
                written=self.written,
            )
            problems = [*others, *problems]  # told once, without the profile if it needs none
        return RecipeError(problems).problems
