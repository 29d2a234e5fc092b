"""Streaming speech features: samples in, frames out, whatever the chunking."""
