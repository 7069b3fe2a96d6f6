"""A model on disk and on the Hub: what its folder holds, its ONNX graphs, its publication."""
