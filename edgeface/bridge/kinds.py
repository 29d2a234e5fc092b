"""The kinds of bridges: what each takes on its command line, and what it makes of it."""

import argparse
import platform
import uuid
from typing import Callable, Dict, NamedTuple, Optional

import numpy as np

from ..core.errors import UsageError
from ..core.rates import FRAME_RATE_HZ
from ..core.resources import DEFAULT_BUNDLE
from ..model.bundle import read_bundle
from . import ifacialmocap, livelink, vmc, vrchat, web
from .account import Account
from .bridge import Bridge
from .clients import Clients
from .encoder import Encoder
from .feed import feed
from .osc import Osc
from .place import HostPort, parse_host_port
from .route import Route
from .sender import Sender
from .target import Target

_MOST_FPS = 60


class Kind(NamedTuple):
    """What `edgeface bridge` offers."""

    text: str  # what `--help` says
    add_arguments: Callable[[argparse.ArgumentParser], None]
    check: Callable[[argparse.Namespace], HostPort]  # where to send to, or to listen at
    open: Callable[[argparse.Namespace, str], Bridge]  # for a segment


def check(options: argparse.Namespace) -> str:
    """Looks at the options of a bridge; returns its name, kind and target.

    :param options: those of its kind, and `kind`
    :raises UsageError: one of them is invalid
    """
    try:
        return f"{options.kind} {KINDS[options.kind].check(options)}"
    except ValueError as error:  # what an encoder says about its options
        raise UsageError(str(error)) from None


def open_bridge(options: argparse.Namespace, shm: str) -> Bridge:
    """A bridge that is ready to run.

    :param options: those of its kind, and `kind`
    :param shm: name of the segment
    :raises UsageError: an option is invalid
    :raises UnavailableError: an address to listen at cannot be had
    """
    check(options)
    try:
        return KINDS[options.kind].open(options, shm)
    except ValueError as error:
        raise UsageError(str(error)) from None


_MakeRoute = Callable[[argparse.Namespace, str, Account], Route]
_MakeEncoder = Callable[[argparse.Namespace, str], Encoder]


def _datagrams(
    text: str,
    add_own: Callable[[argparse.ArgumentParser], None],
    where: Callable[[argparse.Namespace], HostPort],
    make_route: _MakeRoute,
    check_own: Callable[[argparse.Namespace], object] = lambda options: None,
) -> Kind:
    """A kind that goes by UDP, with the options that all of these have."""

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        add_own(parser)
        parser.add_argument(
            "--fps",
            metavar="N",
            type=int,
            default=FRAME_RATE_HZ,
            help=f"{FRAME_RATE_HZ}: each frame at once; up to {_MOST_FPS}: in between, 40 ms later",
        )

    def check_all(options: argparse.Namespace) -> HostPort:
        if not FRAME_RATE_HZ <= options.fps <= _MOST_FPS:
            raise UsageError(f"--fps {options.fps}: out of range; {FRAME_RATE_HZ} to {_MOST_FPS}")
        check_own(options)
        return where(options)

    def open_sender(options: argparse.Namespace, shm: str) -> Bridge:
        account = Account(check(options))
        neutral = np.array(read_bundle(DEFAULT_BUNDLE).neutral, np.float32)
        route = make_route(options, shm, account)
        return Sender(feed(shm, options.fps, neutral), route, account)

    return Kind(text, add_arguments, check_all, open_sender)


def _add_target(parser: argparse.ArgumentParser, default_port: Optional[int]) -> None:
    written = "HOST:PORT" if default_port is None else "HOST[:PORT]"
    port = "" if default_port is None else f"; port {default_port} unless another is given"
    parser.add_argument("target", metavar=written, help=f"name or address to send to{port}")


def _to(default_port: Optional[int]) -> Callable[[argparse.Namespace], HostPort]:
    return lambda options: parse_host_port(options.target, default_port)


