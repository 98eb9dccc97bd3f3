"""What would go wrong in a training, found before it starts."""
