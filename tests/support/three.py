"""three.js for the page, where `make run` has not installed it."""

import os
import shutil

from edgeface.view import packages
from support.npm import node_modules


def install_three():
    folder = os.path.join(packages.FOLDER, "node_modules")
    if not os.path.exists(folder):
        shutil.copytree(node_modules(packages.FOLDER), folder)
