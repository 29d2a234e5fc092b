"""Sound as numbers: Fbank, levels, noises, altered voices; of arrays one at a time and of tensors many at once."""
