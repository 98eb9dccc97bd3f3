"""Letting a model write the user's turn: where it begins, where it ends, what is no whole turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    Context,
    InputFile,
    OptionFiles,
    OptionProblem,
    Reply,
    Sampling,
    Texts,
    closest,
    error_text,
)
from sftrecipe_registry.methods.magpie.pre_query import (
    NoPreQuery,
    PreQuery,
    as_given,
    by_chat_template,
    by_family,
    families,
    family_of,
)
from sftrecipe_registry.shared.replies.chat_template import Turns
from sftrecipe_registry.shared.replies.reply import Lost

texts = Texts(__package__)

_WAYS = ("family", "chat_template", "pre_query")
_BROKEN = "\ufffd"
_ENDS = ".?!。？！…\"'”’):;"


class Written(NamedTuple):
    """What a model wrote as the user's turn."""

    text: str
    replies: tuple[Reply, ...]
    lost: Lost | None
    """Why it is no whole turn; None where it is."""


class UserTurn(Sampling):
    """Options of generators that let a model write what a user says (Magpie)."""

    family: str | None = None
    """How the model marks turns: `llama3`, `qwen2`, `qwen2.5`, `smollm2`, `gemma2` … or the name of
    a model of these. One of `family`, `chat_template` and `pre_query` is given."""
    chat_template: InputFile | None = None
    """The model's `tokenizer_config.json` or `chat_template.jinja`, from which it is derived."""
    pre_query: str | None = None
    """The text itself that the model goes on with."""
    early_stop: bool = True
    """End at the first line break, as the released code does: some models answer after it."""
    stop_ids: bool = False
    """Send the ids of the special tokens as well (vLLM: `stop_token_ids`)."""
    add_special_tokens: bool | None = None
    """Whether the server puts its own mark before the text (vLLM); false where the template begins
    with one already. Left out: the server's default."""
    first_token_temperature: Annotated[float, Gt(0), Le(2)] | None = None
    """Temperature of the first token, for more variety (the released code's "flaming": 1.2 times
    the others'). The first token is then a call of its own."""
    first_token_bias: dict[str, Annotated[float, Ge(-100), Le(100)]] = {}
    """Token id → added to the first token's log-odds: {"2": -100, "567": -100, "827": -100,
    "14711": -100} keeps Llama-3.1 from opening with `#`. A call of its own, too."""
    strict_original: bool = False
    """Keep turns that ended at `max_tokens`, and those that the bare word `assistant` cut off in
    the middle of a sentence, as the released code does."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 1.0
    """Sampling temperature."""
    top_p: Annotated[float, Gt(0), Le(1)] | None = 1.0
    """Nucleus sampling: the share of probability to draw from."""
    max_tokens: Annotated[int, Gt(0)] | None = 2048
    """Tokens to write at most."""

    def template_problems(
        self, files: OptionFiles, turns: Sequence[Mapping[str, str]]
    ) -> Iterator[OptionProblem]:
        """No template, more than one, or one that cannot take such turns."""
        given = [name for name in _WAYS if getattr(self, name) is not None]
        if not given:
            yield OptionProblem((), texts("turns-unknown"), f"family: {' | '.join(families())}")
        for name in given[1:]:
            told = texts("both-set", one=name, other=given[0])
            yield OptionProblem((name,), told, at_key=True)
        if self.family is not None and family_of(self.family) is None:
            near = closest(self.family, families())
            told = texts("family-unknown", family=self.family)
            yield OptionProblem(("family",), told, f"family: {near or ' | '.join(families())}")
        elif given and (self.chat_template is None or self.chat_template in files.paths):
            try:
                self.template(files).text(turns)
            except NoPreQuery as error:
                yield OptionProblem((given[0],), error_text(error))
        for token in self.first_token_bias:
            if not token.isdecimal():
                yield OptionProblem(("first_token_bias", token), texts("no-token-id", token=token))

    def template(self, files: OptionFiles) -> PreQuery:
        """The pre-query template. Raises NoPreQuery."""
        if self.family is not None:
            return by_family(self.family)
        if self.chat_template is not None:
            return by_chat_template(files.text(self.chat_template))
        return as_given(self.pre_query or "")

    def calls_a_turn(self) -> int:
        """Calls for one turn."""
        return 2 if self._opens_apart() else 1

    async def written(self, turns: Turns, sample: int, ctx: Context) -> Written:
        """The user's turn after these turns. Raises CallFailed."""
        template = ctx.once("template", lambda: self.template(ctx.files))
        try:
            prompt = template.text(turns)
        except NoPreQuery as error:  # these turns alone: validate tried usual ones
            return Written("", (), Lost("prompt_failed", str(error)))
        sampling = self._sampling(template)
        opening = ""
        replies: list[Reply] = []
        if self._opens_apart():
            first = await ctx.model.complete(
                prompt, sample=sample, sampling=self._first_token(sampling)
            )
            replies.append(first)
            opening = first.text
            if _BROKEN in opening:
                return Written("", tuple(replies), Lost("broken_character"))
            if not first.cut_off or not opening:
                return self._written_turn(opening, replies, template)
        reply = await ctx.model.complete(prompt + opening, sample=sample, sampling=sampling)
        replies.append(reply)
        return self._written_turn(opening + reply.text, replies, template)

    def _written_turn(self, raw: str, replies: Sequence[Reply], template: PreQuery) -> Written:
        ends = [raw.find(stop) for stop in self._stops(template) if stop in raw]
        cut = raw[: min(ends)] if ends else raw
        return Written(cut.strip(), tuple(replies), self._loss(cut, replies[-1], bool(ends)))

    def _loss(self, raw: str, last: Reply, ended: bool) -> Lost | None:
        if not raw.strip():
            return Lost("empty_instruction")
        if self.strict_original:
            return None
        if last.cut_off and not ended:
            return Lost("cut_off", last.output_tokens or None)
        # A space after the last word: a stop word was the next one in the sentence.
        unended = raw.endswith(" ") and raw.rstrip()[-1] not in _ENDS
        return Lost("stop_word") if unended else None

    def _stops(self, template: PreQuery) -> list[str]:
        line = ("\n",) if self.early_stop else ()
        stops = (*template.stop, *template.stop_words, *line, *self.stop)
        return list(dict.fromkeys(stops))

    def _sampling(self, template: PreQuery) -> dict[str, Any]:
        sampling = self.sampling() | {"stop": self._stops(template)}
        if self.stop_ids and template.stop_ids:
            sampling["stop_token_ids"] = list(template.stop_ids)
        if self.add_special_tokens is not None:
            sampling["add_special_tokens"] = self.add_special_tokens
        return sampling

    def _opens_apart(self) -> bool:
        return self.first_token_temperature is not None or bool(self.first_token_bias)

    def _first_token(self, sampling: Mapping[str, Any]) -> dict[str, Any]:
        first = {**sampling, "max_tokens": 1}
        if self.first_token_temperature is not None:
            first["temperature"] = self.first_token_temperature
        if self.first_token_bias:
            first["logit_bias"] = self.first_token_bias
        return first
