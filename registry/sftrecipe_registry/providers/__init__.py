"""Built-in providers, one a file."""
