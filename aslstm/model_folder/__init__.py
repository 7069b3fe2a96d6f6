"""This package knows the folder of a model: what it holds, its ONNX graphs, and how it is published on the Hub."""
