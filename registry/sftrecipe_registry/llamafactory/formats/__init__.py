"""Rows, turns and files as LLaMA-Factory has them."""
