"""Two models compared by their answers: a judge scores both, usually in both orders."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, cast

from annotated_types import Ge, Gt, Le, MaxLen, MinLen

from sftrecipe.plugin import (
    Capability,
    Context,
    Expected,
    Inputs,
    Judge,
    Judgement,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reply,
    Rows,
    Sampling,
)
from sftrecipe_registry.judges.confidence_interval import (
    SHARE,
    Estimate,
    estimates,
    metric_names,
    named_metrics,
    share_estimate,
)
from sftrecipe_registry.judges.judged_rows import (
    INVALID_LIMIT,
    INVALID_SHARE,
    JudgedRow,
    NotJudged,
    invalid_counts,
    invalid_share,
    judged_rows,
)
from sftrecipe_registry.judges.model_answers import (
    AnsweringModels,
    ChatModel,
    answered_by_all,
    named_twice,
)
from sftrecipe_registry.judges.share_interval import share_difference_reach
from sftrecipe_registry.shared.replies.json_items import find_items
from sftrecipe_registry.shared.replies.reply import ask_once, said
from sftrecipe_registry.shared.text.row_text import parted, spoken

Verdict = Literal["win", "tie", "lose", "invalid"]

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")


def two_scores(reply: str) -> tuple[float, float] | None:
    """The two numbers of the reply's first line, commas or spaces between; None for anything else.

    Source: Cherry_LLM (arXiv 2308.12032), `evaluation/review_eval_score.py`.
    """
    line = reply.strip().partition("\n")[0].replace(",", " ").replace("，", " ")
    parts = line.split()
    if len(parts) != 2 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    return float(parts[0]), float(parts[1])


def preference(reply: str) -> int | None:
    """1 where the answer that was shown first scored higher, -1 lower, 0 equal; None: no scores."""
    scores = two_scores(reply)
    if scores is None:
        return None
    return (scores[0] > scores[1]) - (scores[0] < scores[1])


def outcome(preferences: Sequence[int]) -> Verdict:
    """The outcome for A, of one preference for A (1, 0, -1) an order.

    Each order counts alike, so that winning one and losing the other is a tie.
    """
    total = sum(preferences)
    return "win" if total > 0 else "lose" if total < 0 else "tie"


def verdict(first: str, second: str) -> Verdict:
    """The outcome for A of two replies: `first` saw A before B, `second` B before A.

    `invalid` where a reply holds no two scores: the released code lets two such replies tie.
    """
    one, other = preference(first), preference(second)
    return "invalid" if one is None or other is None else outcome([one, -other])


def winning_score(verdicts: Iterable[Verdict]) -> float:
    """(wins - losses) / comparisons + 1, of those that are valid; above 1: A is the better one.

    Raises ZeroDivisionError when none is valid.
    """
    valid = [each for each in verdicts if each != "invalid"]
    return (valid.count("win") - valid.count("lose")) / len(valid) + 1


_SHOWN = frozenset({"question", "first", "second"})
_SCORE = "winning_score"
_COUNTS = ("wins", "ties", "losses", "invalid")
_POSITION_BIAS = "position_bias"
_MOST_BIASED = 0.3
"""About what GPT-4 has of answers that are equally good (Zheng et al. 2023, table 2: 35 %)."""
_BY_ORDER = ("first shown wins", "second shown wins")
_BY_ANSWERS = ("agree", "one ties")
_POINTS: dict[Verdict, float] = {"win": 2.0, "tie": 1.0, "lose": 0.0}
_REFERENCE = "reference"
"""Who answered where a model is compared with the rows' own answers."""
_KEYS = ("answer_1", "answer_2")
_SCHEMA = {
    "type": "object",
    "properties": {name: {"type": "integer", "enum": list(range(1, 11))} for name in _KEYS},
    "required": list(_KEYS),
    "additionalProperties": False,
}
_FIRST, _SECOND = "1", "2"
"""The orders: the first model's answer is shown first, or second."""


