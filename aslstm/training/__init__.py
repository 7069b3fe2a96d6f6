"""This package takes rows with or without labels and gives a model folder."""
