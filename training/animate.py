"""Command: a phone-to-motion model, fitted on the talker, animates speech that has no video."""

import argparse
import json
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import nn
from tqdm import tqdm

from edgeface.core.errors import MissingInputError
from edgeface.core.rates import FRAME_RATE_HZ, HOP_SAMPLES

from . import actors, festival, foreign, labelled, readers
from .align import align_recordings
from .basis import landmark_basis, point_weights
from .corpus import Clip, is_held_out, lip_gap, load_grid, mouth_width
from .emphasis import emphasise
from .network import Size
from .phones import FEATURES, SUBFRAMES, Aligner, phone_features, phone_labels, speaking
from .prepare import VOICES, voice_path
from .speech import align_prompts, speak_widely, synthesise
from .timbre import BANDS, timbre

_FESTIVAL_MINUTES = _READERS_MINUTES = 100
_FOREIGN_MINUTES = 150
_TALKER = "talker.json"  # the phones of his clips, in the cache
_MODEL = "motion.pt"  # in the cache
_WIDTH = 128
_STEPS = 1500
_BATCH = 48
_OFFSET, _NOISE = 0.2, 0.14  # deviations of what is added to a timbre, for a clip and for a frame
BASIS = Size.basis


class PhoneToMotion(nn.Module):
    """Convolutions over phones and their timbre, 9 frames of context on each side.

    :param basis: landmark basis [b, 204] around the neutral face
    """

    def __init__(self, neutral, basis):
        super().__init__()
        self.register_buffer("neutral", torch.as_tensor(neutral).float().reshape(204))
        self.register_buffer("basis", torch.as_tensor(basis).float())
        inputs = SUBFRAMES * len(FEATURES) + BANDS
        self.layers = nn.Sequential(
            nn.Conv1d(inputs, _WIDTH, 7, padding=3),
            nn.GELU(),
            nn.Dropout(0.15),
            nn.Conv1d(_WIDTH, _WIDTH, 7, padding=3),
            nn.GELU(),
            nn.Dropout(0.15),
            nn.Conv1d(_WIDTH, _WIDTH, 7, padding=3),
            nn.GELU(),
            nn.Dropout(0.15),
            nn.Conv1d(_WIDTH, len(basis) + 52, 1),
        )

    def forward(self, features):
        """[B, T, inputs] to landmarks [B, T, 204] and blendshapes [B, T, 52]."""
        z, shapes = (
            self.layers(features.transpose(1, 2)).transpose(1, 2).split([len(self.basis), 52], -1)
        )
        return z @ self.basis + self.neutral, torch.sigmoid(shapes)


def fit(clips, phones, timbres, neutral, basis, seed=1):
    """Fits the model.

    :param clips: training `corpus.Clip`s of equal length
    :param phones: for each clip, list of (start_s, end_s, phone)
    :param timbres: for each clip, `timbre.timbre` of it in each of its voices
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    frames = len(clips[0].landmarks)
    model = PhoneToMotion(neutral, basis)
    faces = torch.from_numpy(np.stack([clip.landmarks.reshape(frames, 204) for clip in clips]))
    shapes = torch.from_numpy(np.stack([clip.blendshapes for clip in clips]))
    weights = torch.from_numpy(np.repeat(point_weights(), 3))
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=_STEPS + 1)
    for _ in tqdm(range(_STEPS), desc="phones to motion", disable=None):
        chosen = rng.integers(len(clips), size=_BATCH)
        # edges are known to 10 ms or so, and must not be leaned on
        features = np.stack(
            [_inputs(_jitter(rng, phones[i]), _blurred(rng, timbres[i])) for i in chosen]
        )
        face, shape = model(torch.from_numpy(features))
        a, b = face / 0.02, faces[chosen] / 0.02
        smooth = torch.nn.functional.smooth_l1_loss
        loss = (
            (smooth(a, b, reduction="none") * weights).mean()
            + 0.5 * (smooth(a.diff(dim=1), b.diff(dim=1), reduction="none") * weights).mean()
            + 0.5 * torch.nn.functional.binary_cross_entropy(shape, shapes[chosen])
        )  # as in `train.loss_of`
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def _inputs(phones, heard):
    """What `PhoneToMotion` takes, float32 [T, inputs], of phones and a `timbre.timbre` [T, BANDS]."""
    return np.concatenate((phone_features(phones, len(heard)), heard), 1)


def _blurred(rng, timbres):
    """One of the voices' timbres, noisy, so that no band is leaned on: float32 [T, BANDS]."""
    heard = timbres[rng.integers(len(timbres))]
    offset, noise = rng.normal(0, _OFFSET, (1, BANDS)), rng.normal(0, _NOISE, heard.shape)
    return (heard + offset + noise).astype(np.float32)


