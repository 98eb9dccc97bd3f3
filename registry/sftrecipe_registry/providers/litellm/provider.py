"""Every vendor that litellm knows."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import warnings
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from importlib.util import find_spec
from json import JSONDecoder
from typing import Any, ClassVar

from sftrecipe.plugin import (
    Adapter,
    Answer,
    CallFailed,
    Capability,
    Connecting,
    Inputs,
    LimitsSeen,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    PluginError,
    Provider,
    Quirks,
    Request,
    Texts,
    TimedOut,
    TokenCounter,
    Unreached,
    causes,
    ending_of,
    install_command,
    quirks_of,
)
from sftrecipe_registry.providers.litellm.parameters import LiteLLMParameters
from sftrecipe_registry.providers.litellm.vendor_keys import ADDRESSES, BY_KEY, key_variables
from sftrecipe_registry.shared.http.endpoint import response_format
from sftrecipe_registry.shared.http.failures import (
    SHOWN,
    Fault,
    classified,
    fault_of,
    retry_after,
)
from sftrecipe_registry.shared.http.protocol_turns import openai_turns
from sftrecipe_registry.shared.http.rate_headers import limits_in
from sftrecipe_registry.shared.http.refused_parameters import blamed
from sftrecipe_registry.shared.http.replies import (
    chat_answer,
    completion_answer,
    embedding_answer,
)
from sftrecipe_registry.shared.http.reply_inflation import not_an_object, unreadable
from sftrecipe_registry.shared.http.reply_json import mapping_in, parse_json
from sftrecipe_registry.shared.http.request_options import RequestOptions, word_problems
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.models.model_identity import model_identity
from sftrecipe_registry.shared.models.token_counters import openai_counter
from sftrecipe_registry.shared.processes.variables import set_meanwhile

texts = Texts(__package__)
_NO_KEY = "none"
_UNREADABLE = "Invalid response object"
"""litellm's words for a reply of which it could not make its own."""
_INSTALL = f"{install_command()} 'sftrecipe[litellm]'"


class LiteLLM(RequestOptions, Provider):
    """A model by litellm's name for it; installed with `sftrecipe[litellm]`.

    Slower than `openai`, and some seconds to start: use it for vendors that do not speak OpenAI's
    protocol.
    """

    default_concurrency: ClassVar[int] = 16
    example: ClassVar[str] = """\
judge:
  use: litellm
  model: anthropic/claude-sonnet-5-5
  api_key: "${env:ANTHROPIC_API_KEY}"
"""

    model: str
    """litellm's name of the model, with its vendor: `anthropic/…`, `gemini/…`, `deepseek/…`."""
    api_key: str | None = None
    """The key, as `${env:NAME}`; litellm's own variable for the vendor where it is left out."""
    base_url: str | None = None
    """The address, where it is not the vendor's own; the key for it is `api_key` alone."""
    revision: str | None = None
    """Tells models of one name apart in the ledger: another revision is asked anew."""
    structured: bool = True
    """Whether the model takes a JSON Schema; else it is told in the prompt."""

    def capabilities(self) -> frozenset[Capability]:
        """Chat, completions and embeddings, as far as the vendor has them."""
        able: set[Capability] = {"chat", "tools", "complete", "embed", "logprobs"}
        return frozenset(able | {"structured"} if self.structured else able)

    def model_name(self) -> str:
        """litellm's name of the model."""
        return self.model

    def sends(self) -> Mapping[str, str]:
        """The key and the headers' variables, to the vendor of the model's prefix."""
        vendor = self.model.partition("/")[0]
        address = self.base_url or ADDRESSES.get(vendor, f"https://{vendor}.invalid")
        key = {self.api_key: address} if self.api_key else {}
        return key | self.header_secrets(address)

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Ways to an address that `sends` does not tell."""
        vendor = self.model.partition("/")[0]
        if "://" in self.model:
            message = texts("model-holds-address", model=self.model)
            yield OptionProblem(("model",), message, texts("give-as-base-url"))
        elif self.base_url and vendor not in BY_KEY:
            message = texts("no-base-url", vendor=vendor)
            advice = texts("base-url-for", vendors=", ".join(sorted(BY_KEY)))
            yield OptionProblem(("base_url",), message, advice)
        if self.stream is not None:
            yield OptionProblem(("stream",), texts("no-streams"), texts("remove-stream"))
        yield from self.steering_problems(self._quirks, lambda: f"'{self.model}'")

    def sampling_problems(self, sampling: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """What a block writes of its requests that the vendor does not take."""
        yield from word_problems(sampling, self._quirks, lambda: f"'{self.model}'")

    def identity(self) -> dict[str, object]:
        """Model and revision, and what changes a reply of the requests."""
        return model_identity(self.model, self.revision) | self.steering_identity()

    def _quirks(self) -> Quirks:
        # Names are litellm's own, which knows each vendor's.
        return replace(quirks_of(None, self.base_url or "", self.model), rename={})

    def token_counter(self) -> TokenCounter | None:
        """By OpenAI's own encoding, for its models."""
        return openai_counter(self.model.removeprefix("openai/"))

    def check_machine(self) -> Iterator[MachineCheck]:
        """litellm itself, and the key that it takes from the environment."""
        yield package_check("litellm", "litellm", _INSTALL)
        found_by_itself = self.api_key is None and self.base_url is None
        names = key_variables(self.model) if found_by_itself else ()
        if names and not any(map(os.environ.get, names)):
            name = names[0]
            yield MachineCheck("warning", texts("no-key", name=name), texts("set-key", name=name))

    def missing(self) -> Iterator[MachineCheck]:
        """litellm, where it is not installed."""
        yield from (check for check in self.check_machine() if check.state == "fault")

    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """Import litellm."""
        return self._opened(connecting)

    @asynccontextmanager
    async def _opened(self, connecting: Connecting) -> AsyncIterator[Adapter]:
        if find_spec("litellm") is None:
            raise PluginError(
                "provider-package",
                "provider-package",
                provider="litellm",
                package="litellm",
                command=_INSTALL,
            )
        connecting.progress("importing litellm")
        key = connecting.secret(self.api_key) if self.api_key else None
        address = connecting.secret(self.base_url) if self.base_url else None
        where = {
            # Without one litellm would send the user's own key of the vendor to any address.
            "api_key": key or (_NO_KEY if address else None),
            # Not `base_url`: embeddings would pass over it, and send the key to OpenAI.
            "api_base": address or ADDRESSES.get(self.model.partition("/")[0]),
        }
        litellm = await asyncio.to_thread(_imported)
        given: dict[str, Any] = {name: value for name, value in where.items() if value}
        if headers := self.server_headers(connecting, ""):
            given["extra_headers"] = headers
        steering = self.steering(self._quirks(), batched=True)
        try:
            yield _Sender(
                litellm, self.model, given, LiteLLMParameters(steering, connecting.progress)
            )
        finally:
            await litellm.close_litellm_async_clients()


