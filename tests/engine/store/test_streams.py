"""Streams: rows seen through verdicts."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sftrecipe.plugin.plugin_kinds import Verdict
from sftrecipe.record import Record, new_record
from sftrecipe.store.rows import RowWriter, read_rows
from sftrecipe.store.streams import Judged, Stream, VerdictWriter

verdicts = st.builds(
    Verdict,
    keep=st.booleans(),
    reason=st.just("unlucky"),
    value=st.none() | st.floats(-5, 5),
    detail=st.sampled_from(["", "why"]),
    scores=st.just({}) | st.dictionaries(st.sampled_from("ab"), st.floats(0, 1), max_size=2),
    changes=st.just({}) | st.just({"instruction": "masked"}),
    calls=st.sampled_from([(), ("k1",), ("k2", "k3")]),
    tags=st.just({}) | st.just({"language": "zh"}),
)


def rows_of(count: int) -> list[Record]:
    return [
        new_record(
            "s",
            {"instruction": f"问题 {place}", "n": place},
            origin=f"a.jsonl:{place}",
            parents=("p1", "p2")[: place % 3],
            calls=("c",) * (place % 2),
            scores={"old": 0.5} if place % 2 else {},
            tags={"t": "x"} if place % 3 else {},
        )
        for place in range(count)
    ]


def stream_of(rows: list[Record], folder: Path) -> Stream:
    writer = RowWriter(folder / "rows.parquet")
    for row in rows:
        writer.write(row)
    writer.close()
    return Stream("s", folder / "rows.parquet")


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = rows_of(20_000)
    stream = stream_of(rows, tmp_path)
    assert list(stream) == rows
    assert list(stream.ids()) == [row.id for row in rows]
    assert list(read_rows(stream.path)) == rows


@settings(max_examples=60, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(st.lists(verdicts, min_size=30, max_size=30), max_size=4))
def test_a_chain_of_filters_equals_filtering_a_list(chain: list[list[Verdict]]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        expected = rows_of(30)
        stream = stream_of(expected, folder)
        for number, given_verdicts in enumerate(chain):
            path = folder / f"{number}.parquet"
            writer = VerdictWriter(path)
            said = list(zip(expected, given_verdicts, strict=False))
            for _, verdict in said:
                writer.write(verdict)
            writer.close()
            stream = stream.through(Judged(f"f{number}", path))
            dropped = list(stream.dropped())
            assert [row.record.id for row in dropped] == [r.id for r, v in said if not v.keep]
            assert [row.value for row in dropped] == [v.value for _, v in said if not v.keep]
            expected = [_after(row, verdict, f"f{number}") for row, verdict in said if verdict.keep]
            assert len(stream) == len(expected)
            assert len(dropped) + len(expected) == len(said)
        assert list(stream) == expected
        assert list(stream.ids()) == [row.id for row in expected]


def _after(row: Record, verdict: Verdict, step: str) -> Record:
    scores = dict(row.scores)
    if verdict.value is not None:
        scores[step] = verdict.value
    scores.update(verdict.scores)
    columns = {**row.columns, **verdict.changes}
    return row._replace(
        columns=columns,
        scores=scores,
        calls=(*row.calls, *verdict.calls),
        tags={**row.tags, **verdict.tags},
    )
