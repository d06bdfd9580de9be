"""Backends that run a model: ONNX Runtime with injected weights, torch for CUDA."""
