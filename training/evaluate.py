"""Command: how well a bundle's face follows real lips.

Prints mean per-clip correlations of lip gap and mouth width with the tracked
face on the held-out clips of the corpus, as they are, in other voices and
through noise; stillness in silence, noise and, with --cache, music and other
sounds; speeds and blendshapes against those of the talker; closures, rounding
and rest in eight languages, spoken by espeak-ng and, with --cache, by people whom
the training has not heard. Frames come from the streaming pipeline that the daemon runs.

Example:
    python -m training.evaluate --data ../shared/data
"""

import argparse
import json
from pathlib import Path

import numpy as np
from tqdm import tqdm

from edgeface.build import build_pipeline
from edgeface.build import load_model as load_bundle
from edgeface.config import Motion, Settings
from edgeface.core.rates import FRAME_RATE_HZ
from edgeface.core.resources import DEFAULT_BUNDLE
from edgeface.motion.face import MOUTH

from . import blendshapes, foreign
from .abroad import alike, closing, judge, one_after_another, recorded, rounding, synthetic
from .animate import load_model, talker_phones
from .conditions import conditions, no_speech
from .corpus import is_held_out, lip_gap, load_grid, mouth_width
from .plots import plot_gaps, plot_latency, plot_speeds
from .readers import read_aloud

LOOKAHEADS_MS = (0, 40, 80, 160)


def animate(pipeline, samples, track="landmarks"):
    """Landmarks float32 [T, 68, 3] of float32 [N], or their "blendshapes" [T, 52]."""
    frames = pipeline.accept(np.clip(samples, -1, 1).astype(np.float32)) + pipeline.finish()
    return np.array([getattr(frame, track) for frame in frames])


def animate_all(pipeline, clips, change=None):
    """Landmarks float32 [T, 68, 3] of every clip.

    :param change: function (random generator, clip) to float32 [N] instead of the clip's own sound;
        it may begin earlier
    """
    rng = np.random.default_rng(4)
    return [
        animate(pipeline, clip.samples if change is None else change(rng, clip))[
            -len(clip.landmarks) :
        ]
        for clip in tqdm(clips, leave=False, disable=None)
    ]


def each_correlation(faces, clips):
    """Correlations of every clip with the tracked face: lists of gap and of width.

    :param faces: of `animate_all`
    """
    return [
        [
            float(np.corrcoef(measure(face), measure(clip.landmarks))[0, 1])
            for face, clip in zip(faces, clips)
        ]
        for measure in (lip_gap, mouth_width)
    ]


def correlations(faces, clips):
    """Means of `each_correlation`: gap, width."""
    return tuple(float(np.mean(values)) for values in each_correlation(faces, clips))


def spoken_correlation(faces, clips):
    """Mean correlation of the lip gap from a clip's first word on: how its mouth opens before that is often inaudible.

    :param faces: of `animate_all`
    """
    begins = [int(np.argmax(clip.speech > 0)) for clip in clips]
    return float(
        np.mean(
            [
                np.corrcoef(lip_gap(face[begin:]), lip_gap(clip.landmarks[begin:]))[0, 1]
                for face, clip, begin in zip(faces, clips, begins)
            ]
        )
    )


def stillness(pipeline, sounds, speech_deviation):
    """Deviation of the lip gap over that in speech, a list of one for each sound of `conditions.no_speech`."""
    return [
        float(lip_gap(animate(pipeline, sound))[FRAME_RATE_HZ:].std() / speech_deviation)
        for sound in sounds
    ]


def rest_after_speech_s(pipeline, clip, neutral, speech_deviation):
    """Seconds from the cut of running speech to digital silence until the lips rest for good."""
    at = len(clip.samples) // 2
    face = animate(pipeline, np.concatenate((clip.samples[:at], np.zeros(32000, np.float32))))
    away = np.abs(lip_gap(face) - lip_gap(neutral)) > 0.1 * speech_deviation
    last = np.flatnonzero(away)
    return max(0.0, (last[-1] + 1) / 25 - at / 16000) if len(last) else 0.0


