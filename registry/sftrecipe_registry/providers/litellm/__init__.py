"""Vendors by way of litellm."""
