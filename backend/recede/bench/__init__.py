"""Latency of ONNX files on the machine where they will run; see onnx_latency.py."""
