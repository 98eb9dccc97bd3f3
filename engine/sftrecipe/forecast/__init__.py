"""All that `plan` foresees: rows, calls, tokens, cost."""
