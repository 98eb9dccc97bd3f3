"""OpenAI, and every endpoint that speaks its protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Gt

from sftrecipe.plugin import (
    Adapter,
    Capability,
    Connecting,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    Provider,
    Quirks,
    Texts,
    TokenCounter,
    quirks_of,
)
from sftrecipe_registry.shared.http.endpoint import Endpoint, open_endpoint
from sftrecipe_registry.shared.http.model_list import check_listed
from sftrecipe_registry.shared.http.request_options import RequestOptions, server_at, word_problems
from sftrecipe_registry.shared.http.responses_api import TAKEN
from sftrecipe_registry.shared.http.vendor_preset import key_variable, preset, vendor_problems
from sftrecipe_registry.shared.models.model_identity import model_identity
from sftrecipe_registry.shared.models.token_counters import folder_counter, openai_counter

texts = Texts(__package__)
_ADDRESS = "https://api.openai.com/v1"
_KEY = "${env:OPENAI_API_KEY}"
_USES = ("openai", "ernie", "vllm")
"""Providers whose vendors speak this protocol."""
_BATCH_CALLS = 10_000
_BATCH_TIMEOUT = 26 * 3600.0


class OpenAI(RequestOptions, Provider):
    """An OpenAI-compatible endpoint: OpenAI itself, a vendor by its name, any other by `base_url`.

    The address is no part of a ledger key: a reply is kept under the model's name, wherever it is
    served. Tell two models of the same name apart by `revision`.
    """

    example: ClassVar[str] = """\
judge:
  use: openai
  model: gpt-5.4-mini
  api_key: "${env:OPENAI_API_KEY}"
  limits: {rpm: 500, concurrency: 32}
"""

    model: str
    """The model's name, as the endpoint knows it."""
    vendor: str | None = None
    """A vendor's id (`deepseek`, `qwen`, `glm`, `kimi` …: docs/vendors.md has all): it fills in the
    address, the key's variable, whether JSON Schemas are taken, and what its models take otherwise.
    What the recipe states comes first."""
    base_url: str | None = None
    """The endpoint's address, up to and with its version (`…/v1`); the vendor's where left out, and
    OpenAI's without a vendor."""
    api_key: str | None = None
    """The key; empty for an endpoint that asks for none. Left out, `${env:…}` with the variable of
    the vendor whose address it is, or of OpenAI."""
    revision: str | None = None
    """Tells models of one name apart in the ledger: another revision is asked anew."""
    structured: bool | None = None
    """Whether the endpoint takes a JSON Schema as `response_format`; else it is told in the prompt
    and the reply is checked. Left out: as the vendor does, and yes without one."""

    mode: Literal["online", "batch"] = "online"
    """`batch` asks through the Batch API: half the price, replies within a day. The ledger tells no
    difference: what was answered in one mode is not asked in the other."""
    poll: Annotated[float, Gt(0)] = 30.0
    """Seconds between two looks at a batch at first; they grow to twenty times that."""
    api: Literal["chat", "responses"] = "chat"
    """`responses` asks chats through OpenAI's Responses API, which tells what a model thought, in
    short; nothing is stored at the vendor. Part of the ledger's key."""

    @property
    def deferred(self) -> bool:
        """A batch goes on without the engine."""
        return self.mode == "batch"

    @property
    def default_concurrency(self) -> int:
        """What a batch holds, which the engine waits for all at once."""
        return _BATCH_CALLS if self.deferred else 32

    @property
    def default_timeout(self) -> float:
        """Seconds: a batch's day, with time to gather, send and read it."""
        return _BATCH_TIMEOUT if self.deferred else super().default_timeout

    def at_once(self) -> OpenAI:
        """Without a batch."""
        return self.model_copy(update={"mode": "online"})

    def capabilities(self) -> frozenset[Capability]:
        """All but the log-probabilities of a given answer."""
        able: set[Capability] = {"chat", "tools", "complete", "logprobs", "embed"}
        return frozenset(able | {"structured"} if self._takes_schemas() else able)

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A vendor that nobody knows; requests that cannot be made so."""
        wrong = list(vendor_problems(self.vendor, _USES))
        yield from wrong
        if not wrong:
            yield from self.steering_problems(*self._server())
        if self.deferred and self.stream:
            yield OptionProblem(("stream",), texts("batch-streams"), texts("remove-stream"))

    def sampling_problems(self, sampling: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """What a block writes of its requests that this server does not take."""
        yield from word_problems(sampling, *self._server())
        for name in sampling if self.api == "responses" else ():
            if name not in TAKEN and name not in self.omit + tuple(sampling.get("omit", ())):
                told = texts("not-taken-by-responses", name=name)
                yield OptionProblem((name,), told, texts("remove-or-chat"), at_key=True)

    def model_name(self) -> str:
        """The model's name."""
        return self.model

    @property
    def address(self) -> str:
        """Where it is asked: as the recipe states, else the vendor's address, else OpenAI's."""
        if self.base_url is not None:
            return self.base_url
        found = preset(self.vendor, None)
        return found.address if found else _ADDRESS

    @property
    def key(self) -> str:
        """The key that it is asked with; empty where none is needed."""
        if self.api_key is not None:
            return self.api_key
        return key_variable(preset(self.vendor, self.base_url), _KEY)

    def sends(self) -> Mapping[str, str]:
        """The key and the headers' variables, to the endpoint."""
        key = {self.key: self.address} if self.key else {}
        return key | self.header_secrets(self.address)

    def identity(self) -> dict[str, object]:
        """Model and revision, and what changes a reply of the requests."""
        asked = {} if self.api == "chat" else {"api": self.api}
        return model_identity(self.model, self.revision) | self.steering_identity() | asked

    def token_counter(self) -> TokenCounter | None:
        """By the model's folder, where the model is named by one; by OpenAI's own encoding."""
        return folder_counter(Path(self.model)) or openai_counter(self.model)

    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """A pool of connections to the endpoint; in batch mode, its batches."""
        endpoint = self._endpoint(connecting)
        if self.deferred:
            from sftrecipe_registry.providers.openai.batches import (  # noqa: PLC0415 - tenacity, sqlite3
                open_batches,
            )

            return open_batches(endpoint, connecting, poll=self.poll, salt=self.revision or "")
        return open_endpoint(endpoint, connecting)

    async def check_server(self, connecting: Connecting) -> Sequence[MachineCheck]:
        """Whether the server lists the model; in batch mode, whether it takes batches."""
        endpoint = self._endpoint(connecting)
        found = [*await check_listed(endpoint, connecting)]
        if self.deferred:
            from sftrecipe_registry.providers.openai.batch_api import (  # noqa: PLC0415 - tenacity
                check_batches,
            )

            found.append(await check_batches(endpoint, connecting))
        return found

    def _takes_schemas(self) -> bool:
        """As the recipe says, else as the vendor that it names does."""
        found = preset(self.vendor, None)
        told = found.structured if self.structured is None and found else self.structured
        return told is not False

    def _endpoint(self, connecting: Connecting) -> Endpoint:
        address = connecting.secret(self.address)
        return Endpoint(
            base_url=address,
            model=self.model,
            headers=self.server_headers(connecting, self.key),
            steering=self.steering(
                quirks_of(self.vendor, address, self.model), api=self.api, batched=self.deferred
            ),
        )

    def _server(self) -> tuple[Callable[[], Quirks], Callable[[], str]]:
        """Its quirks, read where they are asked for, and its name in messages."""
        address = self.address
        quirks = partial(quirks_of, self.vendor, address, self.model)
        return quirks, partial(server_at, self.model, address)
