"""AugCon: questions and answers of every granularity from a context."""
