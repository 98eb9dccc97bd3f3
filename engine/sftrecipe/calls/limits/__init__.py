"""How fast and how much is asked: pace, retries, budget."""
