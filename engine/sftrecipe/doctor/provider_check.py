"""The providers: one tiny call for each thing that the recipe needs of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import getproxies

from sftrecipe.calls.one_attempt import AttemptResult, open_attempt
from sftrecipe.calls.replies.structured import follow
from sftrecipe.doctor.doctor_finding import DoctorFinding, fault, need_finding, ok, raised
from sftrecipe.errors import NotFetched, Problem, SftrecipeError
from sftrecipe.messages import Word
from sftrecipe.plugin.base import Capability, MachineCheck
from sftrecipe.plugin.option_types import ProviderMarker, values_of
from sftrecipe.plugin.provider import Answer, CallFailed, LimitSeen, Provider, Request
from sftrecipe.recipe.checks.request_options import asked_samplings
from sftrecipe.recipe.recipe import CheckedRecipe

_SAY = ({"role": "user", "content": "Say: ok"},)
_SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}},
    "required": ["name"],
    "additionalProperties": False,
}
_TOOL = {
    "type": "function",
    "function": {"name": "say", "description": "Say a word", "parameters": {"type": "object"}},
}
_REQUESTS: Mapping[Capability, Request] = {
    "chat": Request("chat", _SAY, sampling={"max_tokens": 16}),
    "complete": Request("complete", prompt="1, 2, 3,", sampling={"max_tokens": 4}),
    "structured": Request("chat", _SAY, sampling={"max_tokens": 64}, schema=_SCHEMA),
    "tools": Request("chat", _SAY, sampling={"max_tokens": 16}, tools=(_TOOL,)),
    "logprobs": Request("chat", _SAY, sampling={"max_tokens": 2, "logprobs": True}),
    "loglikelihood": Request("loglikelihood", prompt="One and one is", answer=" two"),
    "embed": Request("embed", prompt="ok"),
    "reward": Request("reward", (*_SAY, {"role": "assistant", "content": "ok"})),
}
_SHORT = ("max_tokens", "stop")
"""What a trial's reply says of its length by itself."""
_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_BY_WORDS = (
    (r"insufficient_quota|billing|arrearage", "doctor-quota"),
    (r"model_not_found|invalid_model|no such model|unknown model", "doctor-model"),
    (r"certificate|ssl", "doctor-tls"),
    (r"dns|name or service not known|getaddrinfo|no address", "doctor-dns"),
    (r"proxy", "doctor-proxy"),
    (r"refused|connect call failed|cannot connect|unreachable", "doctor-refused"),
    (r"no reply within|timeout|timed out", "doctor-slow"),
    (r"no json|no choices|no message|no embedding|not json", "doctor-garbage"),
)
_BY_STATUS = {
    401: "doctor-key",
    402: "doctor-quota",
    403: "doctor-access",
    404: "doctor-model",
    405: "doctor-garbage",
    429: "doctor-rate",
}
_UNREACHED = {"doctor-dns", "doctor-refused", "doctor-slow", "doctor-tls"}


class CallTerms(NamedTuple):
    """How the providers are asked."""

    folder: Path
    """The project's, for providers."""
    seconds: float
    """Seconds for one call."""
    progress: Callable[[str], None]


def samplings(recipe: CheckedRecipe) -> dict[str, list[dict[str, Any]]]:
    """How each provider is asked to write by the blocks, each way once."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in recipe.providers}
    for block in recipe.blocks_until("evaluate"):
        for _, sampling, name in asked_samplings(block.plugin, block.provider):
            told = {key: value for key, value in sampling.sampling().items() if key not in _SHORT}
            if told and name in found and told not in found[name]:
                found[name].append(told)
    return found


def needed(recipe: CheckedRecipe) -> dict[str, list[Capability]]:
    """What each provider must be able to do; one that nobody asks, whatever it can do first."""
    found: dict[str, set[str]] = {name: set() for name in recipe.providers}
    for block in recipe.blocks_until("evaluate"):
        if block.provider:
            found[block.provider] |= block.plugin.required()
        for _, marker, name in values_of(block.plugin, ProviderMarker):
            if name in found:
                found[name] |= marker.needs
    order = list(_REQUESTS)
    needs = {}
    for name, provider in providers_of(recipe).items():
        able = provider.capabilities()
        wanted = [each for each in order if each in found[name]]
        needs[name] = wanted or [each for each in order if each in able][:1]
    return needs


class _Trials(NamedTuple):
    """What a provider is asked to see whether it does what the recipe needs."""

    needs: list[Capability]
    samplings: list[dict[str, Any]]
    """How blocks ask it to write: a server may refuse their parameters."""

    def requests(self) -> Iterator[tuple[Capability, Request]]:
        """Each thing once, and what it writes in each of the blocks' ways."""
        writing = next((each for each in self.needs if each in ("chat", "complete")), None)
        for capability in self.needs:
            request = _REQUESTS[capability]
            if capability != writing or not self.samplings:
                yield capability, request
                continue
            for told in self.samplings:
                yield capability, replace(request, sampling={**told, **_room(request, told)})


def _room(request: Request, told: Mapping[str, Any]) -> dict[str, Any]:
    """The request's own sampling, with room for the longest thought beside the answer."""
    thinking = told.get("thinking")
    thought = thinking["budget"] if isinstance(thinking, Mapping) else 0
    return {**request.sampling, "max_tokens": request.sampling["max_tokens"] + thought}


