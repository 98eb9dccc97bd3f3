"""`sftrecipe model`: what is done with a model after its training."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import click

from sftrecipe.api.found_run import found_run, project_of_run
from sftrecipe.api.interrupts import run_interruptibly
from sftrecipe.api.progress_display import show_progress
from sftrecipe.cli.recipe_options import Command, Option, with_options
from sftrecipe.errors import SftrecipeError, UsageError
from sftrecipe.messages import error_text, message
from sftrecipe.plugin.model_copy import Hub, ModelCopy, ModelUpload
from sftrecipe.plugin.plugin_kinds import PluginRefused
from sftrecipe.report.pages.model_card import Form, model_card
from sftrecipe.report.pages.run.facts.opened_run import open_run
from sftrecipe.report.text.publication_text import publication_text
from sftrecipe.run.finished_model import FinishedModel, finished_model
from sftrecipe.run.published_files import CARD, PublishedFiles
from sftrecipe.run.run_file import readable
from sftrecipe.store.project import RUN_FILE

_run_argument = click.argument("run", metavar="RECIPE")
_train_option = click.option("--train", metavar="ID", help="The train block; the last one else.")
_to_option = click.option(
    "--to", type=click.Path(path_type=Path), help="Where; beside the run's model by default."
)
_language_option = click.option(
    "--lang", type=click.Choice(["en", "zh"]), help="The recipe's language by default."
)
_gguf_numbers = click.option(
    "--numbers",
    default="q8_0",
    show_default=True,
    help="f32, bf16, f16, q8_0 or q4_1: from the largest and most exact file to the smallest; "
    "q4_1 of a small model answers much worse.",
)


_PUSH_OPTIONS: tuple[Option, ...] = (
    click.option(
        "--to",
        "place",
        required=True,
        metavar="HUB:OWNER/NAME",
        help="huggingface:… or modelscope:…",
    ),
    click.option(
        "--what",
        type=click.Choice(["merged", "adapter", "gguf"]),
        default="merged",
        show_default=True,
        help="The whole model, what was trained beside its base, or the GGUF.",
    ),
    _gguf_numbers,
    click.option(
        "--private/--public", default=True, help="Who sees a new repository; private by default."
    ),
    _language_option,
    click.option("--yes", is_flag=True, help="Send it. Left out: only tell what would be sent."),
)


def push_options(command: Command) -> Command:
    """Add the options on what is sent where; the command takes them as `options`."""
    return with_options(command, _PUSH_OPTIONS, "options", PushOptions)


@click.group()
def model() -> None:
    """Hand on a trained model: as GGUF, in other numbers, with a card, on a hub.

    RECIPE is the recipe that trained it, its run's folder, or a name under runs/.
    """


@model.command()
@_run_argument
@_train_option
@_gguf_numbers
@_to_option
def gguf(run: str, train: str | None, numbers: str, to: Path | None) -> None:
    """Write it as one GGUF file, for llama.cpp and the provider `embedded`."""
    found = _found_model(run, train)
    click.echo(_written_gguf(found, numbers, to))


@model.command()
@_run_argument
@_train_option
@click.option("--numbers", required=True, help="f32, bf16 or f16.")
@_to_option
def merge(run: str, train: str | None, numbers: str, to: Path | None) -> None:
    """Write the whole model, its adapter merged, in other numbers."""
    found = _found_model(run, train)
    target = _free(to or found.out / f"{found.name}-{numbers}")
    with show_progress(quiet=False) as progress, _told():
        copy = _copy(found, target, numbers, progress.line)
        run_interruptibly(found.trainer.merge(copy))
    click.echo(target)


@model.command()
@_run_argument
@_train_option
@_language_option
@_to_option
def card(run: str, train: str | None, lang: str | None, to: Path | None) -> None:
    """Write its card: base model, data, settings, figures, licence."""
    found = _found_model(run, train)
    file = _ours(to, b"---\n", b"\n- sftrecipe\n") or found.out / CARD
    file.write_text(_card(found, lang), encoding="utf-8")
    click.echo(file)


@dataclass(frozen=True)
class PushOptions:
    """What is sent, and where to."""

    place: str
    what: Form
    numbers: str
    private: bool
    lang: str | None
    yes: bool


@model.command()
@_run_argument
@_train_option
@push_options
def push(run: str, train: str | None, options: PushOptions) -> None:
    """Send it, with its card, to the Hugging Face hub or to ModelScope.

    Nothing is asked of the network without `--yes`. The token is the variable HF_TOKEN or
    MODELSCOPE_API_TOKEN, else that of the hub's own login.
    """
    hub, repository = _place(options.place)
    found = _found_model(run, train)
    sent = _publication(found, options)
    card_text = _card(found, options.lang, options.what, next(iter(sent)))
    files = PublishedFiles({**sent, CARD: card_text.encode()})
    private = options.private
    click.echo(publication_text(files.sizes(), hub, repository, private=private, sent=options.yes))
    if not options.yes:
        return
    with (
        tempfile.TemporaryDirectory(prefix="sftrecipe-") as folder,
        show_progress(quiet=False) as progress,
        _told(),
    ):
        files.stage(Path(folder))
        upload = ModelUpload(hub, repository, private, Path(folder), progress.line)
        address = run_interruptibly(found.trainer.upload(upload))
    click.echo(message("model-pushed", {"address": address}))


class _told:  # noqa: N801 - reads as a word
    """A trainer's refusal becomes the user's error."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PluginRefused):
            raise SftrecipeError("model-refused", error=error_text(error)) from error


