"""`sftrecipe train`: make the data of a recipe, then train on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sftrecipe.cli.recipe_options import checked, recipe_options
from sftrecipe.cli.running import checked_and_run, output_folder, run_options


@click.command()
@recipe_options
@run_options
@click.option("--check", is_flag=True, help="Only check data and arguments; train nothing.")
def train(check: bool, out: Path | None, **options: Any) -> int:
    """Make the data of a recipe and train on it; what is done already is not done again.

    `--check` tells what the training would fail on, or suffer from, once the data is made. Its exit
    status is 1 where the training would be refused.
    """
    if not check:
        checked_and_run(to="train", out=out, **options)
        return 0
    return _check(out, options)


def _check(out: Path | None, options: dict[str, Any]) -> int:
    """Print the findings; the exit status."""
    from sftrecipe.messages import message  # noqa: PLC0415
    from sftrecipe.run.requirements import check_trainings  # noqa: PLC0415
    from sftrecipe.run.steps.train_step import finding_text  # noqa: PLC0415
    from sftrecipe.store.project import project_of  # noqa: PLC0415

    names = ("recipe", "profile", "variables", "allow_paths", "allow_keys", "allow")
    recipe = checked(**{name: options[name] for name in names}, keys_later=True)
    project = project_of(recipe.path)
    found = check_trainings(recipe, project, output_folder(recipe, project, out))
    faults = sum(finding.state == "fault" for _, finding in found)
    if options["as_json"]:
        import json  # noqa: PLC0415

        facts = [{"train": block, **finding._asdict()} for block, finding in found]
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    elif not options["quiet"]:
        for block, finding in found:
            click.echo(finding_text(block, finding))
        warnings = len(found) - faults
        click.echo(message("check-outcome", {"faults": faults, "warnings": warnings}))
    return 1 if faults else 0
