"""Models as folders and files."""
