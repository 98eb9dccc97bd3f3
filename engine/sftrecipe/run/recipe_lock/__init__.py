"""A recipe's lock: what decides its data, and what came of it, in a file beside the recipe."""
