"""Another PortAudio in the same process, beside one in which a call never returns."""

import ctypes.util
import importlib.util
import re
import shutil
import tempfile
from types import ModuleType
from typing import Any

from ..core.errors import UnavailableError

_LIBRARY = re.compile(r"(/\S*libportaudio\S*\.so\S*)$", re.MULTILINE)


def spare_portaudio(sounddevice: Any) -> ModuleType:
    """A sounddevice module that knows nothing of the one there is: neither devices nor streams.

    Its library is a copy of the file, since the loader gives the same library for the same file. It
    is started, which takes as long as the sound server does.

    :raises UnavailableError: there is no file to be copied, or no room for it
    :raises OSError: as above
    """
    with open("/proc/self/maps") as maps:
        found = _LIBRARY.search(maps.read())
    spec = importlib.util.find_spec(sounddevice.__name__)
    if found is None or spec is None or spec.loader is None:
        raise UnavailableError("sound: PortAudio is not in a file of its own; restart edgeface")
    module = importlib.util.module_from_spec(spec)
    find_library = ctypes.util.find_library
    with tempfile.NamedTemporaryFile(suffix=".so") as copy:
        shutil.copyfile(found.group(1), copy.name)
        ctypes.util.find_library = lambda name: (
            copy.name if name == "portaudio" else find_library(name)
        )
        try:
            spec.loader.exec_module(module)
        finally:
            ctypes.util.find_library = find_library
    return module
