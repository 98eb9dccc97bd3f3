"""OpenAI, and every endpoint that speaks its protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from annotated_types import Gt

from sftrecipe import Provider
from sftrecipe.kinds import Adapter, Capability, Connecting, MachineCheck, TokenCounter
from sftrecipe_registry.shared.model_identity import model_identity
from sftrecipe_registry.shared.openai_http import Endpoint, bearer, open_endpoint
from sftrecipe_registry.shared.token_counters import folder_counter, openai_counter

_VENDOR = "https://api.openai.com/v1"
_BATCH_CALLS = 10_000
_BATCH_TIMEOUT = 26 * 3600.0


class OpenAI(Provider):
    """An OpenAI-compatible endpoint: OpenAI itself, or any other by its `base_url`.

    The address is no part of a ledger key: a reply is kept under the model's name, wherever it is
    served. Tell two models of the same name apart by `revision`.
    """

    example: ClassVar[str] = """\
judge:
  use: openai
  model: gpt-4o-mini
  api_key: "${env:OPENAI_API_KEY}"
  limits: {rpm: 500, concurrency: 32}
"""

    model: str
    """The model's name, as the endpoint knows it."""
    base_url: str = _VENDOR
    """The endpoint's address, up to and with its version (`…/v1`)."""
    api_key: str = "${env:OPENAI_API_KEY}"
    """The key; empty for an endpoint that asks for none."""
    revision: str | None = None
    """Tells models of one name apart in the ledger: another revision is asked anew."""
    structured: bool = True
    """Whether the endpoint takes a JSON Schema as `response_format`; else it is told in the prompt
    and the reply is checked."""

    mode: Literal["online", "batch"] = "online"
    """`batch` asks through the Batch API: half the price, replies within a day. The ledger tells no
    difference: what was answered in one mode is not asked in the other."""
    poll: Annotated[float, Gt(0)] = 30.0
    """Seconds between two looks at a batch at first; they grow to twenty times that."""

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
        return frozenset(able | {"structured"} if self.structured else able)

    def model_name(self) -> str:
        """The model's name."""
        return self.model

    def sends(self) -> Mapping[str, str]:
        """The key, to the endpoint."""
        return {self.api_key: self.base_url} if self.api_key else {}

    def identity(self) -> dict[str, object]:
        """Model and revision."""
        return model_identity(self.model, self.revision)

    def token_counter(self) -> TokenCounter | None:
        """By the model's folder, where the model is named by one; by OpenAI's own encoding."""
        return folder_counter(Path(self.model)) or openai_counter(self.model)

    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """A pool of connections to the endpoint; in batch mode, its batches."""
        endpoint = self._endpoint(connecting)
        if self.deferred:
            from sftrecipe_registry.shared.openai_batch import (  # noqa: PLC0415 - tenacity, sqlite3
                open_batches,
            )

            return open_batches(endpoint, connecting, poll=self.poll, salt=self.revision or "")
        return open_endpoint(endpoint, connecting)

    async def check_server(self, connecting: Connecting) -> Sequence[MachineCheck]:
        """In batch mode, whether the server takes batches."""
        if not self.deferred:
            return ()
        from sftrecipe_registry.shared.openai_batch_api import (  # noqa: PLC0415 - tenacity
            check_batches,
        )

        return [await check_batches(self._endpoint(connecting), connecting)]

    def _endpoint(self, connecting: Connecting) -> Endpoint:
        address = connecting.secret(self.base_url)
        # OpenAI's newer models know only the new name, others' servers only the old one.
        newer = urlsplit(address).hostname == urlsplit(_VENDOR).hostname
        return Endpoint(
            base_url=address,
            model=self.model,
            headers=bearer(connecting.secret(self.api_key)),
            names={"max_tokens": "max_completion_tokens"} if newer else {},
        )
