"""The documents agree with the code: links, verbs, lists of the contract."""

import os
import re

import pytest

from edgeface import cli
from edgeface.config import Settings, print_settings
from edgeface.core import errors

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIPPED_FOLDERS = {"node_modules", "build", "dist", "__pycache__"}
README_LINES = 110

_CODE_BLOCK = re.compile(r"^```.*?^```", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_VERB = re.compile(r"(?<![=\w-])edgeface ([a-z][a-z0-9_-]*)")
_NOT_A_COMMAND = {"import"}  # also Python's: `from edgeface import Reader`
_EVENT = re.compile(r"""extra=\{\s*["']event["']:\s*["'](\w+)["']""")
_KEY = re.compile(r"^  (\w+):", re.M)
_SECTION = re.compile(r"^(\w+):", re.M)


def documents():
    """Paths of all Markdown files of the repository, relative to its root."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders if not name.startswith(".") and name not in SKIPPED_FOLDERS
        ]
        found += [os.path.join(folder, name) for name in names if name.endswith(".md")]
    return sorted(os.path.relpath(path, ROOT) for path in found)


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def section(path, heading):
    """A document's text below this heading, up to the next one."""
    return re.split(r"\n##+ ", text_of(path).partition(f"{heading}\n")[2])[0]


def anchors(text):
    """Anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _CODE_BLOCK.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(text, folder):
    """Relative links of a document in `folder` that lead nowhere, file or heading."""
    broken = []
    for link in _LINK.findall(_CODE_BLOCK.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(ROOT, folder, path)) if path else None
        if target and not os.path.exists(target):
            broken.append(link)
        elif anchor:
            there = text_of(os.path.relpath(target, ROOT)) if target else text
            if anchor not in anchors(there):
                broken.append(link)
    return broken


def unknown_verbs(text):
    """Words after `edgeface` in code, inline or in a block, that are no verb."""
    verbs = {name for name, _ in cli.VERBS}
    code = _CODE_BLOCK.findall(text) + re.findall(r"`([^`\n]+)`", _CODE_BLOCK.sub("", text))
    words = {word for piece in code for word in _VERB.findall(piece)}
    return sorted(words - verbs - _NOT_A_COMMAND)


def events():
    """Names of all events that the package's code writes."""
    found = set()
    for folder, _, names in os.walk(os.path.join(ROOT, "edgeface")):
        for name in names:
            if name.endswith(".py"):
                found.update(_EVENT.findall(text_of(os.path.join(folder, name))))
    return found


def configuration_keys():
    """All keys of `edgeface run --print-config`, such as `audio.sources`."""
    keys, section = set(), None
    for line in print_settings(Settings()).splitlines():
        section_match, key_match = _SECTION.match(line), _KEY.match(line)
        if section_match:
            section = section_match.group(1)
        elif key_match:
            keys.add(f"{section}.{key_match.group(1)}")
    return keys


def exit_codes():
    """Exit code by the name of every error class."""
    return {
        name: kind.exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.EdgefaceError)
    }


@pytest.mark.parametrize("path", documents())
def test_relative_links_resolve(path):
    assert broken_links(text_of(path), os.path.dirname(path)) == []


@pytest.mark.parametrize("path", documents())
def test_quoted_verbs_exist(path):
    assert unknown_verbs(text_of(path)) == []


def test_a_broken_link_and_an_unknown_verb_are_found():
    assert broken_links("[a](nowhere.md) [b](README.md#no-such-heading)", "") == [
        "nowhere.md",
        "README.md#no-such-heading",
    ]
    assert unknown_verbs("`edgeface dance` and `edgeface run`") == ["dance"]


def test_contract_lists_every_verb():
    contract = text_of("docs/contract.md")
    assert [name for name, _ in cli.VERBS if f"| `{name}" not in contract] == []


def test_contract_lists_every_configuration_key():
    contract, keys = text_of("docs/contract.md"), configuration_keys()
    assert len(keys) > 10
    assert sorted(key for key in keys if f"| `{key}` |" not in contract) == []


def test_contract_lists_every_exit_code():
    codes = exit_codes()
    assert len(codes) > 5
    table = section("docs/contract.md", "### Exit codes")
    rows = dict(re.findall(r"^\| (\d+) \|(.*)$", table, re.M))
    assert [
        name for name, code in sorted(codes.items()) if f"`{name}`" not in rows.get(str(code), "")
    ] == []


def test_contract_lists_every_event():
    table = section("docs/contract.md", "### Events")
    listed = set(re.findall(r"^\| `(\w+)` \|", table, re.M))
    assert len(events()) > 5
    assert sorted(events() - listed) == []


def test_contract_lists_every_key_of_the_log():
    summary = text_of("edgeface/telemetry/recorder.py").partition("def summary")[2]
    keys = set(re.findall(r'^            "(\w+)":', summary, re.M))
    assert len(keys) > 20
    table = section("docs/contract.md", "### The log")
    assert sorted(key for key in keys if f"| `{key}` |" not in table) == []


def test_readme_is_short():
    assert len(text_of("README.md").splitlines()) <= README_LINES
