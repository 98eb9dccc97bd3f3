"""The table of LLaMA-Factory's arguments: what it says, and that it is true."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sftrecipe_registry.llamafactory.arguments.argument import COMPUTED, ArgumentTable
from sftrecipe_registry.llamafactory.arguments.table import (
    ArgumentProblem,
    check_arguments,
    find_site_packages,
    from_environment,
    normalized,
    shipped,
    snapshot,
)

from ...support.training_environment import ABSENT, training_process_environment, training_python

# Run by the training environment's python: what the imported dataclasses themselves say.
REAL_FIELDS = """
import dataclasses, enum, json, types, typing
from llamafactory.data.template import TEMPLATES
from llamafactory.hparams import parser

def members(hint):
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return typing.get_args(hint)
    return (hint,)

def described(field, hint, group):
    names, choices, plain, enums = [], [], set(), False
    for member in members(hint):
        origin = typing.get_origin(member)
        if origin is typing.Literal:
            choices += typing.get_args(member)
            names += [type(value).__name__ for value in typing.get_args(member)]
        elif isinstance(member, type) and issubclass(member, enum.Enum):
            enums = True
            choices += [each.value for each in member]
            names.append("str")
        else:
            names.append((origin or member).__name__)
            if names[-1] in ("str", "int", "float", "bool", "list", "dict"):
                plain.add(names[-1])
    default = field.default
    if default is dataclasses.MISSING:
        default = field.default_factory()
    if isinstance(default, enum.Enum):
        default = default.value
    return {
        "types": sorted(set(names) - {"NoneType"}),
        "optional": "NoneType" in names,
        "choices": choices if not plain or (enums and plain == {"str"}) else [],
        "default": default,
        "group": group,
    }

groups = ("model", "data", "training", "finetuning", "generating")
arguments = {}
for group, owner in zip(groups, parser._TRAIN_ARGS, strict=True):
    hints = typing.get_type_hints(owner)
    for field in dataclasses.fields(owner):
        if field.init and field.name not in arguments:
            arguments[field.name] = described(field, hints[field.name], group)
