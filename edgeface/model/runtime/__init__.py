"""What computes a graph: ONNX Runtime on its providers, or TensorRT itself."""
