"""The network: its training, and its export as a bundle."""
