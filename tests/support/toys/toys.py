"""Plugins that train and judge in no time, as a package of somebody else's.

The model is a file with the share of rows that begin with `a`, the rate and the seed; its loss on a
question is lowest at a share of 0.4, and each question is of its own difficulty.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

from sftrecipe import Context, Judge, PluginRefused, Provider, Rows, Trainer
from sftrecipe.plugin import (
    Answer,
    Capability,
    Connecting,
    Expected,
    Judgement,
    ModelName,
    Request,
    Trained,
    Training,
)


class ToyTrainer(Trainer):
    """Writes the share of rows that begin with `a`."""

    rate: float = 1.0
    """Above 5 the training fails; -1: it is interrupted."""
    seed: int = 0
    """Moves the loss a little."""

    def write_config(self, training: Training) -> Path:
        with training.create("train.json") as file:
            file.write(json.dumps({"rate": self.rate}).encode())
        return training.folder / "train.json"

    async def train(self, training: Training, config: Path) -> Trained:
        _write_down(f"{training.folder.name} {self.rate:g} {self.seed}")
        if self.rate > 5:
            raise PluginRefused("the rate is absurd")
        if self.rate == -1 and not os.environ.get("TOY_GOES_ON"):
            raise KeyboardInterrupt
        rows = [
            row
            for data in training.data
            if data.role == "train"
            for file in data.files
            for row in map(json.loads, (training.folder / file).read_text().splitlines())
        ]
        share = sum(row["instruction"].startswith("a") for row in rows) / len(rows)
        folder = training.folder / "model" / "merged"
        folder.mkdir(parents=True, exist_ok=True)
        told = {"share": share, "rate": self.rate, "seed": self.seed}
        (folder / "model.json").write_text(json.dumps(told))
        return Trained(folder, {"share": share})

    def answers(self, which: Literal["base", "tuned"]) -> Mapping[str, Any] | None:
        return {"use": "toy", "model": "trained"} if which == "tuned" else None


def _write_down(training: str) -> None:
    with Path(os.environ["TOY_LOG"]).open("a") as log:
        log.write(f"{training}\n")


class ToyProvider(Provider):
    """Answers with the model's loss on the question."""

    model: ModelName
    """Its folder."""

    def capabilities(self) -> frozenset[Capability]:
        return frozenset({"chat"})

    def model_name(self) -> str:
        return self.model

    @asynccontextmanager
    async def connect(self, connecting: Connecting) -> AsyncIterator[_Adapter]:
        yield _Adapter(json.loads((Path(self.model) / "model.json").read_text()))


class _Adapter:
    def __init__(self, model: Mapping[str, float]) -> None:
        self._model = model

    async def send(self, request: Request) -> Answer:
        number = int(request.messages[-1]["content"].split()[-1])
        hard, own = number * 7 % 10, number * 3 % 5
        share = self._model["share"]
        loss = (share - 0.4) ** 2 * (4 + own) + abs(self._model["rate"] - 1) + hard
        return Answer(text=str(loss + self._model["seed"] % 10 * 0.01))


class ToyJudge(Judge):
    """The mean loss; `whole` has no values of its own of every row."""

    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})

    def metrics(self) -> frozenset[str]:
        return frozenset({"loss", "whole", "nothing"})

    def expected(self, least: int, most: int | None) -> Expected:
        return Expected((least, most), (least, most))

    async def evaluate(self, rows: Rows, ctx: Context) -> Judgement:
        judged = []
        for row in rows:
            reply = await ctx.model.chat([{"role": "user", "content": row.columns["instruction"]}])
            score = {"loss": float(reply.text)}
            judged.append(
                ctx.row({**row.columns, "loss": score["loss"]}, parents=[row], scores=score)
            )
        mean = sum(row.scores["loss"] for row in judged) / len(judged)
        ends = {"whole_low": mean - 1, "whole_high": mean + 1}
        return Judgement({"loss": mean, "whole": mean, **ends}, judged)
