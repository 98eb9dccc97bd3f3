"""A vLLM server."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, ClassVar

from annotated_types import Gt
from pydantic import Field

from sftrecipe.plugin import (
    Adapter,
    Capability,
    Connecting,
    Described,
    Inputs,
    MachineCheck,
    ModelName,
    OptionFiles,
    OptionProblem,
    Permission,
    Places,
    Price,
    Provider,
    Quirks,
    Text,
    Texts,
    TokenCounter,
    quirks_of,
    trained_block,
)
from sftrecipe_registry.providers.vllm.arguments import (
    argument_list,
    argument_problems,
    reply_arguments,
)
from sftrecipe_registry.shared.http.endpoint import Endpoint, open_endpoint
from sftrecipe_registry.shared.http.model_list import check_listed
from sftrecipe_registry.shared.http.request_options import RequestOptions, word_problems
from sftrecipe_registry.shared.http.vendor_preset import vendor_problems
from sftrecipe_registry.shared.models.model_folder import (
    is_path,
    missing_model,
    model_folder,
    model_problems,
    weights_fingerprint,
)
from sftrecipe_registry.shared.models.model_identity import model_identity
from sftrecipe_registry.shared.models.token_counters import folder_counter
from sftrecipe_registry.shared.processes.python_environment import PythonEnvironment

texts = Texts(__package__)
ENVIRONMENT = "SFTRECIPE_VLLM_ENV"
"""Variable that names the environment with vLLM where the recipe names none."""
_OF_A_RUNNING_SERVER = ("base_url", "api_key")


class Serve(Described):
    """A server that the engine starts for the run and stops at its end."""

    python: str = ""
    """Absolute path of the environment that has vLLM: its folder or its python, outside of the
    project; it needs the user's word. Where it is left out: the variable `SFTRECIPE_VLLM_ENV`,
    which may also name one inside the project."""
    args: dict[str, Any] = Field(default_factory=dict)
    """Arguments of `vllm serve` by name: `max_model_len: 4096` is `--max-model-len 4096`. Those
    that load code or read files are not taken."""
    start_timeout: Annotated[float, Gt(0)] = 1800.0
    """Seconds that the server may take until it answers, downloads included."""


class Vllm(RequestOptions, Provider):
    """A vLLM server: a running one by its address, or one that the engine starts (`serve`).

    Every request is sent a seed made from its own content, so that a server that computes the same
    draws the same.
    """

    default_concurrency: ClassVar[int] = 64
    example: ClassVar[str] = """\
teacher:
  use: vllm
  model: Qwen/Qwen2.5-7B-Instruct
  serve: {python: /envs/vllm, args: {dtype: bfloat16, max_model_len: 4096}}