class _Sender:
    """Sends one request through litellm."""

    def __init__(
        self, litellm: Any, model: str, where: Mapping[str, Any], steered: LiteLLMParameters
    ) -> None:
        self._steered = steered
        self._litellm = litellm
        self._common = {"model": model, **where, "num_retries": 0, "max_retries": 0}
        if model.partition("/")[0] in litellm.openai_compatible_providers:
            # Without it some of them (Zhipu) are asked three times for one failure.
            self._common["allowed_openai_params"] = ["max_retries"]
        self.limits_seen: LimitsSeen | None = None

    async def send(self, request: Request) -> Answer:
        """One attempt, without litellm's retries and cache."""
        self.limits_seen = None
        try:
            if request.kind == "chat":
                return await self._chat(request)
            if request.kind == "complete":
                return await self._complete(request)
            return await self._embed(request)
        except CallFailed:
            raise
        except Exception as error:
            self.limits_seen = limits_in(_headers(error))
            failure, asked = _failure(error), self._steered.parameters(request)
            sent = {**asked, **asked.get("extra_body", {})}
            raise blamed(failure, sent, self._steered.of(request)) from None

    async def _chat(self, request: Request) -> Answer:
        if not request.messages:
            raise CallFailed("final", texts("no-messages"))
        more: dict[str, Any] = (
            {} if request.schema is None else {"response_format": response_format(request.schema)}
        )
        if request.tools:
            more["tools"] = [dict(tool) for tool in request.tools]
        reply = await self._litellm.acompletion(
            messages=[dict(turn) for turn in openai_turns(request.messages)],
            **self._common,
            **self._steered.parameters(request),
            **more,
        )
        self.limits_seen = _limits(reply)
        told, raw = _told(reply)
        return chat_answer(_as_sent(told), raw)

    async def _complete(self, request: Request) -> Answer:
        reply = await self._litellm.atext_completion(
            prompt=request.prompt, **self._common, **self._steered.parameters(request)
        )
        self.limits_seen = _limits(reply)
        return completion_answer(*_told(reply))

    async def _embed(self, request: Request) -> Answer:
        reply = await self._litellm.aembedding(input=[request.prompt], **self._common)
        self.limits_seen = _limits(reply)
        return embedding_answer(_told(reply)[0])


def _told(reply: Any) -> tuple[dict[str, Any], str]:
    """A reply as litellm understood it, and its text."""
    try:
        raw = reply.model_dump_json(warnings=False)
    except ValueError:  # half a character, which pydantic does not write
        raw = json.dumps(reply.model_dump(warnings=False), default=str)
    parsed = parse_json(raw.encode("utf-8", "surrogatepass"))
    if parsed is None or not isinstance(parsed.value, dict):
        raise not_an_object()
    return parsed.value, raw.encode("utf-8", "replace").decode()


def _as_sent(reply: dict[str, Any]) -> dict[str, Any]:
    """A reply with the vendor's own words, which litellm keeps beside its choice."""
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return reply
    choice = dict(choices[0])
    if word := mapping_in(choice, "provider_specific_fields").get("native_finish_reason"):
        choice["finish_reason"] = word
    message = mapping_in(choice, "message")
    if refusal := mapping_in(message, "provider_specific_fields").get("refusal"):
        choice["message"] = {**message, "refusal": refusal}
    return {**reply, "choices": [choice]}


