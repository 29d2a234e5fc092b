"""The study (Lee and Kim, 2025) on this machine: its tables and figures, all in one run.

Without checkpoints the weights are random: times are real, and nothing is said of quality. Needs
the extra `study`.
"""
