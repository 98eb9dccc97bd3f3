"""A training as a process: its environment, its run, its output."""
