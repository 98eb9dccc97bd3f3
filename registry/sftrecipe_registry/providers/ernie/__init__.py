"""Baidu's Qianfan."""
