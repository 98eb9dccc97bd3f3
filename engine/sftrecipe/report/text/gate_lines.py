"""What a run says of the gates that it passes, and of what spoils its judging."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sftrecipe.messages import Text, own_text
from sftrecipe.run.gate_results import GateResult
from sftrecipe.run.missed_gates import gate_text

_BIAS = "position_bias"


def passed_gates(gates: Sequence[GateResult]) -> Iterator[Text]:
    """`gate passed: winning_score is 1.25 (1.05 to 1.41), asked of the whole interval at least 1`;
    a run that misses one fails, and tells it as its error."""
    for each in gates:
        if each.by != "limit" and each.passed:
            yield own_text("outcome-gate-passed", told=gate_text(each))


def spoiled_limits(limits: Sequence[GateResult]) -> Iterator[Text]:
    """Warnings of the limits that a judge's figures are above."""
    for each in limits:
        if not each.passed:
            yield own_text("outcome-above-limit", told=gate_text(each))


def unmeasured_limits(limits: Sequence[GateResult]) -> Iterator[Text]:
    """Those that are not known to be kept."""
    for each in limits:
        if each.value is None:
            slug = "outcome-unmeasured-bias" if each.metric == _BIAS else "outcome-unmeasured"
            yield own_text(slug, metric=each.metric)
