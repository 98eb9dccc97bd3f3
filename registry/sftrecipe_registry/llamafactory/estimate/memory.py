"""The memory that a training takes at its most, by parts.

Weights, gradients and moments are counted; activations are what autograd keeps of each layer of a
Llama-like decoder, written down operation by operation as Korthikanti et al. 2022 (arXiv
2205.05198, section 4.1) do for GPT: with memory-efficient attention nothing grows with the square
of the length. On a CPU glibc gives a heap's freed memory back late, so that the parts add up, and
holes and an evaluation with them; on a GPU torch's allocator uses it again, so that the larger of
both moments counts: when the loss goes back, and when all gradients are there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sftrecipe_registry.llamafactory.arguments.schedule import number
from sftrecipe_registry.llamafactory.estimate.training_setup import (
    Settings,
    TrainingSetup,
    evaluation_rows,
    targets,
    train_rows,
)

CPU_FLOOR = 660_000_000
"""torch, transformers, peft, datasets and LLaMA-Factory, with a tokenizer and a model's objects,
measured with torch built for CPUs; one that is built for CUDA brings libraries beside."""
CUDA_LIBRARIES = 470_000_000
CUDA_FLOOR = 900_000_000
"""CUDA's context, cuBLAS's workspaces and torch's kernels: 0.5 to 1 GB, by the GPU."""
_CUDA_SPLIT = 1.05
"""torch's caching allocator holds about a twentieth that it cannot give."""
_FOUR_BITS = 0.5 + 1 / 64 + 4 / (64 * 256)
"""Bytes a number of NF4 with its doubly quantised scales (Dettmers et al. 2023, section 3)."""
_HEAP = 0.5
"""Of what passes through glibc's heap in pieces while small things come to stay (an adapter's or a
bias's gradients, a quantised layer), that stays with the process as holes: measured."""
_MAPPED = 32 << 20
"""Pieces beyond this size never lie in the heap (glibc's DEFAULT_MMAP_THRESHOLD_MAX): no hole is
larger."""
_LOGITS = 3
"""fp32 copies at the loss: log_softmax's result, the loss's gradient by it, the logits' one."""


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes at the most, on the device that trains."""

    floor: int
    weights: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    heap: int
    """Holes of the heap; on a CPU alone."""
    loading: int
    """While the model is read, all of it; on a CPU alone."""
    evaluation: int
    """What an evaluation holds: beside activations and logits on a CPU, in their place on a GPU."""
    merging: int
    """Of the host, when an adapter is merged: all of it; 0: nothing is merged."""
    on_cpu: bool

    @property
    def training(self) -> int:
        """While it trains, or evaluates on the way."""
        standing = self.floor + self.weights + self.optimizer
        if self.on_cpu:
            passing = self.activations + self.logits + self.evaluation
            return standing + self.gradients + self.heap + passing
        passing = max(self.activations + self.logits, self.evaluation)
        both = self.weights + self.optimizer + max(passing, self.gradients + self.activations // 2)
        return self.floor + round(both * _CUDA_SPLIT)

    @property
    def peak(self) -> int:
        """The most that the device holds at any time; merging is on the host."""
        return max(self.training, self.loading, self.merging if self.on_cpu else 0)

    def facts(self) -> dict[str, Any]:
        """The same as plain data."""
        names = ("floor", "weights", "gradients", "optimizer", "activations", "logits", "heap")
        found = {name: getattr(self, name) for name in (*names, "evaluation", "merging")}
        return {"peak": self.peak, "training": self.training, **found}


def memory_estimate(
    settings: Settings, setup: TrainingSetup, longest: int, floor: int | None = None
) -> MemoryEstimate:
    """What a training takes whose longest row has so many tokens (cut already).

    `floor`: bytes of the process before it has a model, where more is known than CPU_FLOOR.
    """
    shape, rows = setup.shape, train_rows(settings) * setup.sequences
    tokens = rows * longest
    weights = _weights(setup) + _reference(settings, setup)
    one_layer = tokens * _kept_by_layer(settings, setup)
    kept = tokens * shape.hidden * setup.compute_bytes
    layers = shape.layers * (kept if setup.checkpointing else one_layer)
    evaluated = evaluation_rows(settings) * setup.sequences * longest
    host = floor or CPU_FLOOR
    floor = host if setup.on_cpu else CUDA_FLOOR
    return MemoryEstimate(
        floor=floor,
        weights=weights,
        gradients=_gradients(settings, setup),
        optimizer=_optimizer(setup),
        activations=layers + (one_layer if setup.checkpointing else 0) + kept,
        logits=_logits(settings, setup, tokens),
        heap=_holes(setup, tokens) if setup.on_cpu else 0,
        loading=floor + weights + shape.file_bytes if setup.on_cpu else 0,
        evaluation=evaluated * _evaluated(setup),
        merging=_merging(setup, host),
        on_cpu=setup.on_cpu,
    )


def divided(estimate: MemoryEstimate, stage: int, gpus: int) -> MemoryEstimate:
    """A GPU's part where ZeRO (Rajbhandari et al. 2020, section 5) shares states among so many:
    stage 1 the optimiser's, 2 the gradients too, 3 the weights too, as FSDP does."""
    if gpus < 2 or not stage:
        return estimate
    return replace(
        estimate,
        optimizer=estimate.optimizer // gpus,
        gradients=estimate.gradients // (gpus if stage > 1 else 1),
        weights=estimate.weights // (gpus if stage > 2 else 1),
    )


