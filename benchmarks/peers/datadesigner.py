# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = ["data-designer==0.9.7", "litellm==1.106.2"]
# [tool.uv]
# exclude-newer = "2026-11-20T00:00:00Z"
# override-dependencies = ["certifi>=2026.1"]
# ///
"""NVIDIA NeMo DataDesigner: one text column over a seed table of prompts.

uv run datadesigner.py URL [PROMPTS] [CONCURRENCY] [TIMEOUT] [FOLDER]

It asks for a certifi that is newer than some mirrors of the registry have; any does, hence the
override above. It starts without a network, but wants a tokenizer (`cl100k_base`, by tiktoken) for
its statistics at the end: here it is given the copy in litellm's wheel, which is not imported. Its
telemetry, its metrics and its health check of the model (one more request) are off here.
"""

import os
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

_LITELLM = Path(find_spec("litellm").origin).parent
os.environ |= {
    "TIKTOKEN_CACHE_DIR": str(_LITELLM / "litellm_core_utils" / "tokenizers"),
    "NEMO_TELEMETRY_ENABLED": "false",
    "HF_HUB_OFFLINE": "1",
    "PEER_KEY": "none",
}

import pandas as pd  # noqa: E402
from data_designer.config.config_builder import DataDesignerConfigBuilder  # noqa: E402
from data_designer.config.models import (  # noqa: E402
    ChatCompletionInferenceParams,
    ModelConfig,
    ModelProvider,
)
from data_designer.config.run_config import RunConfig  # noqa: E402
from data_designer.config.seed import SamplingStrategy  # noqa: E402
from data_designer.config.seed_source_dataframe import DataFrameSeedSource  # noqa: E402
from data_designer.interface.data_designer import DataDesigner  # noqa: E402


def main(
    url: str,
    prompts: int = 2000,
    concurrency: int = 256,
    seconds: float = 60,
    folder: str | None = None,
) -> None:
    """Ask, and print how many were answered."""
    parameters = ChatCompletionInferenceParams(
        max_parallel_requests=concurrency, timeout=max(1, int(seconds))
    )
    model = ModelConfig(
        alias="m",
        model="m",
        provider="standin",
        inference_parameters=parameters,
        skip_health_check=True,
    )
    builder = DataDesignerConfigBuilder(model_configs=[model])
    asked = pd.DataFrame({"prompt": [f"question {number}" for number in range(prompts)]})
    builder.with_seed_dataset(
        DataFrameSeedSource(df=asked), sampling_strategy=SamplingStrategy.ORDERED
    )
    builder.add_column(name="reply", column_type="llm-text", model_alias="m", prompt="{{ prompt }}")
    designer = DataDesigner(
        artifact_path=folder or tempfile.mkdtemp(),
        model_providers=[ModelProvider(name="standin", endpoint=url, api_key="PEER_KEY")],
    )
    designer.set_run_config(
        RunConfig(disable_early_shutdown=True, buffer_size=prompts, otel_metrics_port=None)
    )
    rows = designer.create(builder, num_records=prompts).load_dataset()
    answered = sum(bool(text) for text in rows["reply"])
    print(answered, "answered by DataDesigner", version("data-designer"))


kinds = (str, int, int, float, str)
main(*(kind(text) for kind, text in zip(kinds, sys.argv[1:], strict=False)))
