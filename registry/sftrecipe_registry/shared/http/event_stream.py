"""A reply that comes as a stream of events: cut into events, and put together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.plugin import Texts
from sftrecipe_registry.shared.http.failures import fault_of
from sftrecipe_registry.shared.http.reply_inflation import mangled, unreadable
from sftrecipe_registry.shared.http.reply_json import parse_json

texts = Texts(__package__)
LARGEST = 32 * 1024 * 1024
"""Bytes of a reply that are read at most, once it is inflated and put together."""
UNFINISHED = "unfinished"
"""The end of a reply whose stream was closed in order, without a word of how the reply ended."""
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
_SAID_ONCE = ("role", "id", "type", "index")
"""Parts of a delta that are told again and again, and do not grow."""
_LAST = ("response.completed", "response.incomplete", "response.failed")
"""Events of the Responses API that hold the whole reply."""
_A_PART = 64
"""Bytes that a part of a reply takes beside its text, about."""


class Events:
    """Cuts pieces of a body into events, wherever the pieces are cut themselves."""

    def __init__(self) -> None:
        self.done = False
        """Whether the server said that nothing follows."""
        self.note = ""
        self._cut: list[bytes] = []
        """What came of a line so far."""
        self._held = 0
        self._data: list[bytes] = []
        self._is_error = False

    def feed(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """The events that are whole with this piece. Raises CallFailed."""
        self._held += len(piece)
        if self._held > LARGEST:
            raise unreadable(texts("event-too-long", most=LARGEST))
        if b"\n" not in piece and b"\r" not in piece and not self._ends_with_return():
            self._cut.append(piece)
            return
        lines = b"".join((*self._cut, piece)).splitlines(keepends=True)
        rest = b"" if lines[-1].endswith(b"\n") else lines.pop()  # `\r` may be half of `\r\n`
        self._cut, self._held = [rest], len(rest)
        for line in lines:
            yield from self._line(line.rstrip(b"\r\n"))

    def end(self) -> Iterator[dict[str, Any]]:
        """What is left where the stream ended without a last line break. Raises CallFailed."""
        for line in b"".join(self._cut).splitlines():
            yield from self._line(line)
        yield from self._line(b"")

    def _ends_with_return(self) -> bool:
        return bool(self._cut) and self._cut[-1].endswith(b"\r")

    def _line(self, line: bytes) -> Iterator[dict[str, Any]]:
        line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            if any(part.strip() for part in self._data):
                raise mangled(texts("event-not-json"))
            self._data, self._is_error = [], False
        elif line.startswith(b"data:"):
            self._data.append(line[5:])
            yield from self._event()
        elif line.startswith(b"event:"):
            self._is_error = line[6:].strip() == b"error"
        elif line.startswith(b"{"):  # an error that a gateway puts between events
            self._data = [line]
            yield from self._event()

    def _event(self) -> Iterator[dict[str, Any]]:
        """The event, where its lines so far are one."""
        content = b"\n".join(self._data).strip()
        if content == b"[DONE]":
            self.done, self._data = True, []
            return
        parsed = parse_json(content) if content else None
        if parsed is None or not isinstance(parsed.value, dict):
            return
        self._data, self.note = [], self.note or parsed.note
        told = parsed.value
        yield {"error": told} if self._is_error and not told.get("error") else told


class _Pieces(list[str]):
    """A text that grows."""


class StreamedReply:
    """What a stream's events are together, in the form of a reply that came at once."""

    def __init__(self) -> None:
        self.note = ""
        self.last: dict[str, Any] | None = None
        """The Responses API's whole reply, once it came."""
        self._head: dict[str, Any] = {}
        self._choice: dict[str, Any] = {}
        self._message: dict[str, Any] = {}
        self._ending: Any = None
        self._usage: Any = None
        self._items: list[Any] = []
        """The Responses API's items so far: some gateways end with a reply that has none."""
        self._count = 0
        self._size = 0

    def add(self, event: Mapping[str, Any]) -> None:
        """Put an event to those before. Raises CallFailed for more than a reply may be."""
        kind = event.get("type")
        if kind in _LAST and isinstance(event.get("response"), dict):
            whole = event["response"]
            self.last = whole if whole.get("output") else {**whole, "output": self._items}
            return
        if kind == "response.output_item.done":
            self._items.append(event.get("item"))
            self._size += len(str(event))
            self._check_size()
        if isinstance(kind, str) and kind.startswith("response."):
            return  # the last one holds all of it
        choices = event.get("choices")
        self._usage = event.get("usage") or self._usage
        self._head.update(
            (name, value) for name, value in event.items() if name not in ("choices", "usage")
        )
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, Mapping) and choice.get("index") in (0, None):
                self._add_choice(choice)
        self._check_size()

    def _check_size(self) -> None:
        if self._size > LARGEST:
            raise unreadable(texts("reply-too-long", most=LARGEST))

    def _add_choice(self, choice: Mapping[str, Any]) -> None:
        self._count += 1
        self._usage = choice.get("usage") or self._usage  # Moonshot
        self._ending = choice.get("finish_reason") or self._ending
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, Mapping):
            if not choice.get("delta") and self._is_whole(delta):
                self._message = {}  # some servers say it all again at the end
            self._grow(self._message, delta)
        rest = ("delta", "message", "finish_reason", "usage")
        self._grow(self._choice, {name: choice[name] for name in choice if name not in rest})

    def _is_whole(self, message: Mapping[str, Any]) -> bool:
        """Whether it is what came so far, and what may follow."""
        known, told = self._message.get("content"), message.get("content")
        if not isinstance(known, _Pieces) or not isinstance(told, str):
            return False
        return bool(known) and told.startswith("".join(known))

    def whole(self, *, done: bool) -> dict[str, Any]:
        """The reply; `done`: the server said that nothing follows. Raises CallFailed for one that
        was broken off."""
        if self.last is not None:
            return self.last
        if self._ending is None and not done:
            raise mangled(texts("stream-broke-off"))
        if self._ending is None:
            self.note = texts("end-unsaid")
        message = {"role": "assistant", "content": "", **_joined(self._message)}
        choice = {"text": "", **_joined(self._choice), "message": message}
        choice["finish_reason"] = self._ending or UNFINISHED
        choices = [choice] if self._count else []
        return {**self._head, "choices": choices, "usage": self._usage}

    def _grow(self, into: dict[str, Any], delta: Mapping[str, Any]) -> None:
        for name, value in delta.items():
            known = into.get(name)
            if value is None or (name in _SAID_ONCE and known not in (None, "")):
                into.setdefault(name, value)
            elif isinstance(value, str) and name not in _SAID_ONCE:
                self._grow_text(into, name, value)
            elif isinstance(value, list):
                into[name] = self._grown(known, value)
            elif isinstance(value, Mapping):
                into[name] = known if isinstance(known, dict) else {}
                self._grow(into[name], value)
            else:
                into[name] = value

    def _grow_text(self, into: dict[str, Any], name: str, value: str) -> None:
        known = into.get(name)
        self._size += len(value)
        if isinstance(known, list) and not isinstance(known, _Pieces):
            into[name] = self._grown(known, [{"type": "text", "text": value}])
        elif not isinstance(known, _Pieces):
            into[name] = _Pieces([value])
        elif name != "name" or "".join(known) != value:  # some tell a tool's name every time
            known.append(value)

    def _grown(self, known: Any, more: list[Any]) -> list[Any]:
        if isinstance(known, _Pieces):
            known = [{"type": "text", "text": known}]
        items: list[Any] = known if isinstance(known, list) else []
        for each in more:
            self._size += _A_PART
            same = _continued(items, each) if isinstance(each, Mapping) else None
            if same is None and isinstance(each, Mapping):
                same = {}
                items.append(same)
            if same is None:
                items.append(each)
            else:
                self._grow(same, each)
        return items


