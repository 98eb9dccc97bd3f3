"""Published methods, one package each: its plugins, its prompts and what only they need."""
