"""Answers to a page of charts."""
