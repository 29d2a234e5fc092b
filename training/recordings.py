"""Human recordings with transcripts: sentences, prompts of a telephone exchange, letters, names of pictures, a game."""

import gzip
import re
import subprocess
import xml.etree.ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from edgeface.core.errors import UnavailableError
from edgeface.core.rates import SAMPLE_RATE_HZ

# language: voice of espeak-ng that knows its pronunciation, folder of the prompts
PROMPTS = {
    "en": ("en-us", "en_US_f_Allison"),
    "es": ("es-419", "es_MX_f_Allison"),
    "fr": ("fr", "fr_CA_f_June"),
    "it": ("it", "it_IT_m_Carlo"),
    "ru": ("ru", "ru_RU_f_IvrvoiceRU"),
}
# whoever speaks these in what is aligned here is in no training: how well are people followed whom nobody has heard
# before? others read Russian in `labelled`, and English in several places
HELD_OUT_LANGUAGES = ("en", "ru")
# recordings that `edgeface/voice.flac` consists of
OF_THE_BUNDLED_VOICE = ("de_rhasspy-0008", "de_rhasspy-0010")
_SOUNDS = "/usr/share/asterisk/sounds"
# in place of a language; p, b and m are few in them, or the transcripts loose: nothing is judged by them
COLLECTIONS = LETTERS, STAMPS, DIALOGUES, ANNOUNCEMENTS, ACTORS = (
    "letters",
    "stamps",
    "dialogues",
    "announcements",
    "actors",
)
_LETTERS = "/usr/share/klettres"  # of Debian's klettres-data
# languages of it: voice of espeak-ng that knows their pronunciation
_SPELLED = {
    "ar": "ar",
    "cs": "cs",
    "da": "da",
    "de": "de",
    "en": "en-us",
    "en_GB": "en",
    "es": "es",
    "fr": "fr",
    "he": "he",
    "hu": "hu",
    "it": "it",
    "lt": "lt",
    "ml": "ml",
    "nb": "nb",
    "nl": "nl",
    "pt_BR": "pt-br",
    "tn": "tn",
    "uk": "uk",
}
_STAMPS = "/usr/share/tuxpaint/stamps"  # of Debian's tuxpaint-stamps-default
# languages of it: not the one held out; the others fit their texts ill, or espeak-ng has no full dictionary of them
_NAMED = ("el", "fr", "ro")
_GAME = "/usr/share/games/fillets-ng"  # of Debian's fillets-ng-data
_SPOKEN = "cs"  # the actors' language; the Dutch ones' words fit their scripts ill
_ANNOUNCER = (
    "it_IT_f_Menardi"  # of Debian's asterisk-prompt-it-menardi-wav, says much of what Carlo does
)
_BARE = {
    "samplerate": 11025,
    "channels": 1,
    "format": "RAW",
    "subtype": "PCM_U8",
}  # sounds of `drascula`
_TRANSCRIPTS = "/usr/share/doc/asterisk-core-sounds-%s/core-sounds-%s.txt.gz"


@dataclass
class Recording:
    """What somebody says, and where it lies."""

    name: str
    language: str
    voice: str  # of espeak-ng
    text: str
    path: Path

    def samples(self):
        """Sound float32 [N] at 16 kHz; ffmpeg decodes G.722."""
        if self.path.suffix != ".g722":
            samples, rate_hz = soundfile.read(
                str(self.path),
                dtype="float32",
                always_2d=True,
                **(_BARE if self.path.suffix == ".ALS" else {}),
            )
            return soxr.resample(samples.mean(1), rate_hz, SAMPLE_RATE_HZ)
        raw = subprocess.run(
            [
                "ffmpeg",
                "-v",
                "error",
                "-f",
                "g722",
                "-i",
                str(self.path),
                "-f",
                "f32le",
                "-ar",
                str(SAMPLE_RATE_HZ),
                "-",
            ],
            stdout=subprocess.PIPE,
            check=True,
        ).stdout
        return np.frombuffer(raw, "<f4")


def recordings(data):
    """All of them but the English ones, which pocketsphinx aligns, as a list of `Recording`.

    :param data: folder that holds kerstin
    """
    abroad = [
        recording for language in PROMPTS if language != "en" for recording in prompts(language)
    ]
    return kerstin(data) + letters() + stamps() + dialogues() + announcements() + abroad


