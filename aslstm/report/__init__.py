"""Takes the answers of a model and gives a page of charts."""
