"""The models of the study (Lee and Kim, 2025), for those who own their checkpoints; needs the extra `train`."""
