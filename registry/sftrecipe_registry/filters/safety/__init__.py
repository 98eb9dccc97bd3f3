"""The filter `safety`: word lists with rules of context, and a small classifier beside them."""
