"""Data sets of dialogues between doctors and patients."""
