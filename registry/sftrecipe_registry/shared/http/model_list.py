"""The models that a server lists under `/models`, and whether one is among them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sftrecipe.plugin import CallFailed, Connecting, MachineCheck, Text, Texts
from sftrecipe_registry.shared.http.endpoint import Endpoint, OpenAIAdapter, open_endpoint
from sftrecipe_registry.shared.http.failures import failure_of
from sftrecipe_registry.shared.http.reply_json import parse_json, plain_text

texts = Texts(__package__)
_PREFIX = "models/"
"""Before every name that Gemini lists, and before none that it takes."""
_SHOWN = 3
_PAGES = 20
_DATES = (
    "shutdown_date", "deprecation", "deprecation_date", "expiration_date", "retirement_date",
)  # fmt: skip
"""Under which a server tells a model's last day (Mistral, OpenRouter and others)."""
_GONE = ("shutdown", "retiring", "retired", "deprecated", "offline", "archived", "withdrawn")
"""Values of an entry's `status` (Ark and others)."""


class ModelList(OpenAIAdapter):
    """Asks for the list."""

    async def entries(self) -> Mapping[str, Mapping[str, Any]] | None:
        """What is told of each model by its name; None where the server has no such list."""
        found: dict[str, Mapping[str, Any]] = {}
        query = ""
        for _ in range(_PAGES):
            told = await self._page(query)
            entries = _entries(told)
            if not entries or entries.keys() <= found.keys():
                break
            found |= entries
            last = told.get("last_id") if isinstance(told, Mapping) else None
            if not isinstance(last, str) or not told.get("has_more"):
                break
            query = f"?{urlencode({'after_id': last, 'after': last})}"  # Anthropic's word, OpenAI's
        return found or None

    async def _page(self, query: str) -> Any:
        """What is told at the address of the list; None where there is none."""
        import aiohttp  # noqa: PLC0415 - imported when the connection was opened

        address = f"{self._base}/models{query}"
        try:
            async with self._http.get(
                address, proxy=self._proxy, allow_redirects=False
            ) as response:
                status, headers = response.status, response.headers
                content = await self._read(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._broken_off(error, None) from None
        if not 200 <= status < 300:
            if status in (404, 405, 501):
                return None
            raise failure_of(status, content, headers)
        parsed = parse_json(content)
        return parsed.value if parsed else None


async def check_listed(endpoint: Endpoint, connecting: Connecting) -> Sequence[MachineCheck]:
    """What the server's own list says of the endpoint's model; nothing where it has no list."""
    try:
        async with open_endpoint(endpoint, connecting, ModelList) as asked:
            assert isinstance(asked, ModelList)  # noqa: S101 - opened as one
            listed = await asked.entries()
    except CallFailed as failure:
        return [MachineCheck("warning", texts("list-unreadable", failure=failure.message))]
    return [listed_check(endpoint.model, listed)] if listed else []


def listed_check(model: str, listed: Mapping[str, Mapping[str, Any]]) -> MachineCheck:
    """Whether a model is listed, and until when."""
    if model not in listed:
        near = difflib.get_close_matches(model, listed, n=_SHOWN, cutoff=0.4)
        advice = texts("near-listed", names=", ".join(near)) if near else _some_listed(listed)
        return MachineCheck("warning", texts("not-listed", model=model), advice)
    told = listed[model]
    ends = next((told[name] for name in _DATES if told.get(name)), None)
    if isinstance(ends, str):
        return MachineCheck("warning", texts("withdrawn-on", model=model, day=ends[:20]))
    status = str(told.get("status")).lower()
    if status in _GONE or told.get("active") is False or told.get("deprecated") is True:
        if status in _GONE:
            return MachineCheck("warning", texts("withdrawn-as", model=model, status=status))
        return MachineCheck("warning", texts("not-active", model=model))
    return MachineCheck("ok", texts("listed", model=model))


def _some_listed(listed: Mapping[str, Any]) -> Text:
    """Which models the server has, the first of them."""
    names, more = ", ".join(sorted(listed)[:_SHOWN]), len(listed) - _SHOWN
    if more > 0:
        return texts("lists-and-more", names=names, more=more)
    return texts("lists", names=names)


def _entries(told: Any) -> dict[str, Mapping[str, Any]] | None:
    """The entries of a list in OpenAI's form: `{data: [{id: …}]}`, or the bare list."""
    data = told.get("data") if isinstance(told, Mapping) else told
    if not isinstance(data, list):
        return None
    entries = [each for each in data if isinstance(each, Mapping) and each.get("id")]
    return {plain_text(each["id"])[:200].removeprefix(_PREFIX): each for each in entries}
