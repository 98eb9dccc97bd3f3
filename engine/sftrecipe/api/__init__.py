"""A recipe and its runs as Python programs and the commands use them."""