async def check_providers(
    recipe: CheckedRecipe, asked: CallTerms, lacking: Collection[str] = ()
) -> list[DoctorFinding]:
    """All of them at the same time, but those that this machine lacks something for; findings in
    the recipe's order."""
    needs = needed(recipe)
    providers = providers_of(recipe)
    written = samplings(recipe)
    checks = [
        _check(name, recipe.providers[name].use, each, _Trials(needs[name], written[name]), asked)
        for name, each in providers.items()
        if name not in lacking
    ]
    return [finding for found in await asyncio.gather(*checks) for finding in found]


def providers_of(recipe: CheckedRecipe) -> dict[str, Provider]:
    """The recipe's providers by name."""
    blocks = recipe.providers.items()
    return {name: each.plugin for name, each in blocks if isinstance(each.plugin, Provider)}


async def _check(
    name: str, use: str, provider: Provider, trials: _Trials, asked: CallTerms
) -> list[DoctorFinding]:
    outcomes: dict[Capability, AttemptResult] = {}
    checks: list[MachineCheck] = []
    try:
        async with open_attempt(provider, asked.folder, asked.progress) as trial:
            for capability, request in trials.requests():
                seconds = min(asked.seconds, provider.effective_limits().timeout)
                outcome = await trial.ask(request, seconds)
                if capability not in outcomes or outcome.failure:
                    outcomes[capability] = outcome
                if outcome.failure and outcome.failure.status in (None, 401, 429):
                    break  # the next one would fail in the same way
            else:
                checks = await trial.server_checks(asked.seconds)
    except NotFetched:
        return []  # the recipe's warnings tell of it
    except SftrecipeError as error:
        return [raised("provider", name, error)]
    except Exception as error:  # a third party's provider must not end the other checks
        text = f"{type(error).__name__}: {error}"
        return [_failed_finding(name, provider, trials.needs[0], text, ("doctor-provider", ""))]
    found = [*_capability_findings(name, provider, outcomes), *_limit_findings(name, outcomes)]
    return [*found, *(need_finding("provider", name, use, each) for each in checks)]


def _capability_findings(
    name: str, provider: Provider, outcomes: Mapping[Capability, AttemptResult]
) -> Iterator[DoctorFinding]:
    model = provider.model_name()
    works = []
    for capability, outcome in outcomes.items():
        if outcome.failure is not None:
            failure = outcome.failure
            slug = "doctor-parameter" if failure.remedy else _advice_for(failure)
            hint = (slug, failure.remedy)
            yield _failed_finding(name, provider, capability, failure.message, hint)
        elif outcome.answer is None or not _gave(capability, outcome.answer):
            yield fault(
                "provider",
                name,
                "doctor-provider-empty",
                "doctor-provider-empty",
                model=model,
                capability=Word(capability),
            )
        else:
            works.append((capability, outcome.seconds))
    if works:
        yield ok(
            "provider",
            name,
            "doctor-provider",
            model=model,
            works=Word(" / ".join(capability for capability, _ in works)),
            seconds=round(works[0][1], 2),
        )


def _gave(capability: Capability, answer: Answer) -> bool:
    """Whether the answer holds what was asked for."""
    if capability == "structured":
        return follow(answer.text, _SCHEMA)[0] is not None
    if capability in ("logprobs", "loglikelihood"):
        return bool(answer.logprobs)
    return bool(answer.vector) if capability == "embed" else True


def _failed_finding(
    name: str, provider: Provider, capability: Capability, text: str, hint: tuple[str, str]
) -> DoctorFinding:
    """A fault; `hint`: its slug, and the line to write where there is one."""
    keys = _VARIABLE.findall(" ".join(provider.sends()))
    return fault(
        "provider",
        name,
        "doctor-provider-failed",
        hint[0],
        model=provider.model_name(),
        capability=Word(capability),
        error=text,
        key=", ".join(keys) or "api_key",
        proxy=_proxy_names(),
        provider=name,
        line=hint[1],
    )


def _limit_findings(
    name: str, outcomes: Mapping[Capability, AttemptResult]
) -> Iterator[DoctorFinding]:
    seen = next((each.limits for each in outcomes.values() if each.limits), None)
    if seen is not None:
        values = {"requests": _limit_text(seen.requests), "tokens": _limit_text(seen.tokens)}
        facts = {"requests": seen.requests._asdict(), "tokens": seen.tokens._asdict()}
        yield DoctorFinding("limits", name, "ok", Problem("doctor-limits", None, values), facts)


def _limit_text(seen: LimitSeen) -> str:
    if seen.limit is None and seen.remaining is None:
        return "?"
    left = "?" if seen.remaining is None else f"{seen.remaining:,.0f}"
    return f"{left}/{'?' if seen.limit is None else f'{seen.limit:,.0f}'}"


def _advice_for(failure: CallFailed) -> str:
    """The hint's slug."""
    text = failure.message.lower()
    by_words = next((slug for words, slug in _BY_WORDS if re.search(words, text)), None)
    if failure.status in _BY_STATUS and by_words not in ("doctor-quota", "doctor-model"):
        return _BY_STATUS[failure.status]
    if failure.status is None and by_words in _UNREACHED and _proxies() and not _is_local(text):
        return f"{by_words}-proxy"
    return by_words or "doctor-provider"


def _is_local(text: str) -> bool:
    return text.startswith(("127.0.0.1", "localhost", "[::1]"))


def _proxy_names() -> str:
    """The environment variables that set a proxy."""
    return ", ".join(f"{scheme}_proxy" for scheme in sorted(_proxies()))


def _proxies() -> set[str]:
    return {scheme for scheme in getproxies() if scheme in ("http", "https", "all")}
