"""AugCon's pairs as reward data: every pair is an example of LLaMA-Factory's stage rm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sftrecipe import Context, Record
from sftrecipe.testing import FakeModel, RowList, own_files
from sftrecipe_registry.methods.augcon.pairs import AugConPairs

from ...support.exports import Exported, export
from ...support.training_environment import ABSENT, training_python
from ...support.training_model import answered, small_model


@pytest.fixture(name="exported")
async def pairs(tmp_path: Path) -> Exported:
    """Twenty pairs, made as a recipe makes them."""
    plugin = AugConPairs(split="middle")
    model = FakeModel(lambda _: " What is it?")
    questions = RowList.of(
        *({"instruction": f"Why {n}?", "context": f"It is {n}. So be it."} for n in range(20))
    )
    ctx = Context("pairs", models={"": model}, files=own_files(plugin))
    made = [item async for item in plugin.generate(questions, ctx)]
    rows = RowList(item for item in made if isinstance(item, Record))
    return export("llamafactory", rows, tmp_path, name="pairs", preference="ranking")


async def test_pairs_are_ranked(exported: Exported) -> None:
    assert exported.reasons == []
    rows = exported.rows()
    assert len(rows) == 20
    assert rows[3] == {
        "instruction": "Context: It is 3. So be it.\n\nWrite a question about the context.",
        "input": "",
        "chosen": "Why 3?",
        "rejected": "What is it?",
    }
    entry = json.loads((exported.folder / "dataset_info.json").read_bytes())["pairs"]
    assert entry["ranking"] is True
    assert (entry["columns"]["chosen"], entry["columns"]["rejected"]) == ("chosen", "rejected")


@pytest.mark.heavy
async def test_every_pair_is_an_example(
    exported: Exported, tmp_path_factory: pytest.TempPathFactory
) -> None:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    model = small_model(tmp_path_factory.mktemp("model"))
    case = {"dataset_dir": str(exported.folder), "dataset": "pairs", "stage": "rm"}
    (answer,) = answered(python, [{**case, "template": "smollm2", "model": str(model)}])
    assert answer["error"] is None
    assert (answer["rows"], answer["examples"], answer["dropped"]) == (20, 20, 0)
    learned = "".join(run["text"] for run in answer["first"][0]["chosen"] if run["learned"])
    assert learned == "Why 0?<|im_end|>\n"
