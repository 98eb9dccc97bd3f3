"""What LLaMA-Factory's arguments do only with the user's word, by the class of each.

The classes stand in `permissions.txt`, one argument a line. What does not stand there
needs the user's word.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from sftrecipe.plugin import Permission, Places, Risk, open_regular, trained_block
from sftrecipe_registry.llamafactory.training.output import listed
from sftrecipe_registry.llamafactory.training.trackers import TRACKERS, named_trackers
from sftrecipe_registry.llamafactory.training.variables import HUB_TOKENS
from sftrecipe_registry.llamafactory.v1.settings import OWN
from sftrecipe_registry.shared.models.model_folder import is_path
from sftrecipe_registry.shared.models.packaged_models import PACKAGED

CLASSES = Path(__file__).with_name("permissions.txt")
HUB_FOLDERS = ("ONLINE", "REMOTE:")
"""What `dataset_dir` begins with where the catalogue is a hub's."""
WRITTEN = frozenset({"export_dir", "logging_dir", "output_dir", "ray_storage_path"})
"""Arguments that name a folder to write into: they stay below the run's, whatever the user says."""
SHOWN = 80

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/\w[\w.-]*)?", re.ASCII)
_MODELS = ("base", "model")
_BESIDE = OWN | frozenset(
    {
        # DataFlex's; before them v1's
        *("train_type", "component_name", "warmup_step", "update_step", "update_times"),
        *("train_step", "static_mix", "freeze_gate", "early_stopping_min_delta"),
    }
)
"""Plain arguments of others that train with LLaMA-Factory's."""
_SETTINGS_AT_MOST = 1 << 20
_ELSEWHERE: Mapping[str, Risk] = {
    "script_url": "code",
    "hf_hub_url": "network",
    "ms_hub_url": "network",
    "om_hub_url": "network",
    "cloud_file_name": "network",
}
"""Keys of a catalogue's entry that take its data from elsewhere."""


@lru_cache(maxsize=1)
def argument_classes() -> Mapping[str, str]:
    """The class of every argument that is known, and of what mappings may hold, dotted."""
    lines = CLASSES.read_text(encoding="utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#"))
    return {name: kind for name, kind in pairs}  # noqa: C416 - dict() takes no lists of str


def argument_permissions(arguments: Mapping[str, Any], places: Places) -> Iterator[Permission]:
    """What the arguments ask of the user, argument by argument, then what their data sets do."""
    for name, value in arguments.items():
        if value not in (None, False, "", [], {}):
            for risk, shown in _risks(name, value, arguments, places):
                yield Permission((name,), name, risk, shown)
    yield from _data_permissions(arguments, places)
    # A gated model's download may need it, and no other.
    if any(is_hub_model(name) for name in listed(arguments.get("model_name_or_path"))):
        for token in HUB_TOKENS:
            yield Permission(("model_name_or_path",), token, "secret", token, required=False)


def _risks(
    name: str, value: Any, arguments: Mapping[str, Any], places: Places
) -> Iterator[tuple[Risk, str]]:
    """What one argument does, and the value by which it is shown."""
    is_presets = isinstance(value, str) and value in places.of_presets
    kind, places = _class(name), places.seen_from(value)
    if kind == "code":  # the code is the models'
        models = [str(each) for key, each in arguments.items() if _class(key) in _MODELS and each]
        yield "code", _shown(value) + (f" ({_shown(', '.join(models))})" if models else "")
    elif kind == "secret":
        yield "secret", f"… ({_digest(_shown(value))})"
    elif kind == "network":
        yield "network", _shown(value)
    elif kind == "tracker":
        far = [each for each in named_trackers({name: value}) if _is_far(each)]
        if far:
            yield "network", ", ".join(far)
    elif kind == "path":
        yield from _path_risks(value, places)
    elif kind == "model" and name == "reward_model" and _is_asked(arguments):
        yield "network", _shown(value)
    elif kind == "model":
        yield from (risk for each in listed(value) for risk in _path_risks(each, places))
    elif kind == "base":
        reads = is_presets and is_path(value)  # any folder of the recipe's own, of a preset's one
        yield from (risk for risk in _path_risks(value, places) if reads or risk[0] != "path")
    elif kind == "settings":
        yield from _settings_risks(name, value, places)
    elif kind != "plain":
        yield "unknown", _shown(value)


def _is_asked(arguments: Mapping[str, Any]) -> bool:
    """Whether the reward model is a server, by its address."""
    return arguments.get("reward_model_type") == "api"


def _class(name: str) -> str:
    return "plain" if name in _BESIDE else argument_classes().get(name, "unknown")


def _is_far(tracker: str) -> bool:
    """Whether it is known, and reports to elsewhere; an unknown one is refused."""
    return tracker in TRACKERS and not TRACKERS[tracker].is_local


