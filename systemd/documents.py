"""documents.py FOLDER: copies the documents and all that they link to, so that links work."""

import os
import re
import shutil
import sys

FIRST = ("README.md", "CHANGELOG.md", "LICENSE", "NOTICE")
# [text](target), and src="target" of pictures and films
LINK = re.compile(r'\]\(([^)\s]+)\)|src="([^"]+)"')


def main(folder):
    """Copies into `folder`, below which every file keeps its place."""
    sources = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    waiting = list(FIRST)
    waiting += [f"docs/{name}" for name in os.listdir(f"{sources}/docs") if name.endswith(".md")]
    done = set()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        target = os.path.join(folder, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copyfile(os.path.join(sources, name), target)
        os.chmod(target, 0o644)
        if name.endswith(".md"):
            waiting += linked_files(sources, name)


def linked_files(sources, name):
    """The files of the sources that a document links to, relative to the sources."""
    with open(os.path.join(sources, name), encoding="utf-8") as file:
        links = ["".join(found) for found in LINK.findall(file.read())]
    paths = []
    for link in links:
        target = link.partition("#")[0]
        if not target or ":" in target:  # in the document itself, or elsewhere on the web
            continue
        path = os.path.normpath(os.path.join(os.path.dirname(name), target))
        if not path.startswith("..") and os.path.isfile(os.path.join(sources, path)):
            paths.append(path)
    return paths


if __name__ == "__main__":
    main(sys.argv[1])
