"""This package takes a model folder and texts, or files of texts, and gives answers."""
