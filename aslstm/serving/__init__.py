"""The HTTP service: takes posts in requests and gives what a model says of them, as JSON."""
