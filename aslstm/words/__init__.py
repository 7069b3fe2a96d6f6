"""Texts to vocabularies, new words and vectors, without a model."""
