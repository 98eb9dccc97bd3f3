"""The program that provider `transformers` runs in an environment with torch and transformers."""
