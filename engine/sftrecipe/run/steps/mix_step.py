"""The mix: rows are drawn from those that its exporters can write."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import compress, islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple

import orjson

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import Text, error_text, own_text
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.context import Context, Reject
from sftrecipe.plugin.plugin_kinds import KEEP, Exporter, Mix, Mixer, Pick, PluginRefused, Verdict
from sftrecipe.plugin.row_kinds import FIRST_ROWS, RowCheck, Unfit
from sftrecipe.record import Record
from sftrecipe.run.nothing_left import Loss
from sftrecipe.run.steps.step_files import REJECTS, ROWS, TellRows, verdict_file
from sftrecipe.run.steps.step_runner import StepRunner
from sftrecipe.store.rows import RejectWriter, RowWriter
from sftrecipe.store.step_facts import MixFacts, StepFacts
from sftrecipe.store.streams import Stream, VerdictWriter

NOT_DRAWN = "not_drawn"


class MixStep(StepRunner):
    """Draws the rows that are exported."""

    needs_each_stream = True

    async def execute(self, step: Step, draft: Path) -> StepFacts:
        """Run the mixer."""
        streams = dict(zip(step.reads, self.streams_of(step), strict=True))
        return draw(step, streams, self.context_of(step), draft, self.teller_of(step))


class ExportChecks:
    """What the exporters of a mix say of its rows, all together.

    Every one of them writes the mix, so that a row which any of them leaves out is not drawn; but
    where they write rows of several kinds, a row need pass those of its own kind alone.
    """

    def __init__(self, exporters: Sequence[Exporter]) -> None:
        self._exporters = exporters
        self._checks: list[RowCheck] = []

    def begin(self, records: Iterator[Record]) -> None:
        """Make the checks for a mix that begins so; they stay what they are."""
        if self._exporters and not self._checks:
            first = list(islice(records, FIRST_ROWS))
            found = (exporter.check_of(first) for exporter in self._exporters)
            self._checks = [check for check in found if check is not None]

    def unfit(self, record: Record) -> Unfit | None:
        """Why the row is not exported; None: it is."""
        other: Unfit | None = None
        passed = not self._checks
        for check in self._checks:
            found = check(record)
            if found is None:
                passed = True
            elif found.teaches is None:
                return found
            else:
                other = found
        return None if passed else other


class Offer:
    """A stream's rows as the mixer sees them; satisfies `Rows`.

    All of them, until one that it drew turns out not to be exportable.
    """

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self._fit: bytearray | None = None
        """Whether each row of the stream can be exported."""
        self._places: array[int] | None = None

    @property
    def sifted(self) -> bool:
        """Whether rows are kept back that cannot be exported."""
        return self._fit is not None

    def sift(self, checks: ExportChecks) -> None:
        """Keep back what cannot be exported."""
        self._fit = bytearray(checks.unfit(record) is None for record in self.stream)
        self._places = array("Q", compress(range(len(self._fit)), self._fit))

    def __len__(self) -> int:
        return len(self.stream) if self._places is None else len(self._places)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.stream) if self._fit is None else compress(self.stream, self._fit)

    def ids(self) -> Iterator[str]:
        """The rows' ids."""
        ids = self.stream.ids()
        return ids if self._fit is None else compress(ids, self._fit)

    def place(self, row: int) -> int:
        """Where an offered row stands in the stream."""
        return row if self._places is None else self._places[row]

    def holds(self, row: int) -> bool:
        """Whether a row of the stream is offered."""
        return self._fit is None or bool(self._fit[row])


class _Drawn(NamedTuple):
    """A mix with its rows in a scratch file, where they can be read in any order."""

    mix: Mix
    offers: Mapping[str, Offer]
    scratch: IO[bytes]
    starts: Mapping[str, array[int]]
    """By stream, the place of every row in the file; 0: not drawn."""
    made: int
    kept: int
    reasons: Counter[str]

    def records(self) -> Iterator[tuple[Pick, Record]]:
        """The drawn rows, in the mix's order."""
        for pick in self.mix.picks:
            place = self.offers[pick.stream].place(pick.row)
            self.scratch.seek(self.starts[pick.stream][place])
            record = Record(*orjson.loads(self.scratch.readline()))
            yield (
                pick,
                record._replace(parents=tuple(record.parents), calls=tuple(record.calls)),
            )


def draw(
    step: Step, streams: Mapping[str, Stream], ctx: Context, draft: Path, tell: TellRows
) -> StepFacts:
    """Run the mixer: the drawn rows in its order, and a verdict on every row offered.

    A stream of which a row was drawn that cannot be exported is sifted, and all is drawn anew: who
    has nothing to sift pays for no look at rows that are not drawn.
    """
    checks = ExportChecks(step.exporters)
    offers = {name: Offer(stream) for name, stream in streams.items()}
    while True:
        mix = _mixed(step, offers, checks, ctx, draft)
        with TemporaryFile(dir=draft) as scratch:
            drawn = _spooled(mix, offers, checks, draft, scratch)
            written, unfit = _written(drawn, checks, draft, tell)
        if not unfit:
            return _facts(drawn, written, ctx)
        for name in unfit:
            offers[name].sift(checks)