def _path_risks(value: Any, places: Places) -> Iterator[tuple[Risk, str]]:
    """A path that leads out, or that is an address."""
    if isinstance(value, bool):
        return
    if not isinstance(value, str):
        yield "unknown", _shown(value)
    elif "://" in value or "::" in value or value.startswith(HUB_FOLDERS):
        yield "network", _shown(value)
    elif not places.holds(value):
        yield "path", _shown(value)


def is_hub_model(model: str) -> bool:
    """Whether a name is one of a model hub."""
    own = model == PACKAGED or trained_block(model) is not None
    return not own and _HUB_NAME.fullmatch(model) is not None


def _settings_risks(name: str, value: Any, places: Places) -> Iterator[tuple[Risk, str]]:
    """A mapping, in the recipe or in a file, with keys that are not known to be harmless."""
    text, shown = value, _shown(value)
    if isinstance(value, str) and not value.lstrip().startswith("{"):
        risks = list(_path_risks(value, places))
        yield from risks
        if risks:
            return
        text = _content(value, places)
        shown = f"{value} ({_digest(text)})"
    try:
        found = json.loads(text) if isinstance(text, str) else text
        odd = sorted(_unknown_keys(name, found))
    except (ValueError, RecursionError):
        odd = [name]
    if odd:
        yield "unknown", f"{_shown(', '.join(odd))} in {shown}"


def _content(value: str, places: Places) -> str:
    """The text of a file of settings; empty where there is none.

    What is no file may still be read: accelerate takes the settings themselves in base64.
    """
    place = places.found(value)
    if place is None:
        return ""
    try:
        with open_regular(place) as file:
            return file.read(_SETTINGS_AT_MOST).decode()
    except (OSError, UnicodeDecodeError):
        return ""


def _unknown_keys(name: str, value: Any) -> Iterator[str]:
    """Dotted names below an argument's own that stand in no line of the classes."""
    if not isinstance(value, Mapping):
        yield name
        return
    for key, item in value.items():
        dotted = f"{name}.{key}"
        if dotted in argument_classes() or f"{name}.*" in argument_classes():
            if isinstance(item, Mapping):
                yield dotted
        elif isinstance(item, Mapping) and item:
            yield from _unknown_keys(dotted, item)
        else:
            yield dotted


def _data_permissions(arguments: Mapping[str, Any], places: Places) -> Iterator[Permission]:
    """What the catalogue's entries do that are trained on, where the catalogue can be read."""
    folder = str(arguments.get("dataset_dir") or ".")
    if folder.startswith(HUB_FOLDERS) or "://" in folder:
        return
    places = places.seen_from(folder)
    place = places.output if folder == "." else places.found(folder)
    if place is None or not places.holds(str(place / "dataset_info.json")):
        return
    for name in [*listed(arguments.get("dataset")), *listed(arguments.get("eval_dataset"))]:
        entry = _entries(place).get(name)
        if isinstance(entry, Mapping):
            yield from _entry_permissions(name, entry, place, places)


def _entry_permissions(
    name: str, entry: Mapping[str, Any], folder: Path, places: Places
) -> Iterator[Permission]:
    path = ("dataset_dir",)
    for key, risk in _ELSEWHERE.items():
        if key in entry:
            yield Permission(path, key, risk, f"{name}, {key} {_shown(entry[key])}")
    file = entry.get("file_name")
    if isinstance(file, str) and any(not places.holds(each) for each in _files(folder / file)):
        yield Permission(path, "file_name", "path", f"{name}, file_name {_shown(file)}")


def _files(path: Path) -> Iterator[str]:
    """The file, or a folder and what lies in it."""
    yield str(path)
    if path.is_dir():
        yield from (str(each) for each in path.iterdir())


def _entries(folder: Path) -> Mapping[str, Any]:
    try:
        with open_regular(folder / "dataset_info.json") as file:
            found = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}


def placed_arguments(arguments: Mapping[str, Any], places: Places) -> dict[str, object]:
    """The arguments with absolute paths of what lies beside the recipe, where the trainer looks for
    relative paths in the output folder and does not know `~`."""
    placed = dict(arguments)
    for name, value in arguments.items():
        named = isinstance(value, str | list) and name not in WRITTEN
        if named and _class(name) in ("path", "model", "settings"):
            paths = listed(value) if _class(name) == "model" else [str(value)]
            seen = places.seen_from(value)
            placed[name] = ",".join(_placed(path, seen) for path in paths)
    return placed


def _placed(path: str, places: Places) -> str:
    places = places.seen_from(path)
    found = None if path.lstrip().startswith("{") or "://" in path else places.found(path)
    beside = places.recipe / Path(path).expanduser()
    return str(beside.resolve()) if found == beside and beside.exists() else path


def _shown(value: Any) -> str:
    """A value in one line, whole enough to be told from others."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}… ({_digest(text)})"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=6).hexdigest()
