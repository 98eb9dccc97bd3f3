"""The training arguments that LLaMA-Factory knows."""
