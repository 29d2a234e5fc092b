"""Builds from an empty folder; the description of the package is setup.cfg."""

import shutil

from setuptools import setup
from setuptools.command.build_py import build_py


class CleanBuild(build_py):
    """Leaves out what an earlier build put into build/lib, such as modules deleted since."""

    def run(self):
        """Removes the folder, then builds."""
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()


setup(cmdclass={"build_py": CleanBuild})