def kerstin(data):
    """German sentences that a woman reads, as a list of `Recording`."""
    lines = (Path(data) / "kerstin" / "metadata.csv").read_text("utf-8").splitlines()
    return [
        Recording(
            f"human-de-{name}", "de", "de", text, Path(data, "kerstin", "audio", f"{name}.opus")
        )
        for name, _, text in (line.partition("|") for line in lines)
    ]


def prompts(language):
    """What a telephone exchange says, as a list of `Recording`."""
    voice, folder = PROMPTS[language]
    return [
        Recording(f"human-{language}-{name.replace('/', '_')}", language, voice, text, path)
        for name, text, path in _announced(language, folder, ".g722")
    ]


def announcements():
    """What a woman says to callers in Italian, as a list of `Recording`.

    :raises UnavailableError: the prompts are not installed
    """
    found = [
        Recording(
            f"human-{ANNOUNCEMENTS}-{name.replace('/', '_')}", ANNOUNCEMENTS, "it", text, path
        )
        for name, text, path in _announced("it", _ANNOUNCER, ".wav")
    ]
    return _installed(found, "asterisk-prompt-it-menardi-wav")


def _announced(language, folder, suffix):
    """(name, text, path) of each prompt in a folder whose text is known."""
    found = []
    for line in gzip.open(
        _TRANSCRIPTS % (language, language), "rt", encoding="utf-8", errors="replace"
    ):
        name, colon, text = line.strip().partition(":")
        path = Path(_SOUNDS, folder, name + suffix)
        # remarks in brackets may or may not be spoken
        if (
            colon
            and re.fullmatch(r"[\w/-]+", name)
            and not re.search(r"[\[(<]", text)
            and path.exists()
        ):
            found.append((name, text.strip(), path))
    return found


def letters():
    """Letters and syllables that eighteen people read to children, each in a language of his own, as `Recording`s."""
    found = []
    for code, voice in _SPELLED.items():
        for sound in xml.etree.ElementTree.parse(f"{_LETTERS}/{code}/sounds.xml").iter("sound"):
            path = Path(_LETTERS, sound.get("file"))
            if path.exists():
                found.append(
                    Recording(
                        f"human-{LETTERS}-{code}-{path.stem}",
                        LETTERS,
                        voice,
                        sound.get("name").lower(),
                        path,
                    )
                )
    return found


def stamps():
    """What the pictures of a drawing program show, read to children in three languages, as a list of `Recording`.

    :raises UnavailableError: the program's pictures are not installed
    """
    found = []
    for path in sorted(Path(_STAMPS).rglob("*_desc_*.ogg")):
        picture, _, language = path.name[: -len(".ogg")].rpartition("_desc_")
        text = path.with_name(f"{picture}.txt")
        if language in _NAMED and text.exists():
            said = re.search(rf"^{language}\.utf8=(.+)$", text.read_text("utf-8"), re.MULTILINE)
            if said:
                key = "-".join(
                    ("human", STAMPS, language, *path.relative_to(_STAMPS).parent.parts, picture)
                )
                found.append(Recording(key, STAMPS, language, said.group(1).strip(), path))
    return _installed(found, "tuxpaint-stamps-default")


def dialogues():
    """What two fish and those whom they meet say in a game, by Czech actors, as a list of `Recording`.

    :raises UnavailableError: the game is not installed
    """
    found = []
    for script in sorted(Path(_GAME, "script").glob(f"*/dialogs_{_SPOKEN}.lua")):
        level = script.parent.name
        for key, text in re.findall(
            r'^dialogId\("([\w-]+)".*\ndialogStr\("(.+)"\)', script.read_text("utf-8"), re.MULTILINE
        ):
            path = Path(_GAME, "sound", level, _SPOKEN, f"{key}.ogg")
            if path.exists():
                found.append(
                    Recording(f"human-{DIALOGUES}-{level}-{key}", DIALOGUES, _SPOKEN, text, path)
                )
    return _installed(found, "fillets-ng-data fillets-ng-data-cs")


def _installed(found, packages):
    if not found:
        raise UnavailableError("no recordings of %s; apt install %s" % ((packages,) * 2))
    return found
