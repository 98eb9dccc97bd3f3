"""LLaMA-Factory's next major version: data as content lists, arguments of its own, plugins."""
