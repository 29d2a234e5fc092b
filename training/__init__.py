"""Training, evaluation and export of the default model; needs Python 3.9, is not in the wheel.

The rooms stand in one direction, and none imports from a later one:
`signal` < `phonetics` < `data` < `targets`, `batches` < `network` < `judge`.
`recipe.yaml` says which of their commands make a bundle; `python -m training` runs them.
"""
