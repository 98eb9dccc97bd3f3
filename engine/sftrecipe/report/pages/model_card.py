"""A model's card: the README.md that lies beside it, and that hubs show.

Its head is the hub's own metadata (huggingface.co/docs/hub/model-cards). It says the same of the
same run; it holds no secret, no path of this machine and no row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from importlib import resources
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Literal

import orjson
import yaml

from sftrecipe.report.pages.run.facts.mixture import mixture
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import cell_text, shortened
from sftrecipe.report.pages.run.facts.trainings import TrainedModel, trainings
from sftrecipe.report.text.text_format import figures
from sftrecipe.run.finished_model import FinishedModel
from sftrecipe.run.gate_results import GateResult
from sftrecipe.run.run_record import StepRecord
from sftrecipe.run.written_blocks import written_blocks

LICENSES = frozenset(
    (
        *("apache-2.0", "mit", "openrail", "bigscience-openrail-m", "creativeml-openrail-m"),
        *("bigcode-openrail-m", "afl-3.0", "artistic-2.0", "bsl-1.0", "bsd", "bsd-2-clause"),
        *("bsd-3-clause", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0"),
        *("cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0"),
        *("cc-by-nc-nd-4.0", "cc-by-nc-sa-4.0", "ecl-2.0", "epl-2.0", "eupl-1.1", "agpl-3.0"),
        *("gfdl", "gpl", "gpl-2.0", "gpl-3.0", "lgpl", "lgpl-2.1", "lgpl-3.0", "isc", "ms-pl"),
        *("mpl-2.0", "odbl", "osl-3.0", "unlicense", "wtfpl", "zlib", "llama2", "llama3"),
        *("llama3.1", "llama3.2", "llama3.3", "llama4", "gemma"),
    )
)
"""The hub's words; any other licence stands in the card as `other`, by its own name."""
Form = Literal["merged", "adapter", "gguf"]
_LIBRARIES: Mapping[Form, str] = {"merged": "transformers", "adapter": "peft", "gguf": "gguf"}
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_VALUE = 120


@dataclass(frozen=True)
class _Read:
    """Where rows come from."""

    id: str
    use: str
    place: str
    rows: int
    key: str


@dataclass(frozen=True)
class _Made:
    """A step that made rows, or dropped some."""

    id: str
    use: str
    models: str
    before: int
    rows: int


@dataclass(frozen=True)
class _Judged:
    """What a judge found."""

    id: str
    use: str
    on: str
    rows: int
    figures: list[tuple[str, str, str]]
    gates: list[tuple[str, str, str, bool]]


def model_card(
    opened: OpenedRun,
    model: FinishedModel,
    language: str,
    form: Form = "merged",
    file: str = "",
) -> str:
    """The card of what is published, in Markdown; Chinese for `zh`, else English.

    `file`: the GGUF's name, where that is what is published.
    """
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415 - 60 ms, for this alone

    name = f"model_card.{'zh' if language.startswith('zh') else 'en'}.md.j2"
    text = resources.files("sftrecipe.report.pages").joinpath(name).read_text("utf-8")
    page = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 - Markdown
    )
    page.filters["cell"] = _table_cell
    training = next(each for each in trainings(opened) if each.id == model.step.id)
    told = page.from_string(text).render(
        **_of_training(opened, model, training),
        **_of_data(opened),
        judged=list(_judgings(opened)),
        versions=opened.run.versions,
        lock=_lock(opened.document),
        form=form,
        file=file,
    )
    return f"---\n{_head(opened, model, form)}---\n\n{told}"


def _head(opened: OpenedRun, model: FinishedModel, form: Form) -> str:
    """The hub's metadata, as YAML."""
    document = opened.document
    found: dict[str, Any] = {"language": [str(document.get("language") or "en").split("-")[0]]}
    if stated := str(document.get("license") or ""):
        known = stated.lower() in LICENSES
        found |= {"license": stated.lower()} if known else {"license": "other"}
        found |= {} if known else {"license_name": _slug(stated)}
    if base := model.trainer.base_name():
        found["base_model"] = base
    settings = dict(next(e for e in trainings(opened) if e.id == model.step.id).settings)
    if settings.get("stage") != "rm":
        found["pipeline_tag"] = "text-generation"
    found["library_name"] = _LIBRARIES[form]
    found["tags"] = [tag for tag in ("sftrecipe", model.step.use, settings.get("stage")) if tag]
    if hub := sorted({each.place for each in _sources(opened) if each.use == "huggingface"}):
        found["datasets"] = [name for name in hub if _HUB_NAME.fullmatch(name)]
    found = {name: value for name, value in found.items() if value}
    return yaml.safe_dump(found, sort_keys=False, allow_unicode=True)


