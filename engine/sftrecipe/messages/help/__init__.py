"""The texts of `--help` that no command holds itself: Chinese, examples."""
