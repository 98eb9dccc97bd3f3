"""Requests to servers that speak OpenAI's protocol, and their replies."""
