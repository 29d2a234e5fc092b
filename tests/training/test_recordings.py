"""Recordings of people that the training hears (needs PyTorch)."""

import gzip
import os

import numpy as np
import pytest
import soundfile

from edgeface.core.errors import UnavailableError
from edgeface.motion.face import lip_gap
from training.data import align_recordings, festvox_ru, talker
from training.data.asterisk import announcements, prompts
from training.data.corpora import BUNDLED_VOICE, dialogues, kerstin, letters, stamps
from training.data.grid import load_grid
from training.data.manifest import (
    BY_ACOUSTIC_MODEL,
    BY_LABELS,
    BY_SYNTHESISER,
    PERSON,
    SYNTHESISER,
    TEST,
    TRAIN,
    Utterance,
)
from training.data.recordings import Recording
from training.data.store import Store
from training.phonetics import acoustic_model
from training.phonetics.alignment import spelled, spelling

DATA = os.environ.get("DATA", "../shared/data")


def test_recordings_are_aligned_split_and_kept_once(tmp_path, monkeypatch, capsys):
    """The acoustic model is a stub: what is done with what it finds is looked at."""
    samples = np.full(16000, 0.1, np.float32)
    monkeypatch.setattr(Recording, "samples", lambda recording: samples)
    found = [
        Recording(key, None, key, "de", "de", "Kerstin", "kerstin", "CC0-1.0", split)
        for key, split in (("a", TRAIN), ("b", TEST), ("wrong", TRAIN), ("half", TRAIN))
    ]
    monkeypatch.setattr(align_recordings, "recordings", lambda data: found)
    monkeypatch.setattr(align_recordings, "Speaker", lambda: None)
    wanted = [("sil", True), ("m", False), ("aa", False), ("sil", True)]
    monkeypatch.setattr(align_recordings, "spelled", lambda *_: wanted)
    fitted = []

    def fit(known, steps, seed=1, model=None):
        fitted.append([weight for _, _, weight in known])
        return acoustic_model.PhoneNet()

    times = {"a": 1.0, "b": 1.0, "half": 0.5}
    order = iter(2 * ["a", "b", "wrong", "half"])

    def find(model, fbank, spelling):
        end_s = times.get(next(order))
        return end_s and [(0.0, end_s, "m")]

    monkeypatch.setattr(align_recordings, "fit", fit)
    monkeypatch.setattr(align_recordings, "aligned", find)
    monkeypatch.setattr(align_recordings, "agreement", lambda model, pairs: (0.5, 1.0))
    store = Store(tmp_path)
    known = (
        Utterance("flite", SYNTHESISER, "flite", "free", aligned_by=BY_SYNTHESISER),
        Utterance("reader", PERSON, "festvox-ru", "BSD", aligned_by=BY_LABELS),
        Utterance("before", PERSON, "kerstin", "CC0-1.0", aligned_by=BY_ACOUSTIC_MODEL),
    )
    for utterance in known:
        store.add(utterance, samples, [(0.0, 1.0, "m")])
    for _ in range(2):  # the second time it is done already
        align_recordings.align_recordings(store, tmp_path, talker.TalkerPhones([], []))
    assert fitted == [[1.0, 3.0], [1.0, 3.0, 3.0, 3.0]]  # neither `before` nor the test
    kept = {one.id: one for one in store.manifest if one.id in ("a", "b", "wrong", "half")}
    assert {key: one.split for key, one in kept.items()} == {"a": TRAIN, "b": TEST}
    assert kept["a"].weight == 2.0 and kept["a"].kind == PERSON and kept["a"].text == "a"
    printed = capsys.readouterr().out
    assert "50 % begin within 20 ms" in printed and "de: 0.0 minutes to train on" in printed