def _of_training(
    opened: OpenedRun, model: FinishedModel, training: TrainedModel
) -> Mapping[str, Any]:
    losses, held_out = training.losses, training.held_out_losses
    return {
        "name": model.name,
        "description": opened.document.get("description") or "",
        "recipe": opened.run.name,
        "recipe_file": PurePosixPath(opened.run.recipe).name or f"{opened.run.name}.yaml",
        "license": opened.document.get("license") or "",
        "base": model.trainer.base_name() or _base(training),
        "goes_on_from": training.goes_on_from,
        "trainer": training.use,
        "settings": [(name, _plain(value)) for name, value in training.settings],
        "data_sets": training.data_sets,
        "metrics": [each.text for each in training.metrics],
        "losses": _ends(losses),
        "held_out": _ends(held_out),
        "key": model.step.key,
    }


def _base(training: TrainedModel) -> str:
    """What it starts from, where that has no name on a hub: not where it lies."""
    return _plain(dict(training.settings).get("model_name_or_path", ""))


def _ends(losses: Any) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The first and the last point of a curve."""
    return (tuple(losses[0]), tuple(losses[-1])) if losses else None


def _of_data(opened: OpenedRun) -> Mapping[str, Any]:
    return {
        "sources": list(_sources(opened)),
        "made": list(_steps(opened, "generate")),
        "thinned": list(_steps(opened, "filter")),
        "mixed": mixture(opened),
        "contents": [
            (each.name, each.rows, each.role, digest)
            for step in opened.steps
            for each in step.facts.data_sets
            for digest in each.contents.values()
        ],
    }


def _sources(opened: OpenedRun) -> Iterator[_Read]:
    named = dict(written_blocks(opened.document, "sources"))
    judged = {name for step in opened.steps if step.section == "evaluate" for name in step.reads}
    others = [step for step in opened.steps if step.section != "evaluate"]
    for step in opened.steps:
        only_judged = judged - {name for each in others for name in each.reads}
        if step.section == "sources" and step.id not in only_judged:
            block = named.get(step.id, {})
            place = _plain(cell_text(block.get("path") or block.get("dataset") or ""))
            yield _Read(step.id, step.use, place, step.facts.made, step.key)


def _steps(opened: OpenedRun, section: str) -> Iterator[_Made]:
    named = dict(written_blocks(opened.document, "providers"))
    for step in opened.steps:
        if step.section == section:
            models = dict.fromkeys(_model(named.get(each, {}), each) for each in step.facts.calls)
            facts = step.facts
            yield _Made(step.id, step.use, ", ".join(models), facts.made, facts.kept)


def _model(block: Mapping[str, Any], name: str) -> str:
    """The model that a provider asks, without the place where it lies."""
    return _plain(cell_text(block.get("model") or block.get("use") or name))


def _judgings(opened: OpenedRun) -> Iterator[_Judged]:
    for step in opened.steps:
        if step.section == "evaluate":
            found = [
                (each.name, f"{each.value:.4g}", _interval(each.low, each.high))
                for each in figures(step.facts.metrics)
            ]
            gates = [_gate(each) for each in step.gates]
            rows = step.facts.made
            yield _Judged(step.id, step.use, _on(step), rows, found, gates)


def _on(step: StepRecord) -> str:
    return ", ".join(step.reads)


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4g} … {high:.4g}"


def _gate(gate: GateResult) -> tuple[str, str, str, bool]:
    ends = (("≥", gate.at_least), ("≤", gate.at_most))
    bounds = ", ".join(f"{sign} {bound:g}" for sign, bound in ends if bound is not None)
    interval = f" ({_interval(gate.low, gate.high)})" if gate.low is not None else ""
    value = "" if gate.value is None else f"{gate.value:.4g}{interval}"
    return gate.metric, bounds, value, gate.passed


def _plain(value: str) -> str:
    """A value without the folders of this machine."""
    outside = value.startswith(("/", "~", "./", "../")) or PureWindowsPath(value).drive
    if outside:
        return PureWindowsPath(PurePosixPath(value).name).name
    return shortened(value, _VALUE)


def _lock(document: Mapping[str, Any]) -> str:
    """32 hexadecimal digits that another recipe does not have."""
    text = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=16).hexdigest()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-") or "other"


def _table_cell(value: object) -> str:
    """A text in a table's cell."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
