"""Prompts: templates in a sandbox, and those that plugins bring."""
