"""Which rows are kept apart for evaluation, with all that ask nearly the same."""
