"""ERNIE on Baidu Qianfan."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any, ClassVar

from sftrecipe.plugin import (
    Adapter,
    CallFailed,
    Capability,
    Connecting,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    Provider,
    Quirks,
    Texts,
    quirks_of,
)
from sftrecipe_registry.providers.ernie.qianfan_v1 import KeyPair, open_v1, v1_problem
from sftrecipe_registry.shared.http.endpoint import Endpoint, OpenAIAdapter, open_endpoint
from sftrecipe_registry.shared.http.model_list import check_listed
from sftrecipe_registry.shared.http.request_options import RequestOptions, server_at, word_problems
from sftrecipe_registry.shared.models.model_identity import model_identity

texts = Texts(__package__)
_V1 = "https://aip.baidubce.com"
_V2 = "https://qianfan.baidubce.com/v2"


class Ernie(RequestOptions, Provider):
    """ERNIE on Qianfan, by its OpenAI-compatible interface (v2).

    With `secret_key` the older one (v1) is asked, which Baidu has switched off.
    """

    default_concurrency: ClassVar[int] = 8
    example: ClassVar[str] = """\
teacher:
  use: ernie
  model: ernie-5.1
  api_key: "${env:QIANFAN_API_KEY}"
  limits: {rpm: 60, tpm: 100000}
"""

    model: str
    """The model's name, as Qianfan lists it (docs/vendors.md)."""
    api_key: str = "${env:QIANFAN_API_KEY}"
    """The key of v2 (`bce-v3/ALTAK-…`), or the API key of v1."""
    secret_key: str | None = None
    """The secret key of v1, which Baidu has switched off: leave it out, and `api_key` is v2's. With
    it the older interface is asked, which takes temperatures in (0, 1] (others are brought to its
    ends) and turns that alternate."""
    base_url: str | None = None
    """The address, where it is not Qianfan's own."""
    revision: str | None = None
    """Tells models of one name apart in the ledger: another revision is asked anew."""
    structured: bool = True
    """Whether the model takes a JSON Schema as `response_format`; else it is told in the prompt and
    the reply is checked."""

    def capabilities(self) -> frozenset[Capability]:
        """With v2 all but log-probabilities; with v1 chat alone."""
        if self.secret_key:
            return frozenset({"chat"})
        able: set[Capability] = {"chat", "tools", "complete", "embed"}
        return frozenset(able | {"structured"} if self.structured else able)

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """The older interface, which nobody answers any more."""
        yield from self.steering_problems(*self._server())
        if not self.secret_key:
            return
        yield v1_problem(("secret_key",))
        for name in RequestOptions.model_fields.keys() & self.model_fields_set:
            told, advice = texts("not-taken-by-v1", name=name), texts("remove", name=name)
            yield OptionProblem((name,), told, advice, at_key=True)

    def sampling_problems(self, sampling: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """What a block writes of its requests that Qianfan does not take."""
        if self.secret_key:
            yield from super().sampling_problems(sampling)
        else:
            yield from word_problems(sampling, *self._server())

    def model_name(self) -> str:
        """The model's name."""
        return self.model

    def sends(self) -> Mapping[str, str]:
        """The keys, to Qianfan."""
        if self.secret_key:
            return {self.api_key: self.base_url or _V1, self.secret_key: self.base_url or _V1}
        key = {self.api_key: self._address()} if self.api_key else {}
        return key | self.header_secrets(self._address())

    def identity(self) -> dict[str, object]:
        """Model and revision, and what changes a reply of the requests."""
        return model_identity(self.model, self.revision) | self.steering_identity()

    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """A pool of connections to Qianfan."""
        if self.secret_key:
            key = connecting.secret(self.api_key)
            address = connecting.secret(self.base_url or _V1)
            return open_v1(
                Endpoint(base_url=address, model=self.model),
                connecting,
                KeyPair(key, connecting.secret(self.secret_key)),
            )
        return open_endpoint(self._endpoint(connecting), connecting, _Adapter)

    async def check_server(self, connecting: Connecting) -> Sequence[MachineCheck]:
        """Whether Qianfan lists the model."""
        if self.secret_key:
            return ()
        return await check_listed(self._endpoint(connecting), connecting)

    def _endpoint(self, connecting: Connecting) -> Endpoint:
        return Endpoint(
            base_url=connecting.secret(self._address()),
            model=self.model,
            headers=self.server_headers(connecting, self.api_key),
            steering=self.steering(quirks_of("ernie", "", self.model)),
        )

    def _server(self) -> tuple[Callable[[], Quirks], Callable[[], str]]:
        """Its quirks, read where they are asked for, and its name in messages."""
        quirks = partial(quirks_of, "ernie", "", self.model)
        return quirks, partial(server_at, self.model, "Qianfan")

    def _address(self) -> str:
        return self.base_url or _V2


class _Adapter(OpenAIAdapter):
    """OpenAI's protocol, with Qianfan's own marks of unsafe content."""

    def check(self, reply: Mapping[str, Any]) -> None:
        """A refusal looks like a reply: the choice is flagged."""
        super().check(reply)
        choices = reply.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(first, Mapping) and (first.get("need_clear_history") or first.get("flag")):
            text = texts("content-flagged", flag=first.get("flag"))
            raise CallFailed("refused", text, status=200)
