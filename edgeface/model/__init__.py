"""Bundles and the network step: Fbank in, motion out."""
