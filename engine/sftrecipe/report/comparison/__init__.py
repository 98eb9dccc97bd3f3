"""What changed between two runs, recipes or locks."""