def quantiles(faces):
    """99.9th percentiles of landmark speed and acceleration of the lips, in units a frame."""
    speed = np.concatenate(
        [np.linalg.norm(np.diff(f[:, MOUTH], axis=0), axis=-1).ravel() for f in faces]
    )
    bend = np.concatenate(
        [np.linalg.norm(np.diff(f[:, MOUTH], n=2, axis=0), axis=-1).ravel() for f in faces]
    )
    return np.percentile(speed, 99.9), np.percentile(bend, 99.9)


def shapes(faces, clips, phones):
    """Shares of p, b and m and of open vowels at which the lips close, strays, and rounding, see `abroad.judge`.

    :param faces: landmarks [T, 68, 3] for every clip
    :param phones: list of (start_s, end_s, phone) for every clip, None where unknown
    """
    known = one_after_another(phones, map(len, faces))
    faces, talking = np.concatenate(faces), np.concatenate([clip.speech > 0 for clip in clips])
    return closing(lip_gap(faces), talking, known) + (rounding(mouth_width(faces), known),)


def print_spread(title, values, clips):
    """Prints what the mean of the clips' correlations hides.

    :param values: a list of `each_correlation`
    """
    worst = int(np.argmin(values))
    print(
        f"\n{title} of single clips: median {np.median(values):.3f}, worst {values[worst]:.2f} ({clips[worst].name}; mean of the others {np.mean(np.delete(values, worst)):.3f}), mean of all +-{1.96 * np.std(values) / len(values) ** 0.5:.3f} (95 %)"
    )


def print_blendshapes(pipeline, clips, phones, spoken):
    """Prints rows of `blendshapes.follow`, and how often lips pucker where they should.

    :param phones: list of (start_s, end_s, phone) for every clip, None where unknown
    :param spoken: of `abroad.synthetic`
    """
    others, said = zip(*(pair for sentences in spoken.values() for pair in sentences))
    ours, others = (
        [animate(pipeline, samples, "blendshapes") for samples in sounds]
        for sounds in ([clip.samples for clip in clips], others)
    )
    theirs = [clip.blendshapes for clip in clips]
    print(
        "\n| blendshape | deviation of the talker's | of the face's, % of it | correlation |"
        " as espeak-ng speaks, % of it |\n|---|---|---|---|---|"
    )
    for name, deviation, share, correlation, elsewhere in blendshapes.follow(
        *map(np.concatenate, (ours, theirs, others))
    ):
        print(
            f"| {name} | {deviation:.3f} | {100 * share:.0f} | {correlation:.2f} | {100 * elsewhere:.0f} |"
        )
    print(
        "\nlips more puckered in rounded vowels than in spread ones: {:.0f} % (the talker's: {:.0f} %; as espeak-ng"
        " speaks: {:.0f} %)".format(
            *tuple(
                100 * blendshapes.puckering(*pair)
                for pair in ((ours, phones), (theirs, phones), (others, said))
            )
        )
    )


def print_languages(title, rows):
    """Prints rows of `abroad.judge`."""
    print(
        f"\n| {title} | p, b, m | closed, % | open vowels closed, % | closures elsewhere, a minute | rounded vowels narrower than spread ones, % | deviation of the gap | in pauses, % of it |\n|---|---|---|---|---|---|---|---|"
    )
    for language, count, closed, shut, strays, rounded, motion, rest in rows:
        print(
            f"| {language} | {count} | {100 * closed:.0f} | {100 * shut:.0f} | {strays:.0f} | {100 * rounded:.0f} | {motion:.4f} | {rest:.2f} |"
        )


