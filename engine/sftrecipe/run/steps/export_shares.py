"""What is exported of a mix, held against what was drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import own_text
from sftrecipe.plan.steps import Step
from sftrecipe.run.output_folder import REJECTS_FILE
from sftrecipe.run.run_state import RunState
from sftrecipe.store.step_facts import StepFacts, StreamShare

TOLERANCE = 0.1
"""By how much of itself a stream's share may miss that which was drawn."""


@dataclass
class Shares:
    """Rows of every stream of a mix that an export writes, and holds out."""

    drawn: Mapping[str, int]
    lost: Counter[str] = field(default_factory=Counter)
    held_out: Counter[str] = field(default_factory=Counter)
    more: Counter[str] = field(default_factory=Counter)
    """Rows that are written of a stream's rows beside the first of each."""

    def of_streams(self) -> dict[str, StreamShare]:
        """By stream; nothing where rows are not named after the mix's streams."""
        if (self.lost.keys() | self.held_out.keys()) - self.drawn.keys():
            return {}
        left = {name: rows - self.lost[name] for name, rows in self.drawn.items()}
        written = {name: rows + self.more[name] for name, rows in left.items()}
        whole, all_drawn = sum(written.values()), sum(self.drawn.values())
        return {
            name: StreamShare(
                drawn=rows,
                drawn_share=rows / all_drawn,
                rows=written[name],
                share=written[name] / whole if whole else 0.0,
                taken_share=left[name] / (sum(left.values()) or 1),
                held_out=self.held_out[name],
            )
            for name, rows in self.drawn.items()
        }


def drawn_rows(run: RunState, step: Step) -> Mapping[str, int]:
    """Rows that the mix drew which the step reads, by stream; none where it reads no mix."""
    for done in run.done:
        if done.facts.mix and not set(done.step.makes).isdisjoint(step.reads):
            return done.facts.mix.drawn
    return {}


def mix_missed(run: RunState, step: Step, facts: StepFacts) -> SftrecipeError | None:
    """The error of an export whose shares are others than were drawn; None where they are not.

    What an exporter leaves to another one of the mix, which writes rows of that kind, is no loss.
    """
    checking = [each for done in run.done for each in done.step.exporters]
    if len(checking) > 1 and step.block.plugin in checking:
        return None
    missed = tuple(
        own_text(
            "mix-missed-share",
            stream=name,
            given=f"{100 * each.taken_share:.1f}",
            drawn=f"{100 * each.drawn_share:.1f}",
        )
        for name, each in (facts.export.shares if facts.export else {}).items()
        if abs(each.taken_share - each.drawn_share) > TOLERANCE * each.drawn_share
    )
    if not missed:
        return None
    values = {"tolerance": f"{100 * TOLERANCE:g}", "rejects": run.out / REJECTS_FILE}
    return SftrecipeError("mix-missed", "mix-missed", step=step.id, shares=missed, **values)
