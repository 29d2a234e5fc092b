"""What several tests of the training need."""

import pytest

from training.phonetics.espeak import Speaker


@pytest.fixture(scope="session")
def speaker():
    """espeak-ng."""
    return Speaker()
