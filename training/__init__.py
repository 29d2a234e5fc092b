"""Training, evaluation and export of bundles (extra `train`, Python 3.9 or newer)."""
