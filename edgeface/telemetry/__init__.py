"""Power, latency and load for the operator. Nothing here can disturb the face."""
