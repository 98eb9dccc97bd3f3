"""Whether this machine, its folders and the providers are ready for a run."""
