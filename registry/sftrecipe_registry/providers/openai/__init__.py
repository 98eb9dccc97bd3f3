"""Servers that speak OpenAI's protocol, and its batches."""
