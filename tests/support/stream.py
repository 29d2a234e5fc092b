"""Sound through a pipeline."""


def run(pipeline, samples, sizes=()):
    """All frames of samples that come in pieces of these sizes, and what is left in one."""
    frames, at = [], 0
    for size in sizes:
        frames += pipeline.accept(samples[at : at + size])
        at += size
    return frames + pipeline.accept(samples[at:]) + pipeline.finish()
