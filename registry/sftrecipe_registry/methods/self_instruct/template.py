"""Self-instruct from a template: seeds and entities drawn into a prompt, items out of the reply."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt

from sftrecipe.plugin import (
    CallFailed,
    Capability,
    Context,
    Expected,
    Filled,
    Generator,
    InputFile,
    Inputs,
    LaterMarker,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reject,
    Reply,
    Rows,
    Sampling,
    Texts,
    template_keys,
)
from sftrecipe_registry.methods.self_instruct.numbered_list import parse_numbered
from sftrecipe_registry.methods.self_instruct.seed_examples import drawn, seed_example
from sftrecipe_registry.shared.files.plain_yaml import plain_yaml
from sftrecipe_registry.shared.replies.json_items import find_items
from sftrecipe_registry.shared.replies.reply import nothing_said

texts = Texts(__package__)

_VARIABLES = frozenset({"examples", "entities", "count", "number"})
_TEXTS = ("instruction", "input", "output")
_REPAIR = {
    "en": "That was not the JSON list asked for. Send the same items again as one JSON list of "
    'objects with the keys "instruction", "input" and "output", and nothing else.',
    "zh": "这不是所要求的 JSON 列表。请把同样的内容重新写成一个 JSON 列表，"
    "每个对象只有 instruction、input、output 三个键，不要有其他文字。",
}


@dataclass(frozen=True)
class _Draw:
    """One call: the seeds shown, the entities named, and which sample of equal prompts it is."""

    examples: tuple[Record, ...]
    entities: dict[str, str]
    prompt: Filled
    sample: int


class SelfInstruct(Sampling, Generator):
    """Write new instructions after seed examples, steered by entities drawn from dictionaries.

    Each of `rounds` × `seeds_per_round` calls shows drawn seeds and one entity of each dictionary.
    A chat model answers with a JSON list of items; a small model completes a numbered list. The
    paper's own stages are `self_instruct_bootstrap`, `self_instruct_classify`,
    `self_instruct_instances` and `self_instruct_format`.
    """

    version: ClassVar[str] = "1"
    paper: ClassVar[str] = (
        "Wang et al. 2023, Self-Instruct (arXiv 2212.10560), with the template mode of the ERNIE "
        "medical project: one seed and one disease a call"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "copies_example": (),
        "not_text": (),
        "no_instruction": (),
        "no_output": (),
        "not_json": ("repairs",),
        "not_an_object": (),
        "empty": (),
    }
    example: ClassVar[str] = """\
- id: ask
  use: self_instruct
  from: seeds
  provider: teacher
  with:
    template: medical/prompt.zh.j2
    entities: {disease: medical/diseases.zh.yaml}
    rounds: 20
    seeds_per_round: 3
