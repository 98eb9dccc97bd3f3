"""Providers: who is asked. One attempt of one call, and what can go wrong with it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol, runtime_checkable

from annotated_types import Ge, Gt
from pydantic import Field

from sftrecipe.messages import Text, own_text
from sftrecipe.plugin.base import Capability, MachineCheck, OptionProblem, Plugin
from sftrecipe.plugin.option_types import STEERING
from sftrecipe.record import ToolCall

RequestKind = Literal["chat", "complete", "embed", "loglikelihood", "reward"]
Outcome = Literal["retry", "wait", "refused", "final"]
"""What a failed attempt means: try again; try again after a pause (rate limit); the content was
refused, never ask again; it cannot succeed."""


Blame = Literal["", "row", "provider", "recipe"]
"""Whose fault a failure is: the row's own (another row may well be answered), the provider's (no
call fares better), the recipe's (a parameter that the provider does not take); empty: not known."""

CALL_FAILED = "call_failed"
"""The reason of a row that was lost because its call failed for good: it may be asked again."""
CONTEXT_TOO_LONG = "context_too_long"
"""The reason of a row that does not fit into the model's context."""
REQUEST_TOO_LARGE = "request_too_large"
"""The reason of a row whose request is larger than the server takes."""
UNREADABLE_REPLY = "unreadable_reply"
"""The reason of a row whose reply came, and could not be read."""
KEPT_REASONS = frozenset({CONTEXT_TOO_LONG, REQUEST_TOO_LARGE, UNREADABLE_REPLY})
"""Failures that asking again does not cure: the ledger keeps them until `--retry-failed`."""
ASKED_AGAIN = KEPT_REASONS | {CALL_FAILED}
"""Reasons of lost rows that `--retry-failed` asks again."""
CALL_REASONS = ASKED_AGAIN | {"refused"}
"""Reasons of rows that were lost because a call brought no reply."""
MOST_TOKENS = 2_097_152
"""Tokens of a prompt or a reply above which nothing is believed that is told."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: everything that the reply depends on, and nothing else."""

    kind: RequestKind
    messages: tuple[Mapping[str, Any], ...] = ()
    """Chat turns, for `chat`; for `reward` the last one is the answer."""
    prompt: str = ""
    """The text, for `complete`, `embed` and `loglikelihood`."""
    answer: str = ""
    """The given answer, for `loglikelihood`."""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """temperature, top_p, min_p, max_tokens, stop, seed, logprobs, … in OpenAI's names; `extra`,
    `thinking`, `reasoning_effort` and `omit` as a block writes them."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema that the reply must follow."""
    tools: tuple[Mapping[str, Any], ...] = ()
    """Tools that the model may call, in OpenAI's form."""
    sample: int = 0
    """Number of the sample: the same request with another number is another call."""


class Answer(NamedTuple):
    """What came back."""

    text: str
    """What was written, without the thought before it; for `reward` the number, as `repr` writes
    it."""
    finish_reason: str = "stop"
    input_tokens: int = 0
    """As the server tells; 0 where it tells nothing that can be believed."""
    output_tokens: int = 0
    """Thoughts among them; 0 as above."""
    logprobs: tuple[float, ...] = ()
    """Of the written tokens, or of the given answer's for `loglikelihood`."""
    vector: tuple[float, ...] = ()
    raw: str = ""
    """The reply's body as it came (JSON text)."""
    cached_tokens: int = 0
    """Input tokens that the server had in its cache, among `input_tokens`."""
    note: str = ""
    """What was odd about the reply, and was put right or left out."""
    reasoning: str = ""
    """The thought before the answer, in whatever form it came."""
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning_tokens: int = 0
    """Of the thought, among `output_tokens`, as the server tells; 0 where it does not."""


