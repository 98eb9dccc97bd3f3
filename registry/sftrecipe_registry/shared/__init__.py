"""What several plugins need, one small module for each thing."""
