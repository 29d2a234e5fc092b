"""The network over a whole file at once: what the stream is compared with."""

import numpy as np

from ..features.fbank import MEL_BINS, SILENCE, Fbank
from .stepper import FBANK_PER_FRAME, LEAD_SAMPLES


def whole_motion(session, samples, lookahead_frames, context_frames, whole_frames):
    """Motion of all frames without any cache.

    The graph sees `whole_frames` at a time, of which the first `context_frames`
    (more than the network can remember) and the last `lookahead_frames` only
    surround those that count.

    :param session: ONNX Runtime session of a `whole` graph
    :param samples: float32 [N] at 16 kHz
    :return: landmarks [T, 68, 3], blendshapes [T, 52], speech probability [T]; T = ceil(N / 640)
    """
    frames = -(-len(samples) // 640)
    padded = np.zeros(LEAD_SAMPLES + 640 * (frames + lookahead_frames), np.float32)
    padded[LEAD_SAMPLES : LEAD_SAMPLES + len(samples)] = samples
    fbank = Fbank()
    heard = np.concatenate((fbank.accept(padded), fbank.finish()))[
        : FBANK_PER_FRAME * (frames + lookahead_frames)
    ]
    useful = whole_frames - context_frames - lookahead_frames
    silence = np.full(
        (FBANK_PER_FRAME * (context_frames + whole_frames), MEL_BINS), SILENCE, np.float32
    )
    stream = np.concatenate((silence[: FBANK_PER_FRAME * context_frames], heard, silence))
    pieces = []
    for start in range(0, frames, useful):
        at = FBANK_PER_FRAME * start
        outputs = session.run(
            ["landmarks", "blendshapes", "speech"],
            {"fbank": stream[None, at : at + FBANK_PER_FRAME * whole_frames]},
        )
        pieces.append([output[0, context_frames : context_frames + useful] for output in outputs])
    return tuple(
        np.concatenate([piece[i] for piece in pieces])[:frames]
        if pieces
        else np.zeros((0,) + shape, np.float32)
        for i, shape in enumerate(((68, 3), (52,), ()))
    )
