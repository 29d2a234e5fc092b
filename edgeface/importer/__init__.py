"""Bundles out of the checkpoints of Lee and Kim's study (2025); needs the extra `study`."""
