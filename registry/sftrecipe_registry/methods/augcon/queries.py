"""AugCon's questions: a tree of contexts, each split in two by the model, a question for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, ClassVar, NamedTuple

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    CALL_REASONS,
    CallFailed,
    Capability,
    ColumnName,
    Context,
    Expected,
    Inputs,
    PromptMarker,
    Record,
    Reject,
    RowGenerator,
    Sampling,
)
from sftrecipe_registry.methods.augcon.context_split import (
    PROMPT_VARIABLES,
    Mode,
    PromptForm,
    Split,
    SplitAsker,
    SplitBy,
    SplitReply,
)
from sftrecipe_registry.shared.text.rouge import rouge_l
from sftrecipe_registry.shared.text.row_text import CONTENT
from sftrecipe_registry.shared.text.tokenizers import Tokenize, TokenizerName, tokenizer

_NODE_COLUMNS = frozenset({"instruction", "context", "node", "parent", "depth", "root", "wanted"})


class _Node(NamedTuple):
    """A context of the tree that is still to be asked about."""

    text: str
    path: str
    """`2.1.2`: second tree, first half, second half of that."""
    tree: int
    above: Record
    """What it was split from: a node's row, or the whole context's."""

    @property
    def depth(self) -> int:
        return self.path.count(".")

    @property
    def parent(self) -> str:
        return self.path.rpartition(".")[0]


@dataclass
class _Growth:
    """What became of one context."""

    root: Record
    wanted: int
    """Questions by the quantity rule."""
    made: list[Record | Reject]
    questions: int = 0


class AugConQueries(Sampling, RowGenerator):
    """Ask about a context, then about each half that the model splits it into, down to small ones.

    A row a node: `instruction`, `context`, and its place in the tree: `node` (`1.2.1`: first tree,
    second half, first half of that), `parent`, `depth`, `root` (the id of the whole context's row)
    and `wanted`, how many questions the whole context is good for; columns such as a title travel
    along. Trees are grown until there are 1.15 times as many questions as are wanted, at most
    `trees`. Every model comes to an end: a tree has at most 2 × characters ÷ `smallest` nodes, more
    than splits into parts of half of `smallest` or longer have; a context takes at most that ×
    `attempts` × `trees` calls.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"complete"})
    paper: ClassVar[str] = "Quan 2024, AugCon (arXiv 2405.16579), context-split-tree"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "too_short": ("smallest",),
        "none_wanted": ("characters_a_query",),
        "not_split": ("attempts",),
        "short_question": (),
    }
    example: ClassVar[str] = """\
- id: queries
  use: augcon_queries
  from: contexts
  provider: teacher
  with: {mode: chat, trees: 2}
"""

    field: ColumnName = "text"
    """The column that holds the context."""
    prompt: Annotated[
        str,
        PromptMarker(variables=PROMPT_VARIABLES, columns=False, shows=(frozenset({"context"}),)),
    ] = "builtin:augcon/split"
    """What asks for a question and a split; given `context`, `halves` (whether to ask for the
    split), `terse` (here false) and `shots` (examples to show, here 3)."""
    mode: Mode = "complete"
    """`complete`: the model goes on with the prompt, as in the paper; `chat`: it is a user turn."""
    split: SplitBy = "model"
    """`model`: it splits by meaning, as in the paper; `middle`: at the end of a sentence near the
    middle, and the model is asked for the question alone. For small models; the paper's ablation
    finds it a little worse."""
    smallest: Annotated[int, Gt(0)] = 20
    """Contexts of so many characters or fewer are not asked about."""
    coverage: Annotated[float, Ge(0), Le(1)] = 0.7
    """A half is not asked about when less of it (ROUGE-L precision) stands in the context that it
    was split from: the model made it up. 0: off."""
    tokenizer: TokenizerName = "auto"
    """For `coverage`, as for the filter `rouge_novelty`."""
    depth: Annotated[int, Gt(0)] = 10
    """Levels of a tree at most."""
    attempts: Annotated[int, Gt(0)] = 4
    """Calls for a node until a reply can be read."""
    trees: Annotated[int, Gt(0)] = 4
    """Trees of a context at most."""
    characters_a_query: Annotated[int, Gt(0)] = 35
    """The quantity rule: a context is good for one question in so many characters, and for one at
    least."""
    surplus: Annotated[float, Ge(1)] = 1.15
    """Questions to make for each that is wanted: a filter throws the worst away."""
    strict_original: bool = False
    """As the released code: no `coverage` rule, replies whose parts are one line each, white space
    around contexts kept, and nothing asked about one shorter than `characters_a_query`, which is
    good for no question: a reject, `none_wanted`."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.85
    """Sampling temperature."""
    max_tokens: Annotated[int, Gt(0)] | None = 1024
    """Tokens to write at most."""
    stop: tuple[str, ...] = ("---", "\n\n\n")
    """Texts at which writing ends."""

    def required(self) -> frozenset[Capability]:
        """Raw completion, or chat."""
        return frozenset({self.mode})

    def columns(self, inputs: Inputs) -> Inputs:
        """The tree's columns, and those that travel along."""
        return None if inputs is None else _NODE_COLUMNS | self._along(inputs)

    def expected(self, least: int, most: int | None) -> Expected:
        """One call a context at least; the most depends on the contexts' lengths."""
        fewest = 0 if self.strict_original else least
        return Expected((fewest, 0 if most == 0 else None), (0, 0 if most == 0 else None))

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The nodes of a context's trees, level by level; a node without a question is a reject."""
        text = row.text(self.field)
        text = text if self.strict_original else text.strip()
        if len(text) <= self.smallest:
            return [Reject(row, "too_short", len(text))]
        wanted = len(text) // self.characters_a_query
        if self.strict_original and not wanted:
            return [Reject(row, "none_wanted", len(text))]
        growth = _Growth(row, max(wanted, 1), [])
        enough = ceil(growth.wanted * self.surplus)
        for tree in range(self.trees):
            ctx.count("trees")
            before = growth.questions
            await self._grow(_Node(text, str(tree + 1), tree, row), growth, ctx)
            if growth.questions >= enough:
                break
            if growth.questions == before and self._is_hopeless(growth):
                break
        ctx.count("contexts")
        ctx.count("contexts_with_too_few", growth.questions < growth.wanted)
        return growth.made

    def _is_hopeless(self, growth: _Growth) -> bool:
        """Whether the provider refuses the whole context: another tree would ask it again."""
        last = growth.made[-1]
        return isinstance(last, Reject) and last.reason in CALL_REASONS

    async def _grow(self, root: _Node, growth: _Growth, ctx: Context) -> None:
        """One tree, a level at a time, so that its cap cuts the same nodes in every run."""
        asker = SplitAsker(
            ctx.model, self.mode, self.sampling(), self.attempts, self.split, self.strict_original
        )
        prompt = ctx.prompt(self.prompt)

        async def ask(node: _Node) -> SplitReply:
            return await asker.ask(prompt, node.text, PromptForm(), node.tree * self.attempts)

        room = 2 * len(root.text) // self.smallest
        level = [root]
        while level:
            ctx.count("stopped_tree_full", max(len(level) - room, 0))
            level, room = level[:room], room - len(level[:room])
            below: list[_Node] = []
            async for node, asked in ctx.map(ask, level):
                made = self._row_or_reject(node, asked, growth, ctx)
                growth.made.append(made)
                if isinstance(made, Record) and isinstance(asked, SplitReply) and asked.split:
                    growth.questions += 1
                    below += self._halves(node, asked.split, made, ctx)
            level = below

    def _row_or_reject(
        self, node: _Node, asked: SplitReply | CallFailed, growth: _Growth, ctx: Context
    ) -> Record | Reject:
        """A node's row or reject. It comes from the node above, so `explain` walks the tree."""
        columns, parents = self._columns(node, growth), [node.above]
        if isinstance(asked, CallFailed):
            return ctx.reject(
                columns, asked.reason, asked.message, parents=parents, replies=[asked]
            )
        split, replies = asked
        ctx.count("asked_again", len(replies) - 1)
        if split is None:
            shown = replies[-1].text[:200]
            return ctx.reject(columns, "not_split", shown, parents=parents, replies=replies)
        columns = {"instruction": split.question, **columns}
        size, last = len(split.question), replies[-1:]
        if size < 5:
            return ctx.reject(columns, "short_question", size, parents=parents, replies=last)
        return ctx.row(columns, parents=parents, replies=last)

    def _columns(self, node: _Node, growth: _Growth) -> dict[str, Any]:
        along = self._along(growth.root.columns)
        return {
            "context": node.text,
            "node": node.path,
            "parent": node.parent,
            "depth": node.depth,
            "root": growth.root.id,
            "wanted": growth.wanted,
            **{name: growth.root.columns[name] for name in sorted(along)},
        }

    def _along(self, names: Any) -> frozenset[str]:
        return frozenset(names) - _NODE_COLUMNS - {self.field, *CONTENT}

    def _halves(self, node: _Node, split: Split, row: Record, ctx: Context) -> list[_Node]:
        """The halves that are asked about next, by the rules at which a branch stops."""
        halves = tuple(filter(None, (split.first, split.second)))
        if max(map(len, halves)) >= len(node.text):
            ctx.count("stopped_not_shorter")
            return []
        if node.depth + 1 >= self.depth:
            ctx.count("stopped_at_depth")
            return []
        kept = []
        for number, half in enumerate(dict.fromkeys(halves), 1):
            if why := self._stops(half, node.text, ctx):
                ctx.count(f"stopped_{why}")
            else:
                kept.append(_Node(half, f"{node.path}.{number}", node.tree, row))
        return kept

    def _stops(self, half: str, whole: str, ctx: Context) -> str:
        if len(half) <= self.smallest:
            return "small"
        if self.strict_original or not self.coverage:
            return ""
        tokenize: Tokenize = ctx.once("split", lambda: tokenizer(self.tokenizer, ctx.language))
        tokens = tokenize(whole)
        if not tokens:  # a text that the tokenizer cannot see: another language than the recipe's
            ctx.count("coverage_not_measured")
            return ""
        covered = rouge_l(tokens, tokenize(half)).precision
        return "" if covered >= self.coverage else "made_up"