def _jitter(rng, phones):
    moves = rng.normal(0, 0.006, len(phones) + 1)
    return [(a + moves[i], b + moves[i + 1], phone) for i, (a, b, phone) in enumerate(phones)]


def talker_phones(clips, words):
    """Phones of the corpus' clips by forced alignment; None where it fails.

    :param words: clip name to list of (start_s, end_s, word)
    """
    aligner, found = Aligner(), []
    for clip in tqdm(clips, desc="aligning", disable=None):
        spoken = [
            "zed" if word == "z" else word
            for _, _, word in words[clip.name]
            if word not in ("sil", "sp")
        ]
        found.append(aligner.align(np.round(clip.samples * 32767).astype(np.int16), spoken))
    return found


def load_talker(data, cache):
    """The talker's clips, with their phones where `animate` could align them, and his resting face [68, 3]."""
    clips, neutral = load_grid(data / "grid_s1")
    found = json.loads(Path(cache, _TALKER).read_text())
    for clip in clips:
        if found[clip.name]:
            clip.phones = phone_labels(found[clip.name], len(clip.speech))
    return clips, neutral


def talker_timbres(clip, phones, cache):
    """Timbres of a clip, as it is and in the other voices that `prepare` made.

    :raises MissingInputError: it did not
    """
    paths = [voice_path(cache, clip.name, number) for number in range(len(VOICES))]
    if not all(path.exists() for path in paths):
        raise MissingInputError(
            f"{clip.name} in other voices: run `python -m training.prepare` first"
        )
    voices = [clip.samples] + [soundfile.read(str(path), dtype="float32")[0] for path in paths]
    return [timbre(samples, phones) for samples in voices]


@torch.no_grad()
def check(model, clips, phones):
    """Mean per-clip correlation of lip gap and mouth width with the talker's, who emphasises nothing."""
    faces = [
        close_lips(as_talker(model, timbre(clip.samples, said), said)[0], said)
        for clip, said in zip(clips, phones)
    ]
    return [
        float(
            np.mean(
                [np.corrcoef(measure(f), measure(c.landmarks))[0, 1] for f, c in zip(faces, clips)]
            )
        )
        for measure in (lip_gap, mouth_width)
    ]


# inner and outer points of the lips that meet, upper and lower
_MEETING = (((61, 50), (67, 58)), ((62, 51), (66, 57)), ((63, 52), (65, 56)))
_BESIDE = 0.4  # how far the lips are on their way 40 ms before and after


def close_lips(face, phones):
    """Makes the lips meet in every p, b and m of float32 [T, 68, 3], in place; fitted motion smooths short ones away.

    :param phones: list of (start_s, end_s, phone)
    """
    share, time_s = np.zeros(len(face), np.float32), np.arange(len(face)) / FRAME_RATE_HZ
    for start_s, end_s, phone in phones:
        if phone in ("p", "b", "m"):
            away_s = np.abs(time_s - (start_s + end_s) / 2) - max(
                (end_s - start_s) / 2, 0.5 / FRAME_RATE_HZ
            )
            share = np.maximum(
                share,
                np.where(away_s <= 0, 1.0, np.where(away_s < 1 / FRAME_RATE_HZ, _BESIDE, 0.0)),
            )
    for upper, lower in _MEETING:
        half = share[:, None] * (face[:, upper[0]] - face[:, lower[0]]) / 2
        for point in upper:
            face[:, point] -= half
        for point in lower:
            face[:, point] += half
    return face


@torch.no_grad()
def as_talker(model, heard, phones):
    """What `PhoneToMotion` makes of phones and their `timbre.timbre`: landmarks [T, 68, 3], blendshapes [T, 52]."""
    face, shapes = model(torch.from_numpy(_inputs(phones, heard))[None])
    return face[0].numpy().reshape(-1, 68, 3), shapes[0].numpy()


