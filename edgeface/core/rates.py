"""The few rates that everything shares: sound at 16 kHz, faces at 25 Hz, time in nanoseconds."""

SAMPLE_RATE_HZ = 16000
FRAME_RATE_HZ = 25
HOP_SAMPLES = SAMPLE_RATE_HZ // FRAME_RATE_HZ  # samples of one face frame
FRAME_MS = 1000 // FRAME_RATE_HZ

SECOND_NS = 1_000_000_000
MS_NS = 1_000_000
SAMPLE_NS = SECOND_NS // SAMPLE_RATE_HZ  # exactly: 62,500

LOOKAHEADS_MS = (0, 40, 80, 160)  # of edgeface's own network


def frames_of_ms(ms: int) -> int:
    """Whole face frames in a time in milliseconds."""
    return ms // FRAME_MS
