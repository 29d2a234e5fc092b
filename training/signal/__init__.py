"""Sound: Fbank, levels, noises, altered voices; one at a time with NumPy, or many with PyTorch."""