def _facts(drawn: _Drawn, written: Counter[str], ctx: Context) -> StepFacts:
    rows = written.total()
    by_stream = {name: written[name] for name in drawn.offers}
    return StepFacts(
        made=drawn.made,
        kept=drawn.kept,
        rejected=drawn.made - drawn.kept,
        reasons=dict(drawn.reasons),
        mix=MixFacts(rows, rows - drawn.kept, by_stream, drawn.mix.notes),
        counts=dict(ctx.counts),
    )


def _mixed(
    step: Step, offers: Mapping[str, Offer], checks: ExportChecks, ctx: Context, draft: Path
) -> Mix:
    """What the mixer decides. Raises SftrecipeError where rows that cannot be exported are why it
    cannot."""
    plugin = step.block.plugin
    assert isinstance(plugin, Mixer)  # noqa: S101 - the section's blocks are
    try:
        return plugin.mix(offers, ctx)
    except PluginRefused as refusal:
        sifted = {name: offer for name, offer in offers.items() if offer.sifted}
        if not sifted:
            raise
        losses = _losses(step, sifted, checks, draft)
        causes = tuple(_unfit_rows(loss) for loss in losses)
        values = {"step": step.id, "error": error_text(refusal), "causes": causes}
        raise SftrecipeError("mix-unfit", "mix-unfit", **values) from refusal


def _losses(
    step: Step, offers: Mapping[str, Offer], checks: ExportChecks, draft: Path
) -> list[Loss]:
    """The rows that cannot be exported, by stream; they are told as rejects of the mix."""
    losses, rejects = [], RejectWriter(draft / REJECTS)
    for name, offer in offers.items():
        loss = Loss(step, name, len(offer.stream))
        for record in offer.stream:
            if found := checks.unfit(record):
                loss.add(record, found.reason, found.value)
                rejects.write(Reject(record, found.reason, found.value))
        losses.append(loss)
    rejects.close()
    return losses


def _unfit_rows(loss: Loss) -> Text:
    count = loss.reasons.total()
    return own_text(
        "mix-unfit-rows", stream=loss.stream, made=loss.made, count=count, reasons=loss.told()
    )


def _spooled(
    mix: Mix, offers: Mapping[str, Offer], checks: ExportChecks, draft: Path, scratch: IO[bytes]
) -> _Drawn:
    """Write the drawn rows to the scratch file, which begins with a byte that stands for nothing,
    and the verdicts on all rows."""
    scratch.write(b"\n")
    starts = {name: array("Q", bytes(8 * len(offer.stream))) for name, offer in offers.items()}
    for pick in mix.picks:
        starts[pick.stream][offers[pick.stream].place(pick.row)] = 1
    reasons: Counter[str] = Counter()
    made = kept = 0
    for at, (name, offer) in enumerate(offers.items()):
        verdicts, wanted = VerdictWriter(draft / verdict_file(at)), starts[name]
        for row, record in enumerate(offer.stream):
            if wanted[row]:
                wanted[row] = scratch.tell()
                scratch.write(orjson.dumps(tuple(record)) + b"\n")
                verdicts.write(KEEP)
                continue
            found = None if offer.holds(row) else checks.unfit(record)
            reasons[found.reason if found else NOT_DRAWN] += 1
            verdicts.write(_verdict(found))
        verdicts.close()
        made, kept = made + verdicts.count, kept + verdicts.kept
    scratch.flush()
    return _Drawn(mix, offers, scratch, starts, made, kept, reasons)


def _verdict(found: Unfit | None) -> Verdict:
    """On a row that was not drawn."""
    if found is None:
        return Verdict(False, NOT_DRAWN)
    if isinstance(found.value, float):
        return Verdict(False, found.reason, found.value)
    return Verdict(False, found.reason, detail=found.value or "")


def _written(
    drawn: _Drawn, checks: ExportChecks, draft: Path, tell: TellRows
) -> tuple[Counter[str], set[str]]:
    """Write the mixed rows: how many of each stream, and the streams with a row that cannot be
    exported."""
    counts: Counter[str] = Counter()
    unfit: set[str] = set()
    checks.begin(record for _, record in drawn.records())
    writer = RowWriter(draft / ROWS)
    try:
        for pick, record in drawn.records():
            if checks.unfit(record):
                unfit.add(pick.stream)
            elif not unfit:
                writer.write(record)
                counts[pick.stream] += 1
                tell(writer.count, drawn.made - drawn.kept)
    finally:
        writer.close()
    return counts, unfit