class Pairwise(AnsweringModels, Sampling, Judge):
    """Let two models answer, and a third judge whose answer is better, in both orders.

    The judge scores the two answers from 1 to 10, once in each order. The first model wins a
    question, loses it, or ties; winning in one order and losing in the other is a tie, and equal
    answers tie without being judged. Metrics: `wins`, `ties`, `losses`, `invalid` and
    `winning_score`, (wins - losses) / judged + 1: above 1 the first model is the better one. What
    could not be judged counts as `invalid`, never as a tie: `no_scores` (a reply without two
    scores), `no_question`, `no_answer`, `call_failed`, `refused`. `position_bias` is the share of
    the questions judged in both orders in which the order decided: where it is surely above 0.3, or
    `invalid_share` above 0.1, the run warns, and no gate is passed. A judge that prefers long
    answers, or one model's manner, is not found so.
    """

    version: ClassVar[str] = "2"
    needs: ClassVar[frozenset[Capability]] = frozenset({"chat"})
    paper: ClassVar[str] = (
        "Li et al. 2024, From Quantity to Quality (Cherry_LLM, arXiv 2308.12032), released code; "
        "both orders: Zheng et al. 2023, Judging LLM-as-a-Judge (arXiv 2306.05685), section 3.4"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "no_question": (),
        "no_answer": (),
        "no_scores": ("structured",),
    }
    example: ClassVar[str] = """\
- use: pairwise
  provider: judge
  with: {compare: [tuned, base]}
  gate: {winning_score: {at_least: 1}}
"""

    compare: Annotated[tuple[ChatModel, ...], MinLen(1), MaxLen(2)]
    """Two providers, of which the first wins or loses; of one alone, its answers are compared with
    the rows' own."""
    swap: bool = True
    """Judge in both orders; false: in one, drawn for each question."""
    prompt: Annotated[
        str, PromptMarker(variables=_SHOWN, shows=(frozenset({"first"}), frozenset({"second"})))
    ] = "builtin:pairwise/compare"
    """What the judge is asked, the text or a `.j2` file (Jinja2). It is given `question` (of
    several turns, all of them), the answers `first` and `second` in the order in which they are
    shown, and the row's columns. The first line of the reply must be the two scores alone."""
    judge_system: Annotated[str, PromptMarker()] = "builtin:pairwise/system"
    """System prompt of the judge; empty: none."""
    structured: bool = False
    """Hold the judge's replies to a JSON Schema, where it does not keep to the form by itself: two
    scores are then certain, sensible ones are not."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.0
    """Sampling temperature of the judge."""
    max_tokens: Annotated[int, Gt(0)] | None = 512
    """Tokens of the judge at most: scores and reasons."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A model against itself."""
        return named_twice("compare", self.compare)

    def required(self) -> frozenset[Capability]:
        """Replies held to a schema, where they are."""
        return self.needs | {"structured"} if self.structured else self.needs

    def metrics(self) -> frozenset[str]:
        """The counts, and the winning score with its interval."""
        shares = [INVALID_SHARE, *([_POSITION_BIAS] if self.swap else [])]
        return metric_names([_SCORE, *shares]) | set(_COUNTS)

    def ranges(self) -> Mapping[str, tuple[float, float]]:
        """The winning score is from 0, all lost, to 2, all won."""
        counts = dict.fromkeys(_COUNTS, (0.0, math.inf))
        shares = dict.fromkeys((INVALID_SHARE, _POSITION_BIAS), SHARE)
        return {**counts, **shares, _SCORE: (0.0, 2.0)}

    def limits(self) -> Mapping[str, float]:
        """Questions that the order decided; rows that could not be judged."""
        return {_POSITION_BIAS: _MOST_BIASED, **INVALID_LIMIT}

    def reachable(self, rows: int) -> Mapping[str, tuple[float, float]]:
        """The score's interval where all are won, and all lost; counts up to the rows."""
        low, high = share_difference_reach(rows)
        return {**dict.fromkeys(_COUNTS, (float(rows), 0.0)), _SCORE: (low + 1, high + 1)}

    def expected(self, least: int, most: int | None) -> Expected:
        """An answer of each model a row, and a judgement in each order unless they are equal."""
        answers = len(self.compare)
        calls = answers + (2 if self.swap else 1)
        return Expected((least * answers, None if most is None else most * calls), (least, most))

    async def evaluate(self, rows: Rows, ctx: Context) -> Judgement:
        """Every row's verdict.

        Raises PluginRefused where no row could be judged.
        """
        judged = await judged_rows(lambda row: self._compared(row, ctx), rows, ctx)
        verdicts = [_verdict(each) for each in judged]
        counted = Counter(verdicts)
        orders = _orders(judged)
        metrics = {
            "wins": float(counted["win"]),
            "ties": float(counted["tie"]),
            "losses": float(counted["lose"]),
            "invalid": float(counted["invalid"]),
            **named_metrics(
                {
                    _SCORE: _score_estimate(verdicts),
                    **_position_bias(orders),
                    **invalid_share(judged),
                }
            ),
        }
        notes = {
            "models": list(self._names()),
            "verdicts": {name: counted[name] for name in ("win", "tie", "lose", "invalid")},
            "invalid": invalid_counts(judged),
            "orders": orders,
        }
        return Judgement(metrics, [each.row for each in judged], notes)

    async def _compared(self, row: Record, ctx: Context) -> JudgedRow:
        """Raises NotJudged and CallFailed."""
        pair = await self._pair(row, ctx)
        if pair.texts[0] == pair.texts[1]:
            ctx.count("equal answers")
            return pair.judged("tie", "equal answers", ctx)
        preferences, unread = [], ""
        for order, reply in (await self._judgements(pair, ctx)).items():
            pair.columns[f"judge_{order}"] = reply.text
            pair.replies.append(reply)
            found = preference(_score_line(reply.text) if self.structured else reply.text)
            if found is None:
                unread = said(reply) or "an empty reply"
            else:
                preferences.append(found if order == _FIRST else -found)
        if unread:
            raise NotJudged("no_scores", unread, replies=pair.replies, columns=pair.columns)
        return pair.judged(outcome(preferences), _agreement(preferences), ctx)

    async def _pair(self, row: Record, ctx: Context) -> _Pair:
        """The two answers to a row. Raises NotJudged."""
        own = parted(row.columns).answer
        if len(self.compare) == 1 and not own:
            raise NotJudged("no_answer")
        replies = await self.model_answers(row, self.compare, ctx)
        texts = [reply.text.strip() for reply in replies.values()]
        one, other = texts[0], texts[1] if len(texts) == 2 else (own or "").strip()
        columns = {f"answer_{self._names()[0]}": one, f"answer_{self._names()[1]}": other}
        return _Pair(row, (one, other), columns, list(replies.values()))

    async def _judgements(self, pair: _Pair, ctx: Context) -> dict[str, Reply]:
        """The judge's reply in each order. Raises NotJudged."""
        import asyncio  # noqa: PLC0415 - 60 ms that `validate` need not spend

        orders = [_FIRST, _SECOND]
        if not self.swap:
            orders = [ctx.random("order", pair.row.id).choice(orders)]
        columns = pair.row.columns
        question = spoken(parted(columns).before)
        system = ctx.prompt(self.judge_system).render(columns) if self.judge_system else ""
        prompts = []
        for order in orders:
            first, second = pair.texts if order == _FIRST else pair.texts[::-1]
            shown = {**columns, "question": question, "first": first, "second": second}
            prompts.append(ctx.prompt(self.prompt).render(shown))
        schema = _SCHEMA if self.structured else None
        asked = (
            ask_once(ctx.model, each, self.sampling(), system=system, schema=schema)
            for each in prompts
        )
        outcomes = await asyncio.gather(*asked, return_exceptions=True)
        try:
            return answered_by_all(orders, outcomes)
        except NotJudged as lost:
            told = f"judge, order {lost.detail}"
            known = [*pair.replies, *lost.replies]
            raise NotJudged(lost.reason, told, replies=known, columns=pair.columns) from None

    def _names(self) -> tuple[str, str]:
        """Who answered."""
        return self.compare[0], self.compare[1] if len(self.compare) == 2 else _REFERENCE