def moved(model, samples, phones):
    """How somebody who speaks freely moves: landmarks [T, 68, 3], blendshapes [T, 52].

    :param samples: float32 [640 T], 16 kHz
    :param phones: list of (start_s, end_s, phone)
    """
    heard = timbre(samples, phones)
    neutral = model.neutral.numpy().reshape(68, 3)
    face, shapes = emphasise(
        *as_talker(model, heard, phones), heard, phone_labels(phones, len(heard)), neutral
    )
    return close_lips(face, phones), shapes


def load_model(cache):
    """The `PhoneToMotion` that `animate` fitted."""
    state = torch.load(str(Path(cache, _MODEL)), weights_only=True)
    model = PhoneToMotion(state["neutral"], state["basis"])
    model.load_state_dict(state)
    return model.eval()


def animate(model, cache):
    """Animates all speech in cache/speech into cache/animated.npz, see `load_animated`."""
    names, faces, shapes, speech, labels = [], [], [], [], []
    for path in tqdm(sorted(Path(cache, "speech").glob("*.json")), desc="animating", disable=None):
        samples = soundfile.read(str(path.with_suffix(".flac")), dtype="float32")[0]
        frames = len(samples) // HOP_SAMPLES
        if frames < 10:
            continue
        phones = [tuple(phone) for phone in json.loads(path.read_text())]
        face, shape = moved(model, samples[: HOP_SAMPLES * frames], phones)
        names.append(path.stem)
        faces.append(face.astype(np.float16))
        shapes.append(shape.astype(np.float16))
        speech.append(speaking(phones, frames))
        labels.append(phone_labels(phones, frames))
    np.savez(
        str(Path(cache, "animated.npz")),
        names=names,
        frames=[len(face) for face in faces],
        landmarks=np.concatenate(faces),
        blendshapes=np.concatenate(shapes),
        speech=np.concatenate(speech),
        phones=np.concatenate(labels),
    )


def load_animated(cache):
    """The clips that `animate` made; their samples stay on disk: `samples` is a path."""
    with np.load(str(Path(cache, "animated.npz"))) as data:
        ends = np.cumsum(data["frames"])
        tracks = [
            np.split(data[name], ends[:-1])
            for name in ("landmarks", "blendshapes", "speech", "phones")
        ]
        return [
            Clip(str(name), Path(cache, "speech", f"{name!s}.flac"), *motion)
            for name, *motion in zip(data["names"], *tracks)
        ]


def main():
    """Makes speech, aligns, fits, animates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="folder that holds grid_s1 and kerstin"
    )
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument(
        "--minutes", type=float, default=150, help="of flite's speech, and of espeak-ng's"
    )
    arguments = parser.parse_args()
    clips, neutral = load_grid(arguments.data / "grid_s1")
    words = json.loads((arguments.data / "grid_s1" / "words.json").read_text())
    found = talker_phones(clips, words)
    aligned = [(clip, phones) for clip, phones in zip(clips, found) if phones]
    training = [pair for pair in aligned if not is_held_out(pair[0].name)]
    held_out = [pair for pair in aligned if is_held_out(pair[0].name)]
    timbres = [
        talker_timbres(clip, phones, arguments.cache)
        for clip, phones in tqdm(training, desc="timbres", disable=None)
    ]
    Path(arguments.cache, _TALKER).write_text(
        json.dumps({clip.name: phones for clip, phones in zip(clips, found)})
    )
    synthesise(arguments.cache, arguments.minutes)
    speak_widely(arguments.cache, arguments.minutes)
    festival.synthesise(arguments.cache, _FESTIVAL_MINUTES)
    readers.synthesise(arguments.cache, _READERS_MINUTES)
    align_prompts(arguments.cache)
    labelled.collect(arguments.cache)
    align_recordings(arguments.data, arguments.cache, training, held_out)
    actors.collect(arguments.cache)
    foreign.synthesise(arguments.cache, _FOREIGN_MINUTES)
    model = fit(
        *zip(*training),
        timbres,
        neutral,
        landmark_basis([clip for clip, _ in training], neutral, BASIS),
    )
    print(
        "from phones and their timbre, held-out clips: gap {:.3f} width {:.3f}".format(
            *tuple(check(model, *zip(*held_out)))
        )
    )
    torch.save(model.state_dict(), str(Path(arguments.cache, _MODEL)))
    animate(model, arguments.cache)


if __name__ == "__main__":
    main()
