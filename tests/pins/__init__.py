"""What users keep from version to version: finished steps, paid calls, what is told of a run."""
