"""Random training sequences, made where the network is trained."""
