"""A vLLM server that the engine starts."""