def test_letters_are_read_as_their_language_reads_them(speaker, tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.corpora._LETTERS", str(tmp_path))
    monkeypatch.setattr("training.data.corpora._LETTER_VOICES", {"de": "de"})
    (tmp_path / "de" / "alpha").mkdir(parents=True)
    tone = np.stack([np.sin(np.arange(44100) / 20)] * 2, 1) / 4
    soundfile.write(str(tmp_path / "de" / "alpha" / "w.ogg"), tone, 44100)
    (tmp_path / "de" / "sounds.xml").write_text(
        '<klettres><language code="de"><alphabet><sound name="W" file="de/alpha/w.ogg"/>'
        '<sound name="X" file="de/alpha/missing.ogg"/></alphabet></language></klettres>'
    )
    (letter,) = letters()
    assert letter.id == "klettres-de-w" and letter.samples().shape == (16000,)
    assert [phone for phone, _ in spelled(speaker, letter.voice, letter.text)] == [
        "sil",
        "v",
        "ey",
        "sil",
    ]


def test_pictures_are_named_as_their_text_says(tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.corpora._STAMPS", str(tmp_path))
    folder = tmp_path / "animals" / "birds"
    folder.mkdir(parents=True)
    (folder / "big_owl.txt").write_text(
        "An owl.\nes.utf8=Un búho.\nfr.utf8=Un hibou. \nru.utf8=Сова.\n", "utf-8"
    )
    for name in ("big_owl_desc_fr", "big_owl_desc_ru", "big_owl_desc_da", "big_owl", "hen_desc_fr"):
        (folder / f"{name}.ogg").touch()
    (stamp,) = stamps()  # Russian is not heard, the Danish have no text, a hen has none at all
    assert (stamp.id, stamp.voice, stamp.text) == (
        "tuxpaint-fr-animals-birds-big_owl",
        "fr",
        "Un hibou.",
    )


def test_the_actors_of_a_game_say_what_its_scripts_say(tmp_path, monkeypatch, speaker):
    monkeypatch.setattr("training.data.corpora._GAME", str(tmp_path))
    for folder in ("script/reef", "sound/reef/cs", "sound/reef/nl"):
        (tmp_path / folder).mkdir(parents=True)
    for language, said, silence in (("cs", "Ahoj, ty.", "Ticho."), ("nl", "Dag, jij!", "Stil.")):
        (tmp_path / "script" / "reef" / f"dialogs_{language}.lua").write_text(
            f'\ndialogId("ut-m-ahoj", "font_small", "Hello \\"you\\".")\ndialogStr("{said}")\n\n\n'
            f'dialogId("ut-v-nic", "font_big", "Silence.")\ndialogStr("{silence}")\n',
            "utf-8",
        )
        (tmp_path / "sound" / "reef" / language / "ut-m-ahoj.ogg").touch()
    czech, dutch = dialogues()
    assert (czech.id, czech.voice, czech.text) == ("fillets-cs-reef-ut-m-ahoj", "cs", "Ahoj, ty.")
    assert (dutch.id, dutch.voice, dutch.text) == ("fillets-nl-reef-ut-m-ahoj", "nl", "Dag, jij!")
    assert (czech.speaker, czech.source) != (dutch.speaker, dutch.source)
    assert [phone for phone, _ in spelled(speaker, dutch.voice, dutch.text)][1:3] == ["d", "aa"]


def test_an_announcer_says_what_the_transcript_of_the_same_prompts_says(tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.asterisk._SOUNDS", str(tmp_path))
    monkeypatch.setattr("training.data.asterisk._TRANSCRIPTS", str(tmp_path / "core-%s-%s.gz"))
    with gzip.open(str(tmp_path / "core-it-it.gz"), "wt") as file:
        file.write(
            "; remark\nvm/intro: Lasciate un messaggio.\nbeep: (un suono)\nbye: Arrivederci.\n"
        )
    for name in ("vm/intro.wav", "beep.wav"):
        path = tmp_path / "it_IT_f_Menardi" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (said,) = announcements()
    assert (said.id, said.voice, said.text) == (
        "menardi-vm_intro",
        "it",
        "Lasciate un messaggio.",
    )


def test_labelled_sentences_are_read_with_their_labels(tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.festvox_ru._VOICE", tmp_path)
    for folder in ("lab", "wav"):
        (tmp_path / folder).mkdir()
    (tmp_path / "lab" / "ru_1.lab").write_text(
        "#\n0.1 125 pau\n0.2 125 mm\n0.35 125 aa\n0.5 125 sch\n"
    )
    soundfile.write(str(tmp_path / "wav" / "ru_1.wav"), np.zeros(16000), 16000)
    store = Store(tmp_path / "cache")
    for _ in range(2):
        festvox_ru.collect(store)
    (sentence,) = store.manifest
    assert (sentence.id, sentence.aligned_by, sentence.weight) == (
        "festvox-ru-ru_1",
        BY_LABELS,
        2.0,
    )
    assert store.phones(sentence) == [
        (0.0, 0.1, "sil"),
        (0.1, 0.2, "m"),
        (0.2, 0.35, "aa"),
        (0.35, 0.5, "sh"),
    ]
    with pytest.raises(ValueError, match="no phone: q"):
        festvox_ru.phone_of("q")


@pytest.mark.parametrize(
    "read, folder, module",
    [
        (stamps, "_STAMPS", "corpora"),
        (dialogues, "_GAME", "corpora"),
        (announcements, "_SOUNDS", "asterisk"),
        (lambda: festvox_ru.collect(None), "_VOICE", "festvox_ru"),
    ],
)
def test_recordings_that_are_not_installed_are_named(read, folder, module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(f"training.data.{module}.{folder}", tmp_path / "none")
    with pytest.raises(UnavailableError, match=r"apt install (tuxpaint|fillets|asterisk|festvox)"):
        read()


def test_announcements_need_the_transcripts_of_the_prompts(tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.asterisk._TRANSCRIPTS", str(tmp_path / "none-%s-%s.gz"))
    for read in (announcements, lambda: prompts("fr")):
        with pytest.raises(UnavailableError, match="apt install asterisk-core-sounds-"):
            read()


@pytest.mark.skipif(
    not os.path.exists(f"{DATA}/kerstin") and not os.environ.get("CI"),  # which has them
    reason="needs the corpora, which are no part of the repository: DATA=",
)
def test_recordings_of_kerstin_are_there_with_what_is_said(speaker):
    said = kerstin(DATA)
    assert len(said) == 1374
    test = {recording.id for recording in said if recording.split == TEST}
    assert test >= {f"kerstin-{name}" for name in BUNDLED_VOICE} and len(test) == 142
    for recording in said[:3]:
        wanted = spelling(speaker.say(recording.voice, recording.text)[1])
        seconds = len(recording.samples()) / 16000
        assert 8 < len(wanted) / seconds < 25  # phones and words


def test_a_mouth_that_is_open_while_nobody_speaks_is_not_taken_for_a_closed_one(tmp_path):
    """A talker who breathes with open lips before and after he speaks; tracked a little aside."""
    rng = np.random.default_rng(5)
    resting = rng.normal(size=(68, 3)).astype(np.float32)
    resting[66] = resting[62]
    gaps = np.zeros((3, 75), np.float32)
    gaps[:, 25:50] = np.abs(np.sin(np.arange(25)))
    gaps[2, 5:25] = gaps[2, 60:] = 0.1
    faces = np.repeat(np.repeat(resting[None, None], 75, 1), 3, 0)
    faces[2] += 0.03
    faces[:, :, 66, 1] -= gaps
    (tmp_path / "audio").mkdir()
    for name in "abc":
        soundfile.write(str(tmp_path / "audio" / f"{name}.flac"), np.zeros(48000), 16000)
    np.savez(
        str(tmp_path / "motion.npz"),
        names=list("abc"),
        landmarks=faces,
        blendshapes=np.zeros((3, 75, 1)),
        blendshape_names=["jawOpen"],
    )
    (tmp_path / "words.json").write_text(
        '{"a": %s, "b": %s, "c": %s}' % (('[[1.0, 2.0, "now"]]',) * 3)
    )
    clips, neutral = load_grid(tmp_path)
    assert lip_gap(neutral) == pytest.approx(0.0, abs=1e-3)
    for clip, gap in zip(clips, gaps):
        assert lip_gap(clip.landmarks) == pytest.approx(gap, abs=1e-3)
