"""What our own exporter writes, whatever the rows, has no fault; and our count is the loader's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sftrecipe import PluginRefused
from sftrecipe.testing import RowList
from sftrecipe_registry.llamafactory import trainer as llamafactory
from sftrecipe_registry.llamafactory.preflight.catalogue import Attributes, Catalogue
from sftrecipe_registry.llamafactory.preflight.data import DataCheck
from sftrecipe_registry.llamafactory.training import environment as training_environment

from ...support.exports import Exported, export
from ...support.training_environment import ABSENT, training_python
from ...support.training_model import answered, small_model
from .preflight_cases import CASES, Case
from .preflighting import faults, preflight, write_data
from .test_export_properties import COLUMNS, OPTIONS
from .test_loader import LOADINGS, Loading


@pytest.fixture(autouse=True, scope="module")
def no_environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_environment, "_places", lambda: iter(()))
        llamafactory.argument_table.cache_clear()
        yield
    llamafactory.argument_table.cache_clear()


@pytest.mark.parametrize("loading", LOADINGS, ids=lambda loading: loading.name)
def test_no_kind_of_export_has_a_fault(loading: Loading, tmp_path: Path) -> None:
    made = export("llamafactory", RowList.of(*loading.rows), tmp_path, **loading.options)
    assert faults(preflight(tmp_path, made.sets, stage=loading.stage)) == []
    assert checked(tmp_path, "demo", loading.stage).good == len(loading.rows)


def stage_of(made: Exported) -> str:
    """A stage that the data set is for."""
    entry = made.sets[0].entry or {}
    if entry["ranking"]:
        return "rm"
    if entry["columns"]["kto_tag"]:
        return "kto"
    return "pt" if entry["columns"]["prompt"] == "text" else "sft"


@settings(max_examples=150, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(COLUMNS, min_size=1, max_size=6), OPTIONS)
def test_no_export_has_a_fault(columns: list[dict[str, Any]], options: dict[str, Any]) -> None:
    if options["formatting"] == "text":
        options.pop("preference", None)
    options.pop("holdout", None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            made = export("llamafactory", RowList.of(*columns), folder, **options)
        except PluginRefused:
            return
        found = faults(preflight(folder, made.sets, stage=stage_of(made)))
        # The pictures that these rows name do not exist.
        assert [each for each in found if each.check != "media"] == []
        assert checked(folder, "demo", stage_of(made)).good == made.sets[0].rows


def checked(folder: Path, name: str, stage: str) -> DataCheck:
    """A data set after its check."""
    catalogue = Catalogue(folder, str(folder))
    assert list(catalogue.read()) == []
    attributes = next(
        each for each in catalogue.look_up(name, stage) if isinstance(each, Attributes)
    )
    check = DataCheck(attributes, stage, folder, None)
    list(check.findings())
    return check


def loadable(case: Case) -> bool:
    """Cases where LLaMA-Factory gets as far as counting.

    Of a short row of a table the values are not looked at: it is told and not counted.
    """
    if case.name == "short_row_in_a_table":
        return False
    return case.outcome != "fails" and not case.dataset and not case.arguments


@pytest.mark.heavy
def test_our_count_of_good_rows_is_the_loaders(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    model = str(small_model(tmp_path_factory.mktemp("model")))
    cases = [case for case in CASES if loadable(case)]
    for case in cases:
        write_data(tmp_path, f"{case.name}.{case.suffix}", case.content, case.entry)
    asked = [
        {
            **{"dataset_dir": str(tmp_path), "dataset": case.name, "stage": case.stage},
            **{"template": "smollm2", "model": model},
        }
        for case in cases
    ]
    ours = [checked(tmp_path, case.name, case.stage) for case in cases]
    theirs = answered(python, asked)
    assert [
        (case.name, check.rows, check.good) for case, check in zip(cases, ours, strict=True)
    ] == [
        (case.name, answer["rows"], answer["examples"] or 0)
        for case, answer in zip(cases, theirs, strict=True)
    ]
