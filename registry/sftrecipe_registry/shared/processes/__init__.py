"""Programs that the engine starts."""
