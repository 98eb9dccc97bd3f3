"""A recipe's `sweep`: its variants, and whether their figures compare."""