"""

    model: ModelName
    """The model's name, as the server knows it (`--served-model-name`); with `serve`, a name on the
    model hub, a folder (absolute, from `~`, or seen from the recipe's file: `./` or `../`), or
    `trained`: what the recipe trains (`trained:ID` of several)."""
    vendor: str = "vllm"
    """`ernie-open` for ERNIE's open weights, which are told to think in their own way."""
    base_url: str = "http://127.0.0.1:8000/v1"
    """A running server's address, up to and with `/v1`."""
    api_key: str = ""
    """The running server's key (`--api-key`), if it has one."""
    serve: Serve | None = None
    """Start a server of its own for the run, on a free port of this machine: `{}` will do where
    `SFTRECIPE_VLLM_ENV` is set."""
    price: Price | None = Price(input=0, output=0)
    """A server of one's own costs nothing a token; the price of one that is rented."""
    revision: str | None = None
    """Tells weights of one name apart in the ledger: another revision is asked anew. With `serve`,
    the revision on the model hub; a folder's weights are told apart by what they are."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """What is wrong with the server that is to be started."""
        strange = list(vendor_problems(self.vendor, ("vllm",)))
        yield from strange
        if not strange:
            yield from self.steering_problems(*self._server())
        if self.serve is None:
            if trained_block(self.model) is not None:
                told = texts("not-served", model=self.model)
                yield OptionProblem(("model",), told, texts("add-serve"))
            return
        if sys.platform != "linux":
            yield OptionProblem(("serve",), texts("linux-alone"), texts("give-base-url"))
        for name in _OF_A_RUNNING_SERVER:
            if name in self.model_fields_set:
                told, advice = texts("of-running-server", name=name), texts("remove-one", name=name)
                yield OptionProblem((name,), told, advice, at_key=True)
        yield from _environment(self.serve).problems(("serve", "python"))
        yield from model_problems(self.model)
        yield from argument_problems(self.serve.args)

    def asks_permission(self, places: Places) -> Iterator[Permission]:
        """To start a python that the recipe names."""
        if self.serve is not None:
            yield from _environment(self.serve).permissions(("serve", "python"))

    def programs(self) -> Mapping[str, str | None]:
        """vLLM, where the server is started here."""
        return {} if self.serve is None else _environment(self.serve).versions("vllm")

    def missing(self) -> Iterator[MachineCheck]:
        """The machine's environment and the model's folder, where a server is to be started."""
        if self.serve is not None:
            yield from _environment(self.serve).missing(_name_environment)
            yield from missing_model(self.model)

    def capabilities(self) -> frozenset[Capability]:
        """Embeddings where the server pools (`args: {runner: pooling}`), else everything else."""
        if self.serve is not None and self.serve.args.get("runner") == "pooling":
            return frozenset({"embed"})
        return frozenset({"chat", "tools", "complete", "structured", "logprobs", "loglikelihood"})

    def model_name(self) -> str:
        """The model's name; a folder's own name, wherever it lies."""
        return model_folder(self.model).name if self._is_folder() else self.model

    def sends(self) -> Mapping[str, str]:
        """The key and the headers' variables, to the server."""
        key = {self.api_key: self.base_url} if self.api_key else {}
        return key | self.header_secrets(self.base_url)

    def sampling_problems(self, sampling: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """What a block writes of its requests that the server does not take."""
        yield from word_problems(sampling, *self._server())

    def identity(self) -> dict[str, object]:
        """Model, revision or what its folder holds, and arguments that change what is replied."""
        revision = self.revision
        if self._is_folder() and revision is None:
            revision = weights_fingerprint(model_folder(self.model))
        arguments = reply_arguments(self.serve.args) if self.serve else {}
        named = model_identity(self.model_name(), revision) | self.steering_identity()
        return {**named, "arguments": arguments} if arguments else named

    def token_counter(self) -> TokenCounter | None:
        """By the model's folder, where the model is named by one."""
        return folder_counter(model_folder(self.model)) if is_path(self.model) else None

    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """A pool of connections to the server, which is started first where the recipe says so."""
        if self.serve is not None:
            return self._started(self.serve, connecting)
        return open_endpoint(self._endpoint(connecting), connecting)

    async def check_server(self, connecting: Connecting) -> Sequence[MachineCheck]:
        """Whether a running server has the model."""
        if self.serve is not None:
            return ()
        return await check_listed(self._endpoint(connecting), connecting)

    def _endpoint(self, connecting: Connecting) -> Endpoint:
        return Endpoint(
            base_url=connecting.secret(self.base_url),
            model=self.model,
            headers=self.server_headers(connecting, self.api_key),
            steering=self.steering(self._quirks()),
            seeded=True,
        )

    def _quirks(self) -> Quirks:
        return quirks_of(self.vendor, "", self.model_name())

    def _server(self) -> tuple[Callable[[], Quirks], Callable[[], str]]:
        """Its quirks, read where they are asked for, and its name in messages."""
        return self._quirks, lambda: texts("on-vllm", model=self.model_name())

    def _started(
        self, serve: Serve, connecting: Connecting
    ) -> AbstractAsyncContextManager[Adapter]:
        # asyncio's processes: 30 ms
        from sftrecipe_registry.providers.vllm.server import VllmServer, open_vllm  # noqa: PLC0415
        from sftrecipe_registry.shared.processes.server_restart import restarted_server  # noqa: PLC0415

        python = _environment(serve).python(connecting.folder.parent.parent)
        arguments = argument_list(serve.args)
        if self._is_folder():
            model = str(model_folder(self.model))
        else:
            model = self.model
            arguments += [f"--revision={self.revision}"] if self.revision else []
        named = self.model_name()
        server = VllmServer(
            python,
            model,
            named,
            arguments,
            serve.start_timeout,
            steering=self.steering(self._quirks()),
            headers=self.server_headers(connecting, ""),
        )
        return restarted_server(lambda: open_vllm(server, connecting), connecting.progress)

    def _is_folder(self) -> bool:
        return self.serve is not None and is_path(self.model)


def _environment(serve: Serve) -> PythonEnvironment:
    return PythonEnvironment(serve.python, ENVIRONMENT, lambda: "vLLM")


def _name_environment() -> Text:
    """What to do where the machine has no environment with vLLM."""
    return texts("name-environment", variable=ENVIRONMENT)