def _one_target(
    text: str,
    add_own: Callable[[argparse.ArgumentParser], None],
    where: Callable[[argparse.Namespace], HostPort],
    make_encoder: _MakeEncoder,
) -> Kind:
    """A kind that sends to one target."""

    def make_route(options: argparse.Namespace, shm: str, account: Account) -> Route:
        return Target(make_encoder(options, shm), where(options), account)

    # an encoder is the judge of its options
    return _datagrams(
        text, add_own, where, make_route, lambda options: make_encoder(options, "edgeface")
    )


def _add_livelink(parser: argparse.ArgumentParser) -> None:
    _add_target(parser, livelink.PORT)
    parser.add_argument("--subject", metavar="NAME", default="edgeface", help="name in the list")


def _livelink(options: argparse.Namespace, shm: str) -> Encoder:
    # the same after a restart, another for another face: receivers take one subject from an id
    identity = f"{platform.node()}/{shm}/{options.subject}"
    device_id = str(uuid.uuid5(uuid.NAMESPACE_OID, identity))
    return livelink.LiveLink(options.subject, device_id, options.fps)


def _add_vmc(parser: argparse.ArgumentParser) -> None:
    _add_target(parser, vmc.PERFORMER_PORT)
    parser.add_argument(
        "--names",
        choices=vmc.NAMES,
        default=vmc.NAMES[0],
        help="arkit: the 52 shapes (PerfectSync); vrm0, vrm1: vowels and blinks of other models",
    )
    parser.add_argument(
        "--head",
        action="store_true",
        default=False,
        help="turn the head, too; not where a receiver takes the positions of bones (EVMC4U)",
    )


def _add_osc(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        metavar="HOST:PORT",
        help=f"name or address to send to; with --vrchat the port is {vrchat.PORT} unless given",
    )
    parser.add_argument("--prefix", default="/edgeface", help="what the addresses begin with")
    parser.add_argument(
        "--vrchat",
        action="store_true",
        default=False,
        help="the parameters of VRChat avatars with face tracking",
    )


def _osc_place(options: argparse.Namespace) -> HostPort:
    return parse_host_port(options.target, vrchat.PORT if options.vrchat else None)


def _osc(options: argparse.Namespace, _shm: str) -> Encoder:
    return vrchat.VrChat() if options.vrchat else Osc(options.prefix)


def _add_ifacialmocap(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target",
        metavar="ADDRESS[:PORT]",
        nargs="?",
        default="0.0.0.0",
        help="where to listen for clients, as the phone does;"
        f" port {ifacialmocap.PORT} unless another is given",
    )


def _ifacialmocap(options: argparse.Namespace, _shm: str, account: Account) -> Route:
    encoders = {version: ifacialmocap.IFacialMocap(version) for version in (1, 2)}

    def encoder_for(datagram: bytes) -> Optional[Encoder]:
        version = ifacialmocap.parse_hello(datagram)
        return None if version is None else encoders[version]

    listen = KINDS[options.kind].check(options)
    return Clients(listen, ifacialmocap.PORT, encoder_for, account)


KINDS: Dict[str, Kind] = {
    "livelink": _one_target(
        "Live Link Face, as the iPhone app sends it: Unreal Engine and others",
        _add_livelink,
        _to(livelink.PORT),
        _livelink,
    ),
    "vmc": _one_target(
        "VMC protocol: VSeeFace, Warudo, VMagicMirror, Unity, Godot and others",
        _add_vmc,
        _to(vmc.PERFORMER_PORT),
        lambda options, _: vmc.Vmc(options.names, options.head),
    ),
    "osc": _one_target(
        "Open Sound Control: robots, shows, and VRChat with --vrchat",
        _add_osc,
        _osc_place,
        _osc,
    ),
    "ifacialmocap": _datagrams(
        "iFacialMocap, in the phone's place: clients ask, and are answered",
        _add_ifacialmocap,
        _to(ifacialmocap.PORT),
        _ifacialmocap,
    ),
    "web": Kind(
        "pages of your own, by Server-Sent Events and WebSocket",
        web.add_arguments,
        web.place,
        web.Web,
    ),
}
