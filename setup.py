"""Package description; the version lives in edgeface/__init__.py alone."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "edgeface" / "__init__.py").read_text()).group(
    1
)

setup(
    name="edgeface",
    version=VERSION,
    description="Live sound in, 25 face frames a second out, in shared memory, on the device itself",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.6",
    packages=find_packages(include=["edgeface", "edgeface.*"]),
    package_data={
        "edgeface": [
            "voice.flac",
            "motion/shapes.npy",
            "model/default/*",
            "shm/edgeface.h",
            "view/page/*",
        ]
    },
    entry_points={"console_scripts": ["edgeface = edgeface.cli:entry"]},
    install_requires=[
        "dataclasses; python_version < '3.7'",
        # 1.19.5 dies with "Illegal instruction" on the Jetson Nano
        "numpy<=1.19.4; python_version < '3.7'",
        "numpy; python_version >= '3.7'",
        "onnxruntime>=1.10",
        "PyYAML>=5.1",
        "pulsectl>=21.10",
        "sounddevice>=0.4",
        "soundfile>=0.12",
        "soxr>=0.3",
    ],
    extras_require={
        "view": [],  # the page needs nothing more than Python and a browser
        "train": [
            "torch>=2.13",
            "onnx",
            "pocketsphinx",
            "pyworld",
            "setuptools<81",
            "tqdm",
            "matplotlib",
        ],
        # what CPython 3.6 on JetPack 4 can install
        "jetson": [
            "numpy==1.19.4; python_version < '3.7'",
            "sounddevice==0.4.4; python_version < '3.7'",
        ],
        "plan": ["onnx"],
        # and Chromium with its driver
        "render": ["selenium", "Pillow", "imageio-ffmpeg"],
        "study": ["torch>=2.5", "transformers", "onnx", "scipy", "matplotlib"],
        # the daemon's tests, on every Python
        "test": ["pytest", "pytest-timeout", "hypothesis"],
        # everything else that `make lint test` needs, Python 3.9 or newer
        "dev": [
            "pytest",
            "pytest-timeout",
            "hypothesis",
            "onnx",
            "selenium",
            "Pillow",
            "imageio-ffmpeg",
            "ruff==0.17.6",
        ],
    },
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
    ],
)