def _score_line(reply: str) -> str:
    """The scores of a reply that is held to the schema, as the first line of one that is not."""
    items = find_items(reply).items
    return " ".join(str(items[0].get(name)) for name in _KEYS) if items else ""


class _Pair(NamedTuple):
    """A row with two answers."""

    row: Record
    texts: tuple[str, str]
    """The answer of the model that wins or loses, and the other one."""
    columns: dict[str, Any]
    """What the judged row shows beside the row's own columns."""
    replies: list[Reply]

    def judged(self, verdict: Verdict, orders: str, ctx: Context) -> JudgedRow:
        """The row with its verdict."""
        points = _POINTS[verdict]
        made = ctx.row(
            {**self.row.columns, **self.columns},
            parents=[self.row],
            replies=self.replies,
            scores={_SCORE: points},
            tags={**self.row.tags, "orders": orders, "verdict": verdict},
        )
        return JudgedRow(made, {_SCORE: (points, 1.0)})


def _verdict(judged: JudgedRow) -> Verdict:
    return "invalid" if judged.invalid else cast("Verdict", judged.row.tags["verdict"])


def _agreement(preferences: Sequence[int]) -> str:
    """What the orders say together; preferences are for the first model."""
    if len(preferences) == 1:
        return "one order"
    one, other = preferences
    if one == other:
        return _BY_ANSWERS[0]
    if one == -other:
        return _BY_ORDER[0] if one > 0 else _BY_ORDER[1]
    return _BY_ANSWERS[1]


def _score_estimate(verdicts: Sequence[Verdict]) -> Estimate:
    """The winning score with its interval: 1 and the share of wins less that of losses."""
    valid = [each for each in verdicts if each != "invalid"]
    parts = {name: [(float(each == name), 1.0) for each in valid] for name in ("win", "lose")}
    found = estimates(parts, {_SCORE: ("win", "lose")}, dict.fromkeys(parts, SHARE))[_SCORE]
    return Estimate(winning_score(valid), found.low + 1, found.high + 1)


def _position_bias(orders: Mapping[str, int]) -> dict[str, Estimate]:
    """The share of the questions judged in both orders that the order decided; none where no
    question was."""
    both = sum(orders.get(each, 0) for each in (*_BY_ORDER, *_BY_ANSWERS))
    decided = sum(orders.get(each, 0) for each in _BY_ORDER)
    return {_POSITION_BIAS: share_estimate(decided, both)} if both else {}


def _orders(judged: Sequence[JudgedRow]) -> dict[str, int]:
    """How the two orders went together: where the answer shown first wins both, or the one shown
    second, the order decided."""
    counted = Counter(each.row.tags["orders"] for each in judged if not each.invalid)
    return dict(counted.most_common())
