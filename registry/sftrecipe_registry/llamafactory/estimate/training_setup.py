"""How a training holds its numbers: what it trains, in which types, on what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sftrecipe_registry.llamafactory.arguments.schedule import number
from sftrecipe_registry.llamafactory.estimate.model_shape import Matrix, ModelShape
from sftrecipe_registry.llamafactory.training.output import listed

Settings = Mapping[str, Any]

_ADAM, _NO_MOMENTS = 2.0, 0.0
_MOMENTS: Mapping[str, float] = {
    **dict.fromkeys(("adamw_torch", "adamw_torch_fused", "adamw_hf", "adamw_apex_fused"), _ADAM),
    **dict.fromkeys(("adam_mini", "lion_32bit", "rmsprop", "adagrad", "paged_lion_32bit"), 1.0),
    **dict.fromkeys(("adamw_8bit", "adamw_bnb_8bit", "paged_adamw_8bit", "ademamix_8bit"), 0.5),
    **dict.fromkeys(("lion_8bit", "paged_lion_8bit", "rmsprop_bnb_8bit"), 0.25),
    **dict.fromkeys(("adafactor", "sgd"), _NO_MOMENTS),
    "paged_adamw_32bit": _ADAM,
}
"""Numbers of fp32 that an optimiser keeps a trained parameter; an eighth of 32 bits a byte."""
_LOW_RANK = (("use_galore", "galore_rank"), ("use_apollo", "apollo_rank"))


@dataclass(frozen=True)
class TrainingSetup:
    """What the arguments make of a model."""

    shape: ModelShape
    on_cpu: bool
    method: str
    """`full`, `freeze`, `lora` or `oft`."""
    bits: int | None
    """Of the layers' numbers, where they are quantised."""
    compute_bytes: int
    """A number of the activations, and of weights that are not trained."""
    trained_bytes: int
    """A number of the weights that are trained."""
    adapter: int
    """Parameters beside the model's own."""
    own: int
    """The model's own parameters that are trained."""
    checkpointing: bool
    moments: float | None
    """fp32 numbers an optimiser keeps a trained parameter; None: not known."""
    sequences: int
    """Sequences of a row: two where there are two answers."""

    @property
    def trained(self) -> int:
        """All that is trained."""
        return self.adapter + self.own


def training_setup(settings: Settings, shape: ModelShape, *, on_cpu: bool) -> TrainingSetup:
    """As LLaMA-Factory 0.9.5 sets a model up (model/patcher.py, model/adapter.py).

    Gradient checkpointing is on unless it is disabled; what is trained is cast to fp32 but for
    `pure_bf16` and BAdam; without `bf16` or `fp16` a GPU computes in the half type, a CPU in fp32.
    """
    method = str(settings.get("finetuning_type", "lora"))
    half = any(settings.get(name) is True for name in ("bf16", "fp16", "pure_bf16"))
    compute = 2 if half or not on_cpu else 4
    pure = settings.get("pure_bf16") is True or settings.get("use_badam") is True
    bits = settings.get("quantization_bit")
    adapter, own = _trained(settings, shape, method)
    return TrainingSetup(
        shape=shape,
        on_cpu=on_cpu,
        method=method,
        bits=bits if isinstance(bits, int) and not isinstance(bits, bool) else None,
        compute_bytes=compute,
        trained_bytes=compute if pure else 4,
        adapter=adapter,
        own=own,
        checkpointing=settings.get("disable_gradient_checkpointing") is not True,
        moments=_moments(settings, shape),
        sequences=2 if settings.get("stage") in ("rm", "dpo", "kto") else 1,
    )


def targets(settings: Settings, shape: ModelShape) -> Iterator[Matrix]:
    """The matrices that an adapter lies beside: all of the layers, or those that are named."""
    named = listed(settings.get("lora_target", settings.get("oft_target", "all")))
    for matrix in shape.matrices:
        if named == ["all"] or matrix.name in named or _matches(named, matrix.name):
            yield matrix


def _matches(named: list[str], name: str) -> bool:
    return any(each.rsplit(".", 1)[-1] == name for each in named)


def _trained(settings: Settings, shape: ModelShape, method: str) -> tuple[int, int]:
    """Parameters of an adapter, and of the model's own."""
    if method == "full":
        return 0, shape.parameters
    if method == "freeze":
        given = settings.get("freeze_trainable_layers", 2)
        layers = min(abs(given) if isinstance(given, int) else 2, shape.layers)
        return 0, shape.in_layers * layers // shape.layers
    if method == "oft":
        block = settings.get("oft_block_size", 32)
        size = block if isinstance(block, int) and block > 0 else 32
        return sum(
            each.inputs * (size - 1) // 2 * each.number for each in targets(settings, shape)
        ), 0
    rank = settings.get("lora_rank", 8)
    rank = rank if isinstance(rank, int) and rank > 0 else 8
    found = sum(
        (rank * (each.inputs + each.outputs) + dora) * each.number
        for each in targets(settings, shape)
        for dora in [each.outputs if settings.get("use_dora") is True else 0]
    )
    whole = sum(
        shape.vocabulary * shape.hidden
        for name in listed(settings.get("additional_target"))
        if re.search("embed|lm_head|wte", name)
    )
    return found + whole, 0


def _moments(settings: Settings, shape: ModelShape) -> float | None:
    """fp32 numbers that the optimiser keeps a trained parameter."""
    for name, rank_name in _LOW_RANK:
        if settings.get(name) is True:  # moments of the projected gradients, and the projections
            rank = int(number(settings, rank_name))
            kept = sum(
                (2 * rank * max(each.outputs, each.inputs) + rank * min(each.outputs, each.inputs))
                * each.number
                for each in shape.matrices
            )
            rest = shape.parameters - shape.in_layers
            return (kept + 2 * rest) / shape.parameters
    if settings.get("use_badam") is True:  # one layer at a time, with an fp32 copy of it
        return 3 / shape.layers
    if settings.get("use_adam_mini") is True:
        return 1.0
    if settings.get("use_muon") is True:
        return 1.0 + (shape.parameters - shape.in_layers) / shape.parameters
    return _MOMENTS.get(str(settings.get("optim", "adamw_torch")))


def evaluation_rows(settings: Settings) -> int:
    """Rows of a device's batch where it evaluates on the way or at the end; 0: it does not."""
    on_the_way = str(settings.get("eval_strategy", "no")) not in ("no", "False")
    if not (settings.get("do_eval") is True or on_the_way):  # data to evaluate on do not ask for it
        return 0
    given = settings.get("per_device_eval_batch_size", 8)
    return given if isinstance(given, int) and given > 0 else 8


def train_rows(settings: Settings) -> int:
    """Rows of a device's batch."""
    return max(int(number(settings, "per_device_train_batch_size")), 1)
