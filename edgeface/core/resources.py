"""Files that come with the package."""

import os

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUNDLED_VOICE = os.path.join(PACKAGE, "voice.flac")
DEFAULT_BUNDLE = os.path.join(PACKAGE, "model", "default")