print(json.dumps({"arguments": arguments, "templates": sorted(TEMPLATES)}))
"""


def problems(**values: object) -> list[ArgumentProblem]:
    return list(check_arguments(values, shipped()))


def outcome(**values: object) -> tuple[str, object]:
    (problem,) = problems(**values)
    return problem.kind, problem.suggestion


def test_the_snapshot_says_what_it_is_of() -> None:
    table = shipped()
    assert table.version == "llamafactory 0.9.5, transformers 5.6.0, snapshot"
    assert (len(table.arguments), len(table.templates)) == (346, 121)
    assert {"smollm2", "qwen", "llama3", "chatml"} <= table.templates
    assert table.arguments["cutoff_len"].default == 2048
    assert table.arguments["stage"].choices == ("pt", "sft", "rm", "ppo", "dpo", "kto")
    assert table.arguments["eval_steps"].type == "float or null"


def test_arguments_that_train_are_accepted() -> None:
    assert not problems(
        stage="sft",
        do_train=True,
        model_name_or_path="Qwen/Qwen2.5-7B-Instruct",
        dataset=["a", "b"],
        template="qwen",
        finetuning_type="lora",
        lora_target="all",
        learning_rate="1e-5",
        num_train_epochs=3,
        warmup_ratio=0.1,
        lr_scheduler_type="cosine",
        bf16=True,
        report_to="none",
        resume_from_checkpoint=None,
        deepspeed={"zero_optimization": {"stage": 2}},
        lr_scheduler_kwargs='{"num_cycles": 2}',
        save_strategy="no",
    )


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("learning_rte", 1e-4, ("unknown", "learning_rate")),
        ("zzz", 1, ("unknown", None)),
        ("evaluation_strategy", "steps", ("renamed", "eval_strategy")),
        ("num_epochs", 3, ("renamed", "num_train_epochs")),
        ("max_seq_length", 512, ("renamed", "cutoff_len")),
        ("batch_size", 4, ("renamed", "per_device_train_batch_size")),
        ("no_cuda", True, ("renamed", "use_cpu")),
        ("lora_r", 8, ("renamed", "lora_rank")),
        ("lr", 1e-4, ("renamed", "learning_rate")),
        ("lora_rank", "4", ("type", 4)),
        ("lora_rank", True, ("type", None)),
        ("lora_rank", 4.0, ("type", 4)),
        ("max_steps", "1e3", ("type", 1000)),
        ("learning_rate", "0.001", ("type", 0.001)),
        ("learning_rate", "fast", ("type", None)),
        ("do_train", "false", ("type", False)),
        ("cutoff_len", None, ("type", None)),
        ("output_dir", 2026, ("type", "2026")),
        ("save_strategy", False, ("choice", "no")),
        ("stage", "stf", ("choice", "sft")),
        ("optim", "adamw_torch_fuse", ("choice", "adamw_torch_fused")),
        ("template", "qwen2.5", ("choice", "qwen")),
        ("template", "smolm2", ("choice", "smollm2")),
        ("cutoff_len", -5, ("type", None)),
        ("lora_rank", 0, ("type", None)),
        ("learning_rate", -1e-4, ("type", None)),
    ],
)
def test_a_wrong_argument_is_named(name: str, value: object, expected: tuple[str, object]) -> None:
    assert outcome(**{name: value}) == expected


def test_a_number_in_yaml_1_2_is_written_as_one() -> None:
    values = {"learning_rate": "1.e-5", "run_name": "1e-5", "lr": "1e-5", "seed": 1}
    assert normalized(values, shipped()) == {**values, "learning_rate": 1e-05}


def test_importing_the_module_imports_next_to_nothing() -> None:
    script = (
        "import sys; before = set(sys.modules); "
        "import sftrecipe_registry.llamafactory.arguments.table; "
        "print({'difflib', 'pydantic', 'yaml'} & (set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


@pytest.fixture
def small_environment(tmp_path: Path) -> Path:
    """A venv where LLaMA-Factory is an editable checkout, with every spelling of a type."""
    checkout = tmp_path / "checkout" / "src"
    files = {
        "__init__.py": "",
        "data/template.py": "register_template(name='one')\nregister_template('two')\n",
        "hparams/model_args.py": "from ..sizes import Size\n@dataclass\nclass ModelArguments:\n"
        "    size: Size = field(default=Size.BIG)\n    pixels: int = 2 * 3\n",
        "sizes.py": "class Size(str, Enum):\n    BIG = 'big'\n    SMALL = 'small'\n",
        "hparams/data_args.py": "@dataclass\nclass DataArguments:\n"
        "    names: Optional[List[str]] = None\n    hidden: int = field(default=1, init=False)\n",
        "hparams/training_args.py": "if fast:\n    from fast import Arguments as Fast\n"
        "    Base = Fast\nelse:\n    Base = Usual\n@dataclass\nclass Usual:\n"
        "    old: 'int | None' = None\n@dataclass\nclass TrainingArguments(Base):\n"
        "    text: Union[str, None] = default_text\n",
        "hparams/finetuning_args.py": "@dataclass\nclass Lora:\n    target: str = 'all'\n"
        "@dataclass\nclass FinetuningArguments(Lora):\n    def __post_init__(self):\n"
        "        self.target = split_arg(self.target)\n",
        "hparams/generating_args.py": "@dataclass\nclass GeneratingArguments:\n"
        "    way: Literal['a', 2] | None = None\n",
    }
    for name, text in files.items():
        file = checkout / "llamafactory" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    site_packages = tmp_path / "venv" / "lib" / "python3.12" / "site-packages"
    (site_packages / "llamafactory-1.2.dist-info").mkdir(parents=True)
    (site_packages / "_llamafactory.pth").write_text(f"import site\n{checkout}\n")
    scripts = tmp_path / "venv" / "bin"
    scripts.mkdir()
    (scripts / "python").symlink_to(sys.executable)
    (scripts / "llamafactory-cli").write_text(f"#!{scripts / 'python'}\n")
    return site_packages


def test_the_sources_of_an_environment_are_read(small_environment: Path) -> None:
    table = from_environment(small_environment)
    assert table.version == "llamafactory 1.2, transformers unknown"
    assert table.templates == {"one", "two"}
    said = {name: (each.type, each.default) for name, each in table.arguments.items()}
    assert said == {
        "size": ("one of big, small", "big"),
        "pixels": ("int", 6),
        "names": ("list or null", None),
        "old": ("int or null", None),
        "text": ("str or null", COMPUTED),
        "target": ("str", "all"),
        "way": ("one of a, 2 or null", None),
    }
    assert table.arguments["target"].splits


def test_an_environment_is_found_by_whatever_names_it(
    small_environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = tmp_path / "venv"
    link = tmp_path / "elsewhere" / "bin" / "llamafactory-cli"
    link.parent.mkdir(parents=True)
    link.symlink_to(venv / "bin" / "llamafactory-cli")
    copied = link.with_name("copied")
    copied.write_bytes(link.read_bytes())
    copied.chmod(0o755)
    monkeypatch.setenv("PATH", str(link.parent))
    (venv / "bin" / "llamafactory-cli").chmod(0o755)
    for name in (
        str(venv),
        str(venv / "bin" / "python"),
        str(venv / "bin" / "llamafactory-cli"),
        str(link),
        "llamafactory-cli",
        "llamafactory-cli train",
        str(copied),
    ):
        assert find_site_packages(name) == small_environment, name
    assert find_site_packages("no-such-command") is None
    assert find_site_packages(str(tmp_path)) is None
    assert find_site_packages("") is None


@pytest.mark.heavy
def test_what_the_sources_say_is_what_the_classes_are() -> None:
    table = environment_table()
    python = training_python()
    assert python is not None
    done = subprocess.run(
        [python, "-c", REAL_FIELDS],
        env=training_process_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    real = json.loads(done.stdout.splitlines()[-1])
    read = {
        name: {
            "types": sorted(each.types),
            "optional": each.optional,
            "choices": list(each.choices),
            "default": each.default,
            "group": each.group,
        }
        for name, each in table.arguments.items()
    }
    computed = [name for name, each in table.arguments.items() if each.default == COMPUTED]
    assert computed == ["optim"]  # depends on the torch that is installed
    read["optim"]["default"] = real["arguments"]["optim"]["default"]
    assert list(read) == list(real["arguments"])
    assert read == real["arguments"]
    assert sorted(table.templates) == real["templates"]


@pytest.mark.heavy
def test_the_snapshot_is_of_the_training_environment() -> None:
    table = environment_table()
    of_snapshot = ArgumentTable(table.version, shipped().arguments, shipped().templates)
    assert snapshot(of_snapshot) == snapshot(table)
    assert shipped().version == f"{table.version}, snapshot"


def environment_table() -> ArgumentTable:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    site_packages = find_site_packages(str(python))
    assert site_packages is not None
    return from_environment(site_packages)
