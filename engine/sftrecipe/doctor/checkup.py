"""All the checks, in the order in which they are told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sftrecipe.calls.session import providers_folder
from sftrecipe.doctor.doctor_finding import DoctorFinding, raised
from sftrecipe.doctor.machine_check import (
    check_folders,
    check_installation,
    check_ledger,
    check_plugins,
    room_needed,
)
from sftrecipe.doctor.provider_check import CallTerms, check_providers
from sftrecipe.doctor.recipe_check import check_plugins_needs, check_prices, check_withdrawals
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.base import CheckState
from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.run.progress import Progress
from sftrecipe.store.project import Project


async def check_up(
    recipe: CheckedRecipe | None,
    project: Project,
    out: Path | None,
    progress: Progress,
    *,
    seconds: float,
    offline: bool = False,
) -> list[DoctorFinding]:
    """Check the installation, the project's folder and ledger and, with a recipe, all it needs.

    Writes nothing that stays. Every provider is asked for each thing that the recipe needs of it,
    once, past the ledger: a kept reply would not tell whether the server answers today. `seconds`
    are for one call; `offline` asks nobody.
    """
    # The plugins of a recipe that is checked are whole: others that are not do not stop it.
    broken: CheckState = "fault" if recipe is None else "warning"
    findings = [*check_installation(), *check_plugins(broken)]
    folders = [project.folder, *([out] if out else [])]
    findings += check_folders(folders, room_needed(recipe))
    try:
        findings += check_ledger(project.ledger)
    except SftrecipeError as error:  # the project's folder is linked elsewhere
        findings.append(raised("ledger", "", error))
        return findings
    if recipe is None:
        return findings
    needs = list(check_plugins_needs(recipe))
    findings += needs
    if not offline:
        asked = CallTerms(providers_folder(project.ledger), seconds, progress.line)
        lacking = {need.subject for need in needs if need.state == "fault"}
        findings += await check_providers(recipe, asked, lacking)
    findings += check_withdrawals(recipe, date.today(), offline=offline)
    return [*findings, *check_prices(recipe)]
