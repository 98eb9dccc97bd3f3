"""What several plugins need, in rooms."""
