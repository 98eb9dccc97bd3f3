"""What people look at: pages, explanations, run reports."""
