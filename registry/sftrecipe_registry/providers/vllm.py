"""A vLLM server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

from sftrecipe import Provider
from sftrecipe.kinds import Adapter, Capability, Connecting
from sftrecipe_registry.shared.model_identity import model_identity
from sftrecipe_registry.shared.openai_http import Endpoint, bearer, open_endpoint


class Vllm(Provider):
    """A running vLLM server (`vllm serve …`), by its address.

    Every request is sent a seed made from its own content, so that a server that computes the same
    draws the same.
    """

    default_concurrency: ClassVar[int] = 64
    example: ClassVar[str] = """\
teacher:
  use: vllm
  model: Qwen/Qwen2.5-7B-Instruct
  base_url: http://127.0.0.1:8000/v1
"""

    model: str
    """The model's name, as the server knows it (`--served-model-name`)."""
    base_url: str = "http://127.0.0.1:8000/v1"
    """The server's address, up to and with `/v1`."""
    api_key: str = ""
    """The server's key (`--api-key`), if it has one."""
    revision: str | None = None
    """Tells weights of one name apart in the ledger: another revision is asked anew."""

    def capabilities(self) -> frozenset[Capability]:
        """Everything but embeddings, which take a server of their own."""
        return frozenset({"chat", "complete", "structured", "logprobs", "loglikelihood"})

    def model_name(self) -> str:
        """The model's name."""
        return self.model

    def sends(self) -> Mapping[str, str]:
        """The key, to the server."""
        return {self.api_key: self.base_url} if self.api_key else {}

    def identity(self) -> dict[str, object]:
        """Model and revision."""
        return model_identity(self.model, self.revision)

    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """A pool of connections to the server."""
        endpoint = Endpoint(
            base_url=connecting.secret(self.base_url),
            model=self.model,
            headers=bearer(connecting.secret(self.api_key)),
            seeded=True,
        )
        return open_endpoint(endpoint, connecting)
