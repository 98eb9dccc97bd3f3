"""Models in a process with PyTorch."""
