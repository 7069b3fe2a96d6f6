"""This package takes texts and gives vocabularies, new words and vectors; it needs no model."""