def print_alike(title, rows):
    """Prints rows of `abroad.alike`."""
    print(f"\n| {title} | recordings | lip gap | mouth width |\n|---|---|---|---|")
    for row in rows:
        print("| %s | %d | %.3f | %.3f |" % row)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder that holds grid_s1")
    parser.add_argument(
        "--cache", type=Path, help="folder that `prepare` and `animate` filled: music, people"
    )
    parser.add_argument("--bundle", default=DEFAULT_BUNDLE)
    parser.add_argument("--plots", type=Path, help="folder for pictures")
    arguments = parser.parse_args()
    clips, neutral = load_grid(arguments.data / "grid_s1")
    clips = [clip for clip in clips if is_held_out(clip.name)]
    bundle = load_bundle(arguments.bundle)
    print(f"{bundle.name} {bundle.version}, {len(clips)} held-out clips\n")
    print("| look-ahead | lip gap | mouth width |\n|---|---|---|")
    faces, accuracy = {}, {}
    for ms in LOOKAHEADS_MS:
        pipeline = build_pipeline(Settings(motion=Motion(lookahead_ms=ms, blink=False)), bundle)
        faces[ms] = animate_all(pipeline, clips)
        accuracy[ms] = correlations(faces[ms], clips)
        print("| %d ms | %.3f | %.3f |" % ((ms,) + accuracy[ms]), flush=True)
    faces = faces[bundle.latency_ms]
    gaps, widths = each_correlation(faces, clips)
    print_spread("lip gap", gaps, clips)
    print_spread("mouth width", widths, clips)
    pipeline = build_pipeline(
        Settings(motion=Motion(lookahead_ms=bundle.latency_ms, blink=False)), bundle
    )
    print(
        f"\n| at {bundle.latency_ms} ms | lip gap | lip gap from the first word on | mouth width |\n|---|---|---|---|"
    )
    for name, change in conditions(clips, arguments.cache):
        changed = animate_all(pipeline, clips, change)
        gap, width = correlations(changed, clips)
        print(
            f"| {name} | {gap:.3f} | {spoken_correlation(changed, clips):.3f} | {width:.3f} |",
            flush=True,
        )
    deviation = float(np.concatenate([lip_gap(face) for face in faces]).std())
    print(
        "\n| no speech | sounds | deviation of the lip gap, median, % of that in speech | largest | above 1 % |\n"
        "|---|---|---|---|---|"
    )
    for name, sounds in no_speech(arguments.cache):
        ratios = 100 * np.array(stillness(pipeline, sounds, deviation))
        print(
            f"| {name} | {len(ratios)} | {np.median(ratios):.2f} | {max(ratios):.2f} | {(ratios > 1).sum()} |",
            flush=True,
        )
    rests = [rest_after_speech_s(pipeline, clip, neutral, deviation) for clip in clips]
    print(
        "\nlips at rest after speech is cut off: {:.2f} s (median), {:.2f} s (95th percentile)".format(
            *tuple(np.percentile(rests, (50, 95)))
        )
    )
    words = json.loads((arguments.data / "grid_s1" / "words.json").read_text())
    phones = talker_phones(clips, words)
    ours, theirs = (
        shapes(faces, clips, phones),
        shapes([clip.landmarks for clip in clips], clips, phones),
    )
    print(f"lips close at p, b, m: {100 * ours[0]:.0f} % (the talker's: {100 * theirs[0]:.0f} %)")
    print(
        f"lips close at open vowels: {100 * ours[1]:.0f} % (the talker's: {100 * theirs[1]:.0f} %)"
    )
    print(
        f"lips close elsewhere: {ours[2]:.0f} times a minute of speech (the talker's: {theirs[2]:.0f})"
    )
    print(
        f"rounded vowels narrower than spread ones: {100 * ours[3]:.0f} % (the talker's: {100 * theirs[3]:.0f} %)"
    )
    for name, ours, theirs in zip(
        ("speed", "acceleration"), quantiles(faces), quantiles([clip.landmarks for clip in clips])
    ):
        print(
            f"99.9th percentile of lip {name}, units a frame: {ours:.4f} (the talker's: {theirs:.4f})"
        )
    everyone = [("espeak-ng speaks", synthetic())]
    print_blendshapes(pipeline, clips, phones, everyone[0][1])
    if arguments.cache:
        everyone += [
            ("unheard voices read English", read_aloud()),
            ("unheard voices read other languages", foreign.read_aloud(arguments.cache)),
            ("people speak", recorded(arguments.cache)),
        ]
    for who, spoken in everyone:
        print_languages(f"as {who}", judge(lambda samples: animate(pipeline, samples), spoken))
    for who, spoken in everyone if arguments.cache else ():
        print_alike(
            f"as {who}, beside the motion of its phones",
            alike(lambda samples: animate(pipeline, samples), load_model(arguments.cache), spoken),
        )
    if arguments.plots:
        arguments.plots.mkdir(parents=True, exist_ok=True)
        plot_gaps(arguments.plots, clips, faces, gaps)
        plot_latency(arguments.plots, accuracy)
        plot_speeds(arguments.plots, clips, faces)


if __name__ == "__main__":
    main()
