"""Training arguments of former times and other trainers: known, and led to what there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sftrecipe_registry.llamafactory.arguments.old_names import (
    GONE,
    GONE_VALUES,
    RENAMED,
    REVALUED,
)
from sftrecipe_registry.llamafactory.arguments.table import (
    check_arguments,
    explained,
    shipped,
    texts,
)

# Every argument that a commit of hiyouga/LLaMA-Factory declared and 0.9.5 does not take.
DECLARED_ONCE = """
aqlm_optimization batch_size block_diag_attn cache_path checkpoint_dir chunk_size compute_dtype
cpu_infer dataset_map_batch_size dataset_shards dev_ratio device_map disable_version_checking
download_mode dpo_beta dpo_ftx dpo_loss dpo_ref_model dpo_ref_model_checkpoint efficient_packing
eval_tokenized_path export_lecacy_format hf_auth_token image_dir image_max_resolution
image_min_resolution image_path image_resolution infer_num_beams kt_force_think kt_maxlen kt_mode
kt_optimize_rule kt_use_cuda_graph kto_beta kto_desirable_weight kto_ftx kto_undesirable_weight
lang layernorm_dtype loftq_init lora_bf16_mode lora_lr_ratio max_source_length max_target_length
mode model_max_length n_shot name_module_trainable neft_alpha new_normal_tokens new_special_tokens
num_hidden_layers num_layer_trainable orpo_beta padding_side placement_strategy ppo_logger
prompt_template ray_run_name ray_storage_filesystem ray_storage_path ref_model_checkpoint
reserved_label_len resources_per_worker resume_lora_training reward_model_checkpoint save_dir
sft_packing source_prefix split swanlab_config swanlab_description swanlab_experiment_name
swanlab_name system_message system_prompt task task_dir train_last_turn_only train_mm_proj_only
tune_mm_proj use_adammini use_auth_token use_mllm use_qformer video_max_resolution
video_min_resolution video_resolution visual_inputs vllm_dtype
"""


def hint(name: str, value: object) -> str | None:
    (problem,) = check_arguments({name: value}, shipped())
    return explained(problem, shipped())[1]


def test_every_name_that_llamafactory_had_once_is_known() -> None:
    assert [name for name in DECLARED_ONCE.split() if name not in {*RENAMED, *GONE}] == []
    assert not RENAMED.keys() & GONE.keys()


def test_every_rename_leads_to_an_argument_there_is() -> None:
    table = shipped()
    assert set(RENAMED.values()) <= set(table.arguments)
    # transformers 5.6 still takes it; a later one that does not has the rename.
    assert {*RENAMED, *GONE} & set(table.arguments) == {"warmup_ratio"}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [(name, old, new) for name, values in REVALUED.items() for old, new in values.items()],
)
def test_every_value_is_led_to_one_that_is_taken(name: str, old: object, new: object) -> None:
    now = RENAMED.get(name, name)
    if new is not None:
        assert not list(check_arguments({now: new}, shipped()))
    said = hint(name, old)
    assert said is not None
    assert said.startswith("write " if new is not None else "leave it out")


@pytest.mark.parametrize(
    ("name", "old"), [(name, old) for name, values in GONE_VALUES.items() for old in values]
)
def test_no_wrong_successor_is_named_of_a_value_without_one(name: str, old: object) -> None:
    assert hint(name, old) == texts(GONE_VALUES[name][old])


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("neft_alpha", 5, "it is called 'neftune_noise_alpha'"),
        ("lora_modules", "q_proj", "it is called 'lora_target'"),
        ("lora_bias", "none", "leave it out: LoRA trains no biases here"),
        ("use_v2", True, "leave it out: model_name_or_path tells"),
        ("dev_ratio", 0.1, "it is called 'val_size'"),
        ("bits", 4, "it is called 'quantization_bit'"),
        ("resume_lora_training", False, "write create_new_adapter: true"),
        ("resume_lora_training", "true", "write create_new_adapter: false"),
        ("flash_attn", True, "write fa2"),
        ("flash_attn", "True", "write fa2"),
        ("flash_attn", "off", "write disabled"),
        ("use_flash_attn", True, "write flash_attn: fa2"),
        ("load_in_4bit", True, "write quantization_bit: 4"),
        ("load_in_8bit", False, "leave it out"),
        ("template", "vanilla", "write fewshot"),
        ("flash_attn", ["fa2"], None),
    ],
)
def test_what_is_said(name: str, value: object, said: str | None) -> None:
    assert hint(name, value) == said


def test_what_is_taken_today_is_no_old_value() -> None:
    for name, values in {**REVALUED, **GONE_VALUES}.items():
        if argument := shipped().arguments.get(name):
            taken = shipped().templates if name == "template" else set(argument.choices)
            assert not set(values) & set(taken)


def test_validate_names_all_of_them_at_their_places(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    old = {"dev_ratio": "0.1", "resume_lora_training": "true", "flash_attn": "true", "use_v2": "on"}
    lines = "".join(f"\n    {name}: {value}" for name, value in old.items())
    (tmp_path / "recipe.yaml").write_text(
        "version: 1\nname: old\nsources: {rows: {use: jsonl, path: rows.jsonl}}\n"
        "export: [{use: llamafactory}]\ntrain:\n  use: llamafactory\n  with:\n"
        f"    model_name_or_path: Qwen/Qwen2.5-0.5B\n    template: qwen{lines}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", "validate", "recipe.yaml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    said = done.stdout + done.stderr
    for place, advice in (
        ("recipe.yaml:10", "it is called 'val_size'"),
        ("recipe.yaml:11", "write create_new_adapter: false"),
        ("recipe.yaml:12", "write fa2"),
        ("recipe.yaml:13", "leave it out: model_name_or_path tells"),
    ):
        assert place in said
        assert advice in said
