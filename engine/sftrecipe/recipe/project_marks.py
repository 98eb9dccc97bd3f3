"""What tells that a folder is a project's."""

STATE = ".sftrecipe"
CATALOGUE = "dataset_info.json"
CLONE = ".git"
"""Of a git clone, which may hold several projects."""
PROJECT_MARKS = (STATE, CATALOGUE, CLONE)
