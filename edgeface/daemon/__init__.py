"""Wiring and life cycle: source to pipeline to shared memory."""