"""

    template: Annotated[
        str,
        PromptMarker(
            variables=_VARIABLES, columns=False, shows=(frozenset({"examples", "entities"}),)
        ),
    ]
    """Jinja2 file; it is given `examples` (the seeds' columns), `entities`, `count` and `number`
    (of the list's next item)."""
    entities: dict[str, InputFile] = {}
    """Name → YAML or JSON file with a list of values, or lists by category."""
    rounds: Annotated[int, Gt(0)] = 20
    """Rounds of calls."""
    seeds_per_round: Annotated[int, Gt(0)] = 3
    """Calls in a round, each with a different seed."""
    distinct_entities: Annotated[bool, LaterMarker()] = False
    """Draw different entities of a dictionary for the calls of a round, as the original project
    does; else two of them may show the same one."""
    examples: Annotated[int, Gt(0)] = 1
    """Seeds shown in a prompt; those beyond the first are drawn beside it."""
    count: Annotated[int, Gt(0)] = 3
    """Items that the prompt asks for."""
    reply: Literal["json", "list"] = "json"
    """How the model answers: chat with a JSON list, or completion of a numbered list."""
    repairs: Annotated[int, Ge(0)] = 1
    """Times to ask again when a reply holds no JSON list."""
    legacy_clean: bool = False
    """Delete all white space, `'`, code fences and the word json from a reply before it is read, as
    the original project did: it spoils any text with spaces."""

    def required(self) -> frozenset[Capability]:
        """Chat, or raw completion for a numbered list."""
        return frozenset({"chat"} if self.reply == "json" else {"complete"})

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Entity files that hold no list of texts, or that the template does not use; seeds without
        instructions."""
        yield from self._entity_problems(files)
        for name, path in self.entities.items():
            if path in files.paths:
                yield from self._value_problems(name, path, _entity_values(files.text(path)))
        if self.distinct_entities and not self.entities:
            told = texts("no-entities")
            yield OptionProblem(("distinct_entities",), told, texts("give-entities"))
        if inputs is not None and "instruction" not in inputs:
            yield OptionProblem(
                ("template",),
                texts("no-column", column="instruction"),
                texts("name-in-source"),
            )

    def _value_problems(
        self, name: str, path: str, values: Sequence[str]
    ) -> Iterator[OptionProblem]:
        """A dictionary without values, or with too few for a round."""
        where, wanted = ("entities", name), self.seeds_per_round
        if not values:
            yield OptionProblem(where, texts("no-list", file=path), texts("write-list"))
        elif self.distinct_entities and len(values) < wanted:
            told = texts("too-few-values", file=path, values=len(values), calls=wanted)
            yield OptionProblem(where, told, texts("add-values"))

    def _entity_problems(self, files: OptionFiles) -> Iterator[OptionProblem]:
        """Entities that are drawn for nothing, or used without being given."""
        in_file = self.template in files.paths
        text = files.text(self.template) if in_file else self.template
        used = template_keys(text, "entities")
        if used is None:
            return
        for name in sorted(self.entities.keys() - used):
            told = texts("entity-unused", name=name)
            yield OptionProblem(("entities", name), told, texts("write-entity", name=name))
        needed = template_keys(text, "entities", required=True) or frozenset()
        for name in sorted(needed - self.entities.keys()):
            told = texts("entity-not-given", name=name)
            yield OptionProblem(("template",), told, texts("name-entity-file", name=name))

    def columns(self, inputs: Inputs) -> Inputs:
        """Columns of the items."""
        return frozenset(_TEXTS if self.reply == "json" else {"instruction"})

    def expected(self, least: int, most: int | None) -> Expected:
        """`rounds` × `seeds_per_round` calls, more where replies need repair.

        A model may send more items than the `count` it is asked for; they are kept.
        """
        fewest = self.rounds * min(self.seeds_per_round, least)
        calls = self.rounds * min(self.seeds_per_round, most or self.seeds_per_round)
        repaired = calls * (1 + self.repairs) if self.reply == "json" else calls
        one_line = self.reply == "list" and "\n" in self.stop
        items = calls * (self.count if self.reply == "json" else 1)
        return Expected((fewest, repaired), (0, items), likely=not one_line)

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """Items in the order of rounds and seeds, each with its seeds and its reply."""
        ask = self._ask_json if self.reply == "json" else self._ask_list
        draws = self._draws(rows, ctx)

        async def asked(draw: _Draw) -> list[Reply]:
            return await ask(draw, ctx)

        async for draw, replies in ctx.map(asked, draws):
            if isinstance(replies, CallFailed):
                yield ctx.reject(
                    _reject_columns(draw),
                    replies.reason,
                    replies.message,
                    parents=draw.examples,
                    replies=[replies],
                )
            else:
                for item in self._items(draw, replies, ctx):
                    yield item

    def _draws(self, rows: Rows, ctx: Context) -> Iterator[_Draw]:
        """The calls in order. A new seed or entity changes only the draws that it wins."""
        seeds = list({row.id: row for row in rows}.values())
        dictionaries = {
            name: _entity_values(ctx.files.text(path)) for name, path in self.entities.items()
        }
        template = ctx.prompt(self.template)
        times: Counter[str] = Counter()
        for number in range(self.rounds):
            left = {name: list(values) for name, values in dictionaries.items()}
            for seed in drawn(seeds, self.seeds_per_round, ctx, "seed", number):
                beside = [row for row in seeds if row.id != seed.id]
                shown = drawn(beside, self.examples - 1, ctx, "beside", number, seed.id)
                entities = self._entities(left, number, seed, ctx)
                examples = (*shown, seed)
                prompt = template.filled(
                    {
                        "examples": [seed_example(row) for row in examples],
                        "entities": entities,
                        "count": self.count,
                        "number": len(examples) + 1,
                    }
                )
                yield _Draw(examples, entities, prompt, times[prompt.text])
                times[prompt.text] += 1

    def _entities(
        self, left: dict[str, list[str]], number: int, seed: Record, ctx: Context
    ) -> dict[str, str]:
        """One value of each dictionary; it is taken out of those left where all are to differ."""
        named = {
            name: max(values, key=lambda value: ctx.number(name, number, seed.id, value))
            for name, values in left.items()
        }
        if self.distinct_entities:
            for name, value in named.items():
                left[name].remove(value)
        return named

    async def _ask_json(self, draw: _Draw, ctx: Context) -> list[Reply]:
        """The reply, and those to the repairs while there are no items in it."""
        turns = [{"role": "user", "content": draw.prompt.checked()}]
        replies: list[Reply] = []
        while True:
            reply = await ctx.model.chat(turns, sample=draw.sample, sampling=self.sampling())
            replies.append(reply)
            done = nothing_said(reply) or find_items(self._clean(reply.text)).items
            if done or len(replies) > self.repairs:
                return replies
            ctx.count("repairs")
            turns = [
                *turns,
                {"role": "assistant", "content": reply.text},
                {"role": "user", "content": _REPAIR["zh" if ctx.language == "zh" else "en"]},
            ]

    async def _ask_list(self, draw: _Draw, ctx: Context) -> list[Reply]:
        prompt, sampling = draw.prompt.checked(), self.sampling()
        return [await ctx.model.complete(prompt, sample=draw.sample, sampling=sampling)]

    def _items(
        self, draw: _Draw, replies: Sequence[Reply], ctx: Context
    ) -> Iterator[Record | Reject]:
        last = replies[-1]
        if lost_in_thought := nothing_said(last):
            columns = _reject_columns(draw)
            yield ctx.reject(columns, *lost_in_thought, parents=draw.examples, replies=replies)
            return
        if self.reply == "json":
            found = find_items(self._clean(last.text))
            items, lost = found.items, found.lost
        else:
            items, lost = _listed(last)
        for item in items:
            reason, columns = _checked(item)
            if reason is None and _copies(columns, draw.examples):
                reason = "copies_example"
            if reason:
                yield ctx.reject(columns, reason, parents=draw.examples, replies=replies)
            else:
                yield ctx.row(columns, parents=draw.examples, replies=replies, tags=draw.entities)
        for reason, text in lost:
            yield ctx.reject({"reply": text}, reason, parents=draw.examples, replies=replies)

    def _clean(self, text: str) -> str:
        if not self.legacy_clean:
            return text
        for word in ("```", "json", "'"):
            text = text.replace(word, "")
        return "".join(text.split())


def _reject_columns(draw: _Draw) -> dict[str, Any]:
    """What a reject shows of a call that brought nothing: its prompt, or the seed that it does not
    fit."""
    return dict(draw.examples[-1].columns) if draw.prompt.failed else {"prompt": draw.prompt.text}


def _entity_values(text: str) -> list[str]:
    """The texts of a list, or of lists by category; empty when it is neither."""
    try:
        loaded = plain_yaml(text)
    except ValueError:
        return []
    lists = loaded.values() if isinstance(loaded, dict) else [loaded]
    values = [value for each in lists if isinstance(each, list) for value in each]
    return list(dict.fromkeys(value for value in values if isinstance(value, str)))


def _listed(reply: Reply) -> tuple[list[dict[str, Any]], list[tuple[str, str]]]:
    """Items of a numbered list that the prompt left open at a number."""
    found = parse_numbered(reply.text, finish_reason=reply.finish_reason)
    return (
        [{"instruction": text} for text in found.items],
        [(lost.reason, lost.text) for lost in found.discards],
    )


def _checked(item: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The item's columns, and what is wrong with it."""
    instances = item.get("instances")
    if isinstance(instances, list) and instances and isinstance(instances[0], dict):
        item = {**item, **instances[0]}
    columns = {name: item[name] for name in _TEXTS if item.get(name) is not None}
    texts = {
        name: json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
        for name, value in columns.items()
    }
    if any(not isinstance(value, str) for value in texts.values()):
        return "not_text", columns
    cleaned = {name: value.strip() for name, value in texts.items()}
    if not cleaned.get("instruction"):
        return "no_instruction", item
    if "output" in cleaned and not cleaned["output"]:
        return "no_output", cleaned
    return None, cleaned


def _copies(columns: dict[str, Any], examples: Sequence[Record]) -> bool:
    text = columns["instruction"].casefold()
    return any(text == row.text("instruction").strip().casefold() for row in examples)