def _found_model(run: str, train: str | None) -> FinishedModel:
    out, record = found_run(run)
    with readable(out):
        found = finished_model(record, out.resolve(), train)
    if _is_older(record.recipe, out, Path(run)):
        told = {"recipe": run, "model": str(found.folder)}
        click.echo(message("model-of-earlier-recipe", told), err=True)
    return found


def _is_older(recipe: str, out: Path, asked: Path) -> bool:
    """Whether a recipe that is named was written after the run, or is another one of its name."""
    if not asked.is_file() or asked.name == RUN_FILE:
        return False
    written = asked.stat().st_mtime
    # By name: a run notes the path as it was given, from wherever it was started.
    return asked.name != Path(recipe).name or written > (out / RUN_FILE).stat().st_mtime


def _card(found: FinishedModel, language: str | None, form: Form = "merged", file: str = "") -> str:
    project = project_of_run(found.out, found.run)
    with readable(found.out):
        opened = open_run(found.out, project)
        language = language or str(found.run.document.get("language", "en"))
        return model_card(opened, found, language, form, file)


def _copy(
    found: FinishedModel, target: Path, numbers: str, say: Callable[[str], None] | None = None
) -> ModelCopy:
    told = {} if say is None else {"say": say}
    return ModelCopy(found.folder, target, numbers, found.name, found.out, id=found.step.id, **told)


def _written_gguf(found: FinishedModel, numbers: str, to: Path | None) -> Path:
    target = _ours(to, b"GGUF") or found.out / f"{found.name}-{numbers}.gguf"
    with _told():
        found.trainer.write_gguf(_copy(found, target.absolute(), numbers))
    return target


def _publication(found: FinishedModel, options: PushOptions) -> dict[str, Path | bytes]:
    if options.what == "gguf":
        file = _written_gguf(found, options.numbers, None)
        return {file.name: file}
    with _told():
        return dict(found.trainer.publication(_copy(found, found.out, ""), options.what))


def _free(folder: Path) -> Path:
    """Raises UsageError where something stands there."""
    if folder.exists():
        raise UsageError("copy-in-the-way", "copy-in-the-way", path=str(folder))
    return folder.absolute()


def _ours(file: Path | None, start: bytes, mark: bytes = b"") -> Path | None:
    """Raises UsageError where a file of another kind would be written over."""
    if file is not None and file.is_file():
        with file.open("rb") as opened:
            head = opened.read(4096)
            if not head.startswith(start) or mark not in head:
                raise UsageError("copy-in-the-way", "copy-in-the-way", path=str(file))
    return file


def _place(place: str) -> tuple[Hub, str]:
    """Raises UsageError."""
    hub, _, repository = place.partition(":")
    owner, _, name = repository.partition("/")
    if hub not in ("huggingface", "modelscope") or not owner or not name or "/" in name:
        raise UsageError("no-hub-place", place=place)
    return cast("Hub", hub), repository