def _weights(setup: TrainingSetup) -> int:
    """The model and what is trained beside it."""
    shape = setup.shape
    if shape.quantized:
        return shape.file_bytes + setup.adapter * setup.trained_bytes
    frozen = shape.parameters - setup.own
    if setup.bits is None:
        model = frozen * setup.compute_bytes
    else:
        a_number = _FOUR_BITS if setup.bits == 4 else setup.bits / 8
        rest = max(frozen - shape.in_layers, 0) * setup.compute_bytes
        model = round(shape.in_layers * a_number) + rest
    return model + (setup.own + setup.adapter) * setup.trained_bytes


def _reference(settings: Settings, setup: TrainingSetup) -> int:
    """A second model beside it: DPO's reference where the whole model is trained, PPO's reward."""
    stage = settings.get("stage")
    needs = stage == "dpo" and settings.get("pref_loss", "sigmoid") not in ("orpo", "simpo")
    if (needs or stage == "kto") and (setup.method != "lora" or settings.get("ref_model")):
        return setup.shape.parameters * setup.compute_bytes
    if stage == "ppo" and settings.get("reward_model_type") == "full":
        return setup.shape.parameters * setup.compute_bytes
    return 0


def _gradients(settings: Settings, setup: TrainingSetup) -> int:
    """Of all that is trained; a layer's alone where each is updated as soon as it is there."""
    layerwise = any(settings.get(name) is True for name in ("galore_layerwise", "apollo_layerwise"))
    trained = setup.trained
    if layerwise or settings.get("use_badam") is True:
        trained //= setup.shape.layers
    return trained * setup.trained_bytes


def _optimizer(setup: TrainingSetup) -> int:
    moments = 2.0 if setup.moments is None else setup.moments
    return round(setup.trained * moments * setup.trained_bytes)


def _kept_by_layer(settings: Settings, setup: TrainingSetup) -> int:
    """Bytes a token that a layer keeps for its way back.

    In numbers: both norms' inputs and results, 4 h (and, where their weights are trained, what
    these are multiplied with, 2 h more); q, k, v and the attention's result; the gate, its SiLU,
    the other half and their product, 4 i; an adapter's narrow results, rank a matrix.
    """
    shape = setup.shape
    norms = 6 if setup.own else 4
    numbers = norms * shape.hidden + 2 * shape.queries + 2 * shape.keys + 4 * shape.intermediate
    narrow = 0
    if setup.adapter and setup.method == "lora":
        rank = int(number(settings, "lora_rank"))
        narrow = rank * sum(each.number for each in targets(settings, shape)) // shape.layers
    if setup.compute_bytes == 2:  # norms compute in fp32; an adapter's input is cast to fp32
        numbers += 2 * shape.hidden
    return numbers * setup.compute_bytes + narrow * setup.trained_bytes


def _holes(setup: TrainingSetup, tokens: int) -> int:
    """Of layers that are computed twice, and of layers that are read and then quantised."""
    shape, size = setup.shape, tokens * setup.compute_bytes
    widths = (6 * [shape.hidden], 2 * [shape.queries], 2 * [shape.keys], 4 * [shape.intermediate])
    pieces = (size * width for each in widths for width in each)
    layer = sum(min(piece, _MAPPED) for piece in pieces)
    again = (shape.layers - 1) * layer if setup.checkpointing else 0
    read = [
        each.parameters * setup.compute_bytes
        for each in shape.matrices
        if each.outputs * each.inputs * setup.compute_bytes <= _MAPPED
    ]
    quantized = sum(read) if setup.bits is not None else 0
    return round(_HEAP * (again + quantized))


def _logits(settings: Settings, setup: TrainingSetup, tokens: int) -> int:
    if settings.get("enable_liger_kernel") is True:  # its loss goes over them in parts
        return tokens * setup.shape.hidden * 4
    half = setup.compute_bytes if setup.compute_bytes == 2 else 0
    return tokens * setup.shape.vocabulary * (4 * _LOGITS + half)


def _evaluated(setup: TrainingSetup) -> int:
    """Bytes a token of an evaluation: logits, in fp32 too, and log_softmax's result."""
    shape, half = setup.shape, setup.compute_bytes if setup.compute_bytes == 2 else 0
    numbers = 2 * shape.hidden + shape.queries + 2 * shape.keys + 3 * shape.intermediate
    return shape.vocabulary * (4 + 4 + half) + numbers * setup.compute_bytes


def _merging(setup: TrainingSetup, floor: int) -> int:
    """Reading the model as its configuration names its type; it is written piece by piece."""
    if setup.method not in ("lora", "oft"):
        return 0
    model = setup.shape.parameters * setup.shape.type_bytes
    return floor + model + setup.shape.file_bytes


def longest_rows(settings: Settings, longest: int | None) -> int:
    """Tokens of the longest row as it is trained on: of a whole block where rows are packed."""
    cutoff = cutoff_of(settings)
    packed = settings.get("packing", settings.get("stage") == "pt") is True
    packed = packed or settings.get("neat_packing") is True
    return cutoff if packed or longest is None else min(longest, cutoff)


def cutoff_of(settings: Mapping[str, Any]) -> int:
    """`cutoff_len`, 2048 where it is not given."""
    return int(number(settings, "cutoff_len"))
