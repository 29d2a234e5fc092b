"""Models: what a bundle describes, how it streams, and what computes it (`runtime`)."""
