"""A recipe as ordered steps: fingerprints and estimates."""
