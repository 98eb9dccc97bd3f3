"""Which arguments of vLLM's server a recipe may give, and how they are written.

Only those that load no code and read no file: a recipe may be a stranger's. `trust_remote_code`,
plugins, classes by name and files are for who starts a server by hand. Names as of vLLM 0.32
(`vllm serve --help=all`), with those of the last versions that it dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sftrecipe.plugin import OptionProblem, Texts, closest

texts = Texts(__package__)
OF_REPLIES = frozenset({
    "convert", "default_chat_template_kwargs", "dtype", "enable_auto_tool_choice",
    "generation_config", "hf_overrides", "kv_cache_dtype", "load_format", "logprobs_mode",
    "override_generation_config", "pooler_config", "quantization", "reasoning_parser", "runner",
    "tokenizer_mode", "tokenizer_revision", "tool_call_parser",
})  # fmt: skip
"""Arguments that change what is replied: part of a provider's identity."""

OF_THE_MACHINE = frozenset({
    "async_scheduling", "attention_backend", "block_size", "cpu_offload_gb",
    "data_parallel_size", "disable_custom_all_reduce", "disable_log_stats",
    "disable_sliding_window", "enable_chunked_prefill", "enable_expert_parallel",
    "enable_prefix_caching", "enforce_eager", "gpu_memory_utilization", "kv_cache_memory_bytes",
    "language_model_only", "limit_mm_per_prompt", "long_prefill_token_threshold",
    "max_cudagraph_capture_size", "max_logprobs", "max_model_len", "max_num_batched_tokens",
    "max_num_partial_prefills", "max_num_seqs", "max_parallel_loading_workers", "moe_backend",
    "num_gpu_blocks_override", "numa_bind", "optimization_level", "performance_mode",
    "pipeline_parallel_size", "prefix_caching_hash_algo", "safetensors_load_strategy",
    "scheduling_policy", "seed", "skip_mm_profiling", "swap_space", "tensor_parallel_size",
    "use_tqdm_on_load", "uvicorn_log_level",
})  # fmt: skip
"""Arguments about memory, speed and cards: changing them asks nothing anew."""

_OF_THE_ENGINE = frozenset({"model", "served_model_name", "host", "port", "api_key", "revision"})
_WORD = re.compile(r"[\w.:+-]*")


def argument_problems(arguments: Mapping[str, Any]) -> Iterator[OptionProblem]:
    """What is wrong with a recipe's arguments for the server."""
    taken = OF_REPLIES | OF_THE_MACHINE
    for key, value in arguments.items():
        name = _name(key)
        path = ("serve", "args", key)
        if name in _OF_THE_ENGINE:
            message, hint = texts("engine-gives", key=key), texts("use-own-options")
            yield OptionProblem(path, message, hint, at_key=True)
        elif name not in taken:
            message = texts("not-for-recipes", key=key)
            near = closest(name, taken)
            hint = texts("argument-near", near=near) if near else texts("start-by-hand")
            yield OptionProblem(path, message, hint, at_key=True)
        elif value is None or (isinstance(value, str) and not _WORD.fullmatch(value)):
            yield OptionProblem(path, texts("wrong-value", key=key))


def argument_list(arguments: Mapping[str, Any]) -> list[str]:
    """The arguments as the command line takes them.

    `max_model_len: 4096` becomes `--max-model-len=4096`, `false` `--no-…`, a mapping JSON.
    """
    return [_written(_name(key).replace("_", "-"), value) for key, value in arguments.items()]


def reply_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the arguments that change what is replied."""
    named = {_name(key): value for key, value in arguments.items()}
    return {name: named[name] for name in sorted(named.keys() & OF_REPLIES)}


def _name(key: str) -> str:
    return key.removeprefix("--").replace("-", "_")


def _written(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no-{name}"
    if isinstance(value, (dict, list)):
        return f"--{name}={json.dumps(value)}"
    return f"--{name}={value}"
