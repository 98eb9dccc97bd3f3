"""ERNIE on Baidu Qianfan."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from sftrecipe import CallFailed, Provider
from sftrecipe.kinds import Adapter, Capability, Connecting
from sftrecipe_registry.shared.model_identity import model_identity
from sftrecipe_registry.shared.openai_http import Endpoint, OpenAIAdapter, bearer, open_endpoint
from sftrecipe_registry.shared.qianfan_v1 import KeyPair, open_v1

_V1 = "https://aip.baidubce.com"


class Ernie(Provider):
    """ERNIE on Qianfan: v2 with a bearer key, v1 with an API key and its secret key."""

    default_concurrency: ClassVar[int] = 8
    example: ClassVar[str] = """\
teacher:
  use: ernie
  model: ernie-4.0-turbo-8k
  api_key: "${env:QIANFAN_API_KEY}"
  limits: {rpm: 60, tpm: 100000}
"""

    model: str
    """The model's name: `ernie-4.0-turbo-8k`, `ernie-speed-128k` …"""
    api_key: str = "${env:QIANFAN_API_KEY}"
    """The key of v2 (`bce-v3/ALTAK-…`), or the API key of v1."""
    secret_key: str | None = None
    """The secret key of v1: with it the older interface is asked, which takes temperatures in
    (0, 1] (others are brought to its ends) and turns that alternate."""
    base_url: str | None = None
    """The address, where it is not Qianfan's own."""
    revision: str | None = None
    """Tells models of one name apart in the ledger: another revision is asked anew."""

    def capabilities(self) -> frozenset[Capability]:
        """Chat, and with v2 tools and embeddings."""
        return frozenset({"chat"} if self.secret_key else {"chat", "tools", "embed"})

    def model_name(self) -> str:
        """The model's name."""
        return self.model

    def sends(self) -> Mapping[str, str]:
        """The keys, to Qianfan."""
        if self.secret_key:
            return {self.api_key: self.base_url or _V1, self.secret_key: self.base_url or _V1}
        return {self.api_key: self._address()}

    def identity(self) -> dict[str, object]:
        """Model and revision."""
        return model_identity(self.model, self.revision)

    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """A pool of connections to Qianfan."""
        key = connecting.secret(self.api_key)
        if self.secret_key:
            address = connecting.secret(self.base_url or _V1)
            return open_v1(
                Endpoint(base_url=address, model=self.model),
                connecting,
                KeyPair(key, connecting.secret(self.secret_key)),
            )
        address = connecting.secret(self._address())
        endpoint = Endpoint(base_url=address, model=self.model, headers=bearer(key))
        return open_endpoint(endpoint, connecting, _V2)

    def _address(self) -> str:
        return self.base_url or "https://qianfan.baidubce.com/v2"


class _V2(OpenAIAdapter):
    """OpenAI's protocol, with Qianfan's own marks of unsafe content."""

    def check(self, reply: Mapping[str, Any]) -> None:
        """A refusal looks like a reply: the choice is flagged."""
        super().check(reply)
        choices = reply.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(first, Mapping) and (first.get("need_clear_history") or first.get("flag")):
            text = f"the content was refused (flag {first.get('flag')})"
            raise CallFailed("refused", text, status=200)