class CallFailed(Exception):
    """An attempt, or at last a call, that brought no reply."""

    def __init__(
        self,
        outcome: Outcome,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        key: str = "",
        reason: str = CALL_FAILED,
        blame: Blame = "",
        parameter: str = "",
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.status = status
        self.retry_after = retry_after
        """Seconds."""
        self.key = key
        """Ledger key of the call that failed; empty for one that was never asked."""
        self.reason = "refused" if outcome == "refused" else reason
        """The reason written beside a lost row."""
        known = self.reason != CALL_FAILED and outcome in ("refused", "final")
        self.blame: Blame = blame or ("row" if known else "")
        self.parameter = parameter
        """The parameter that the server names."""
        self.remedy = ""
        """What the recipe has to say for it to be taken, as YAML; empty: nobody knows."""
        self.reply: Answer | None = None
        """What came, where a reply counts as a failure: it tells what it took."""

    @property
    def message(self) -> str:
        """What happened."""
        said: str = self.args[0]
        return said

    @message.setter
    def message(self, message: str) -> None:
        self.args = (message,)


class TimedOut(CallFailed):
    """No reply in time: it may have been written, and billed, all the same."""

    def __init__(self, message: str) -> None:
        super().__init__("retry", message)


class Unreached(CallFailed):
    """Nobody was there to take the request: no such host, nothing listens, no certificate."""

    def __init__(self, message: str) -> None:
        super().__init__("retry", message)


def no_reply_text(seconds: float) -> Text:
    """What is said of a call that was given up after so long."""
    return own_text("no-reply", seconds=seconds)


class Adapter(Protocol):
    """An open connection to a provider."""

    async def send(self, request: Request) -> Answer:
        """One attempt. Raises CallFailed, classified; never retries by itself."""


class Connecting(Protocol):
    """What a provider is given to connect: secrets and the user's settings."""

    def secret(self, value: str) -> str:
        """The value with `${env:NAME}` filled in; never log it."""

    @property
    def concurrency(self) -> int:
        """How many calls may be in flight at most."""

    @property
    def limits(self) -> Limits:
        """The recipe's limits."""

    @property
    def folder(self) -> Path:
        """The project's folder for what a provider must find again after the engine was killed: a
        server that it started, a batch under way. May not exist yet; shared by all providers."""

    def progress(self, text: str) -> None:
        """One line that tells the user what is being waited for."""


TokenCounter = Callable[[Request], int]
"""Gives the tokens that a request puts into the model."""


class Limits(Plugin):
    """How fast a provider may be asked. Not part of any key."""

    kind: ClassVar[str] = "limits"
    rpm: Annotated[int, Gt(0)] | None = None
    """Requests a minute."""
    tpm: Annotated[int, Gt(0)] | None = None
    """Tokens a minute."""
    concurrency: Annotated[int, Gt(0)] | None = None
    """Calls in flight at the same time."""
    timeout: Annotated[float, Gt(0)] = 600.0
    """Seconds for a whole call, and for all its waits that a server asks for, up to 10 minutes; in
    a batch 26 hours where left out."""
    connect_timeout: Annotated[float, Gt(0)] = 20.0
    """Seconds until a connection stands."""
    first_byte_timeout: Annotated[float, Gt(0)] | None = None
    """Seconds until a reply begins, and between two parts of it; `timeout` alone where left out,
    since most servers send nothing before the whole reply is written."""
    attempts: Annotated[int, Gt(0)] = 6
    """Attempts of one call before its row is rejected; those of an outage are not counted."""
    stop_after_failures: Annotated[int, Gt(0)] = 20
    """Failed attempts without a reply in between from which calls leave one at a time; the run
    stops with the provider's message if none is answered then for 90 seconds while others wait."""


class Price(Plugin):
    """What a provider's tokens cost."""

    kind: ClassVar[str] = "price"
    input: Annotated[float, Ge(0)]
    """Per million input tokens."""
    output: Annotated[float, Ge(0)]
    """Per million output tokens, thoughts among them."""
    cached_input: Annotated[float, Ge(0)] | None = None
    """Per million input tokens that the server had in its cache; as `input` where left out."""
    currency: Literal["CNY", "USD"] = "USD"
    """The price's currency."""

    @property
    def of_cached(self) -> float:
        """Per million cached input tokens."""
        return self.input if self.cached_input is None else self.cached_input

    @property
    def free(self) -> bool:
        """Whether the recipe says that nothing costs anything."""
        return not (self.input or self.output or self.of_cached)


class Provider(Plugin):
    """Somebody who answers: a vendor's endpoint, a local server, an embedded model."""

    kind: ClassVar[str] = "provider"

    limits: Limits = Field(default_factory=Limits)
    """Requests and tokens a minute, calls in flight, timeout, attempts."""
    price: Price | None = None
    """Price per million tokens; known prices are looked up where it is left out."""

    @property
    def default_concurrency(self) -> int:
        """Calls in flight where neither the recipe nor the user says; a class variable will do."""
        return 16

    @property
    def default_timeout(self) -> float:
        """Seconds for a whole call where the recipe says nothing."""
        return 600.0

    @property
    def deferred(self) -> bool:
        """Whether it goes on with its calls without the engine, and keeps the replies for it.

        Such calls cost the model's batch price; a run that ends does not wait for them, since the
        next one picks them up.
        """
        return False

    def effective_limits(self) -> Limits:
        """The recipe's limits, with the provider's own timeout where the recipe gives none."""
        if "timeout" in self.limits.model_fields_set:
            return self.limits
        return self.limits.model_copy(update={"timeout": self.default_timeout})

    @abstractmethod
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""

    @abstractmethod
    def model_name(self) -> str:
        """The model, as the ledger and the report name it."""

    def sends(self) -> Mapping[str, str]:
        """Option value that holds a secret (`${env:NAME}`) → URL or host that it is sent to.

        The engine refuses a pair of variable and host that neither the vendor nor the user allows.
        """
        return {}

    def token_counter(self) -> TokenCounter | None:
        """What counts a request's tokens as the model does, for `plan`; None: nothing is at hand.

        From files on this machine, in a tenth of a second or so: nobody is asked.
        """
        return None

    @abstractmethod
    def connect(self, connecting: Connecting) -> AbstractAsyncContextManager[Adapter]:
        """Open it for a run, and close it (with every process that it started) at the end."""

    async def check_server(self, connecting: Connecting) -> Sequence[MachineCheck]:
        """What its server has or lacks beside calls, asked by `doctor`; costs nothing."""
        return ()

    @classmethod
    def fetch_model(cls, name: str, say: Callable[[str], None], *, again: bool = False) -> Path:
        """Fetch a model that it brings by a name, and return its file; `again`: one that is there
        is looked at closely. Raises PluginRefused with the reason."""
        from sftrecipe.plugin.plugin_kinds import PluginRefused  # noqa: PLC0415 - it imports this

        raise PluginRefused(own_text("provider-brings-none", provider=cls.__name__))

    def at_once(self) -> Provider:
        """The same provider, to be tried: one that defers its calls gives one that answers now."""
        return self

    def sampling_problems(self, sampling: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """What this provider cannot do of what a block writes; asked at `validate`.

        Paths are the sampling's names. No network, no heavy import.
        """
        for name in STEERING:
            if name in sampling:
                told = own_text("not-over-http", name=name)
                yield OptionProblem((name,), told, own_text("remove-key", name=name), at_key=True)

    def identity(self) -> dict[str, object]:
        """Model and revision: what a ledger key and a step's key say of the provider."""
        return {"model": self.model_name()}


class LimitSeen(NamedTuple):
    """One limit; None: not told."""

    limit: float | None = None
    """Units in one period: a minute with most vendors, a day with some."""
    remaining: float | None = None
    """Units that may still be used."""
    reset: float | None = None
    """Seconds until all of them may be used again."""


class LimitsSeen(NamedTuple):
    """The limits on requests and on tokens."""

    requests: LimitSeen
    tokens: LimitSeen


@runtime_checkable
class TellsLimits(Protocol):
    """An adapter that passes on what servers tell of their limits; the engine paces by it."""

    limits_seen: LimitsSeen | None
    """Of the reply that `send` got last, whether it returned or raised; None: it told nothing.

    Read at once when `send` ends: set it after the last `await` that may let another call run.
    """

    async def send(self, request: Request) -> Answer:
        """One attempt, as every adapter makes it."""
