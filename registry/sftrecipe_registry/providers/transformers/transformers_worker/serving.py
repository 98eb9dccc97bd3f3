"""Answers requests: `python -I transformers_worker SETTINGS`.

SETTINGS is JSON: model, revision, device, dtype, batch_tokens, chat_template. Requests come as
lines of JSON on standard input, `{"id", "kind": "chat" | "complete" | "loglikelihood" | "embed" |
"reward", "messages", "prompt", "answer", "sampling", "seed"}`; replies go to standard output in the
order in which they are ready. It ends with its standard input.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import torch

from .generation import Writer
from .loading import Loaded
from .rewards import Rater
from .scoring import Scorer
from .texts import Text, Unfit, taken

_GATHER = 0.005
"""Seconds that the first request of a batch waits for others."""
_CPU_TOKENS, _GPU_TOKENS = 512, 16384
"""Tokens of a batch that is read once, padding included, where the settings name none. On a CPU no
more than its caches hold: what a layer makes of 1,024 is got from the system anew for every layer,
which is a tenth of the time."""
_CPU_WRITING, _GPU_WRITING = 8192, 32768
"""Tokens of a batch that is written, replies included: each step reads all of the model's weights,
for one row or for many."""


class Answering(Protocol):
    """Somebody who answers some kinds of requests."""

    def text(self, asked: dict[str, Any]) -> Text:
        """A request's tokens. Raises Unfit."""

    def replies(self, batch: list[Text]) -> Iterator[dict[str, Any]]:
        """The replies to texts of one group, in any order."""


class Answerers:
    """Who answers what, and how much at once."""

    def __init__(self, loaded: Loaded, batch_tokens: int | None) -> None:
        scorer, writer, rater = Scorer(loaded), Writer(loaded), Rater(loaded)
        self._by_kind: Mapping[str, Answering] = {
            "loglikelihood": scorer,
            "embed": scorer,
            "chat": writer,
            "complete": writer,
            "write": writer,
            "reward": rater,
        }
        self._packs = scorer.packs
        on_cpu = loaded.device == "cpu"
        self._read = batch_tokens or (_CPU_TOKENS if on_cpu else _GPU_TOKENS)
        self._written = batch_tokens or (_CPU_WRITING if on_cpu else _GPU_WRITING)

    def text(self, asked: dict[str, Any]) -> Text:
        """A request's tokens. Raises Unfit."""
        return self._by_kind[asked["kind"]].text(asked)

    def taken(self, pool: list[Text]) -> list[Text]:
        """A batch out of the pool."""
        kind = pool[0].kind
        packed = kind == "loglikelihood" and self._packs
        return taken(pool, self._written if kind == "write" else self._read, packed=packed)

    def replies(self, batch: list[Text]) -> Iterator[dict[str, Any]]:
        """The replies to a batch. Halves what is left of it where memory is short."""
        left = {text.id: text for text in batch}
        try:
            for reply in self._by_kind[batch[0].kind].replies(batch):
                del left[reply["id"]]
                yield reply
            return
        except torch.OutOfMemoryError as error:
            if len(left) == 1:
                yield {"id": next(iter(left)), "error": f"the text does not fit: {error}"}
                return
        torch.cuda.empty_cache()
        rest = [*left.values()]
        half = len(rest) // 2
        yield from self.replies(rest[:half])
        yield from self.replies(rest[half:])


def read_requests(answerers: Answerers, waiting: queue.Queue[Text | dict[str, Any]]) -> None:
    """Tokenise what comes, while the model works; end with the input."""
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            waiting.put(answerers.text(asked))
        except Unfit as error:
            waiting.put({"id": asked["id"], "error": str(error)})
        except Exception as error:  # whoever asks is told
            waiting.put({"id": asked["id"], "error": f"{type(error).__name__}: {error}"})
    os._exit(0)  # also in the middle of a batch: nobody waits for it


def serve(answerers: Answerers, output: Any) -> None:
    """Answer for ever, as many requests at once as a batch holds."""
    waiting: queue.Queue[Text | dict[str, Any]] = queue.Queue()
    threading.Thread(target=read_requests, args=(answerers, waiting), daemon=True).start()
    pool: list[Text] = []

    def tell(reply: dict[str, Any]) -> None:
        output.write(json.dumps(reply) + "\n")

    def take(item: Text | dict[str, Any]) -> None:
        if isinstance(item, Text):
            pool.append(item)
        else:
            tell(item)

    while True:
        if not pool:
            take(waiting.get())
            time.sleep(_GATHER)
        while not waiting.empty():
            take(waiting.get())
        if pool:
            for reply in answerers.replies(answerers.taken(pool)):
                tell(reply)
                output.flush()
        output.flush()


def main() -> None:
    """Load the model, say that it is ready, and serve."""
    settings = json.loads(sys.argv[1])
    # Libraries print: what they say goes to the log, not among the replies.
    output = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    batch_tokens = settings.pop("batch_tokens")
    loaded = Loaded(**settings)
    answerers = Answerers(loaded, batch_tokens)
    output.write(json.dumps({"ready": loaded.device}) + "\n")
    output.flush()
    with torch.inference_mode():
        serve(answerers, output)
