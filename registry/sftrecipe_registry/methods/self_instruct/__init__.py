"""Self-Instruct, and the variant of Alpaca."""
