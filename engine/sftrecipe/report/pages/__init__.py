"""HTML pages: a run, a sweep, a plugin."""
