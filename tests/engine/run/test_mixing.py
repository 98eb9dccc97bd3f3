"""The mix is drawn from what can be exported, as if its streams had nothing else."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import Context, Exporter, PluginRefused
from sftrecipe.errors import SftrecipeError
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.recipe.recipe import Block
from sftrecipe.record import Record, new_record
from sftrecipe.run.steps.mix_step import draw
from sftrecipe.run.steps.step_files import ROWS
from sftrecipe.store.rows import RowWriter, read_rows
from sftrecipe.store.streams import Stream
from sftrecipe_registry.mixers.weights.mixer import Weights

from ...support.plain_runs import examples

UNFIT: list[dict[str, Any]] = [
    {"output": None, "target": "x"},
    {"output": ""},
    {"output": "a <|im_end|> b"},
    {"output": None, "chosen": "x", "rejected": "y"},
    {"label": "👎"},
]
STREAMS = st.dictionaries(
    st.sampled_from("abc"),
    st.lists(st.sampled_from([*range(len(UNFIT)), *[None] * 9]), min_size=1, max_size=30),
    min_size=1,
)
OPTIONS = st.fixed_dictionaries(
    {
        "on_shortage": st.sampled_from(["error", "scale", "repeat"]),
        "by": st.sampled_from(["rows", "tokens"]),
    },
    optional={"total": st.integers(1, 400)},
)


def rows_of(name: str, kinds: list[int | None]) -> list[Record]:
    return [
        new_record(
            name,
            {
                "instruction": f"question {name} {at}",
                "output": "word " * (1 + at % 5),
                **({} if kind is None else UNFIT[kind]),
            },
        )
        for at, kind in enumerate(kinds)
    ]


def stored(folder: Path, name: str, rows: list[Record]) -> Stream:
    writer = RowWriter(folder / f"{name}.parquet")
    for row in rows:
        writer.write(row)
    writer.close()
    return Stream(name, folder / f"{name}.parquet")


def drawn(streams: dict[str, list[Record]], options: dict[str, Any]) -> tuple[Any, list[Record]]:
    """The facts and rows of a mix behind which LLaMA-Factory's exporter stands; or its refusal."""
    exporter = plugin_class("exporter", "llamafactory").model_validate({"preference": "none"})
    assert isinstance(exporter, Exporter)
    mixer = Weights.model_validate({"weights": dict.fromkeys(streams, 1) | {"a": 2}, **options})
    step = Step(
        Block("mix", "mix", "weights", mixer), "k", {}, tuple(streams), exporters=(exporter,)
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {each: stored(folder, each, rows) for each, rows in streams.items()}
        (folder / "draft").mkdir()
        facts = draw(step, found, Context("mix", seed=3), folder / "draft", lambda *_: None)
        return facts, list(read_rows(folder / "draft" / ROWS))


@settings(max_examples=examples(40), deadline=None)
@given(STREAMS, OPTIONS)
def test_the_mix_is_that_of_the_rows_that_can_be_exported(
    kinds: dict[str, list[int | None]], options: dict[str, Any]
) -> None:
    kinds.setdefault("a", [None])
    whole = {name: rows_of(name, each) for name, each in kinds.items()}
    # With `preference: none` pairs and labels beside an answer are the user's own affair.
    fit = {
        name: [row for row, kind in zip(rows, kinds[name], strict=True) if kind in (None, 4)]
        for name, rows in whole.items()
    }
    try:
        expected = drawn(fit, options)
    except (PluginRefused, SftrecipeError):
        expected = None
    try:
        facts, rows = drawn(whole, options)
    except (PluginRefused, SftrecipeError):
        assert expected is None
        return
    if expected is None:  # a stream that has nothing to give, and of which nothing is asked
        assert {row.id for row in rows} <= {row.id for each in fit.values() for row in each}
        return
    assert rows == expected[1]
    assert facts.mix is not None
    assert facts.mix.drawn == {name: Counter(row.stream for row in rows)[name] for name in whole}
    assert facts.made == sum(map(len, whole.values())) == facts.kept + facts.rejected
    lost = sum(map(len, whole.values())) - sum(map(len, fit.values()))
    assert facts.rejected - facts.reasons.get("not_drawn", 0) <= lost
