"""LLaMA-Factory: reading its data sets, writing them, and training with it."""
