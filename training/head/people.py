"""Who the heads are: how much of which target of MakeHuman, and their colours."""

from typing import Dict, NamedTuple, Tuple

Colour = Tuple[float, float, float]


class Person(NamedTuple):
    """A look. Colours are sRGB, 0 to 255."""

    name: str
    targets: Dict[str, float]
    skin: Colour
    lips: Colour
    hair: Colour
    iris: Colour
    sweater: Colour
    mood: Dict[str, float]
    """blendshapes of the face at rest"""
    style: str
    """of the hair"""
    brows: int
    """hairs of each"""


def _born(sex: str, origins: Dict[str, float], age: float) -> Dict[str, float]:
    """The targets of sex, origin and age, which add up to one whole person each.

    :param age: 0 for 25 years, 1 for 90
    """
    ages = {"young": 1 - age, "old": age}
    targets = {
        f"macrodetails/{origin}-{sex}-{name}": share * part
        for origin, share in origins.items()
        for name, part in ages.items()
    }
    for name, part in ages.items():
        body = f"{sex}-{name}-averagemuscle-averageweight"
        targets[f"macrodetails/universal-{body}"] = part
        targets[f"macrodetails/proportions/{body}-idealproportions"] = 0.5 * part
    for side in "lr":
        targets.update({f"ears/{side}-ear-wing-decr": 0.6, f"ears/{side}-ear-scale-decr": 0.35})
        targets[f"ears/{side}-ear-shape-round"] = 0.6
    return targets


PEOPLE = (
    Person(
        "ada",
        _born("female", {"caucasian": 0.45, "african": 0.3, "asian": 0.25}, 0.05),
        skin=(206, 160, 134),
        lips=(176, 92, 86),
        hair=(62, 42, 34),
        iris=(84, 56, 36),
        sweater=(52, 84, 96),
        mood={
            "mouthSmileLeft": 0.28,
            "mouthSmileRight": 0.28,
            "eyeWideLeft": 0.2,
            "eyeWideRight": 0.2,
        },
        style="bob",
        brows=120,
    ),
    Person(
        "otto",
        _born("male", {"caucasian": 0.8, "asian": 0.2}, 0.3),
        skin=(222, 180, 158),
        lips=(190, 118, 108),
        hair=(92, 78, 66),
        iris=(96, 112, 112),
        sweater=(92, 84, 78),
        mood={
            "mouthSmileLeft": 0.16,
            "mouthSmileRight": 0.16,
            "eyeWideLeft": 0.25,
            "eyeWideRight": 0.25,
        },
        style="short",
        brows=150,
    ),
)
