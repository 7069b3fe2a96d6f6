"""Rows to a model folder."""
