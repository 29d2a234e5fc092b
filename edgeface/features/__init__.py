"""Streaming speech features: samples in, frames out, whatever the chunking."""

SAMPLE_RATE_HZ = 16000
HOP_SAMPLES = 640  # one face frame at 25 fps
FRAME_RATE_HZ = 25