def _failure(error: Exception) -> CallFailed:
    """litellm's classes are not to be trusted: the status and the vendor's own words are."""
    kind, text = type(error).__name__, str(getattr(error, "message", None) or error)
    chain = list(causes(error))
    if cut := _cut_off(chain):
        return cut
    status = getattr(error, "status_code", None)
    if not isinstance(status, int) or kind in ("APIConnectionError", "Timeout"):
        return CallFailed("retry", f"{kind}: {text[:SHOWN]}")
    if status >= 500 and _is_litellms_own(error, text, chain):
        if _UNREADABLE in text:
            return unreadable(texts("reply-unreadable"))
        return CallFailed("retry", text.partition("\n")[0].rpartition("Exception - ")[2][:SHOWN])
    if kind == "UnsupportedParamsError":
        # Without litellm's advice, which is for programs that call it.
        return CallFailed("final", text.partition(". To drop these")[0], status=status)
    fault = _vendors_words(error, text) or Fault("", text.rpartition("Exception - ")[2])
    if kind == "ContentPolicyViolationError":
        fault = Fault("content_policy", fault.message)
    if status == 500 and "UNAVAILABLE" in fault.code:
        status = 503  # Gemini's, of which litellm makes a 500
    return classified(status, fault, retry_after(_headers(error)))


def _cut_off(chain: list[BaseException]) -> CallFailed | None:
    """The failure of a connection, of which litellm makes a status 500: what never left costs
    nothing, and what brought no reply may be billed."""
    import httpx  # noqa: PLC0415 - litellm has it imported

    for each in chain:
        if isinstance(each, httpx.ConnectError | httpx.ConnectTimeout):
            inmost = chain[-1]
            return Unreached(f"{type(inmost).__name__}: {inmost}"[:SHOWN])
        if isinstance(each, httpx.TimeoutException):
            return TimedOut(f"{type(each).__name__}: {each}"[:SHOWN])
    return None


def _is_litellms_own(error: Exception, text: str, chain: list[BaseException]) -> bool:
    """Whether a status is litellm's word for something else than a vendor's status."""
    import httpx  # noqa: PLC0415 - litellm has it imported

    told = any(isinstance(each, httpx.HTTPStatusError) for each in chain)
    return not told and _vendors_words(error, text) is None


def _vendors_words(error: Exception, text: str) -> Fault | None:
    """The error as the vendor sent it: kept by litellm, or quoted in its message."""
    body = getattr(error, "body", None)
    if isinstance(body, Mapping):
        return fault_of({"error": body})
    start = text.find("{")
    if start < 0:
        return None
    try:
        quoted, _ = JSONDecoder().raw_decode(text, start)
    except ValueError:
        return None
    return fault_of(quoted) if isinstance(quoted, dict) else None


def _headers(error: Exception) -> Mapping[str, str]:
    """Of the vendor's reply: litellm's own are empty, and keep the vendor's beside them."""
    found = getattr(error, "litellm_response_headers", None)
    return found or getattr(getattr(error, "response", None), "headers", None) or {}


def _limits(reply: Any) -> LimitsSeen | None:
    """Of the vendor's headers, which litellm keeps beside the reply, some under a prefix."""
    kept = (getattr(reply, "_hidden_params", None) or {}).get("additional_headers") or {}
    return limits_in({name.removeprefix("llm_provider-"): str(kept[name]) for name in kept})


def _imported() -> Any:
    # Without it the import fetches a price map over the network.
    with set_meanwhile("LITELLM_LOCAL_MODEL_COST_MAP", "True"):
        import litellm  # noqa: PLC0415 - seconds, spent when it is asked at last
    from litellm.litellm_core_utils import core_helpers  # noqa: PLC0415

    names = vars(core_helpers)
    names["_FINISH_REASON_MAP"] = _Endings(names.get("_FINISH_REASON_MAP", {}))
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        # Its warnings, and pydantic's, show a server's words as they came.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", "Pydantic serializer warnings")
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.drop_params = False
    # A fourth of its time a call: the engine knows the prices and does not ask it.
    litellm.response_cost_calculator = _no_cost  # type: ignore[assignment]
    # Its many objects stay: without this each full collection would walk through them anew.
    gc.freeze()
    return litellm


class _Endings(dict[str, str]):
    """litellm's table of how replies end, without its default: what it does not know, and what it
    takes for whole though it is not, is `stop` there."""

    def get(self, word: Any, default: Any = None) -> Any:
        """One of OpenAI's words: `stop` or a call of tools where the reply is whole."""
        ending = ending_of(word) if isinstance(word, str) else "cut_off"
        known = super().get(word) if isinstance(word, str) else None
        if ending == "whole":
            return known or "stop"
        held_back = ending == "refused" or known == "content_filter"
        return "content_filter" if held_back else "length"


def _no_cost(**_: Any) -> None:
    return None
