"""A model folder and texts to answers."""