def _continued(items: list[Any], part: Mapping[str, Any]) -> dict[str, Any] | None:
    """The part of a list that another one goes on with: of its index and id; of texts the last."""
    if "index" in part or "function" in part:
        for item in reversed(items):
            same = "index" not in part or item.get("index") == part["index"]
            if same and (not part.get("id") or item.get("id") in (None, "", part["id"])):
                found: dict[str, Any] = item
                return found
        return None
    last = items[-1] if items else None
    is_same = isinstance(last, dict) and "type" in part and last.get("type") == part["type"]
    return last if is_same else None


def _joined(value: Any) -> Any:
    if isinstance(value, _Pieces):
        return "".join(value)
    if isinstance(value, list):
        return [_joined(each) for each in value]
    if isinstance(value, dict):
        return {name: _joined(each) for name, each in value.items()}
    return value


def is_stream(start: bytes) -> bool:
    """Whether a body that begins so is a stream of events."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(_FIELDS)


def put_together(content: bytes) -> dict[str, Any] | None:
    """The reply that the events of a body are, though none were asked for; None where it is none.

    An event that is an error is the reply. Raises CallFailed.
    """
    if not is_stream(content):
        return None
    events, reply = Events(), StreamedReply()
    seen = False
    for step in (events.feed(content), events.end()):
        for event in step:
            if fault_of(event):
                return event
            seen = True
            reply.add(event)
    return reply.whole(done=events.done) if seen else None
