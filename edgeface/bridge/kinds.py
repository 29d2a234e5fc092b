"""The kinds of bridges: what each takes on its command line, and the route that it makes of it."""

import argparse
import platform
import uuid
from typing import Callable, Dict, NamedTuple, Optional

from ..core.errors import UsageError
from ..core.rates import FRAME_RATE_HZ
from . import ifacialmocap, livelink, vmc, vrchat
from .account import Account
from .clients import Clients
from .encoder import Encoder
from .osc import Osc
from .place import HostPort, parse_host_port
from .route import Route
from .target import Target

_MOST_FPS = 60


class Kind(NamedTuple):
    """A protocol that goes by datagrams."""

    text: str  # what `--help` says
    add_arguments: Callable[[argparse.ArgumentParser], None]
    where: Callable[[argparse.Namespace], HostPort]  # to send to, or to listen at
    make_route: Callable[[argparse.Namespace, Account], Route]


def add_arguments(kind: Kind, parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of a kind, and those that all kinds have."""
    kind.add_arguments(parser)
    parser.add_argument(
        "--fps",
        metavar="N",
        type=int,
        default=FRAME_RATE_HZ,
        help=f"{FRAME_RATE_HZ}: each frame at once; up to {_MOST_FPS}: interpolated, 40 ms later",
    )


def open_route(options: argparse.Namespace, account: Account) -> Route:
    """The route that a command line describes.

    :param options: those of `add_arguments`, `kind`, and the segment's name as `shm`
    :raises UsageError: an option is out of range
    :raises UnavailableError: an address to listen at cannot be had
    """
    try:
        return KINDS[options.kind].make_route(options, account)
    except ValueError as error:  # what an encoder says about its options
        raise UsageError(str(error)) from None


def check(options: argparse.Namespace) -> str:
    """Looks at the options that all kinds have; returns the bridge's name, kind and target.

    :raises UsageError: one of them is invalid
    """
    if not FRAME_RATE_HZ <= options.fps <= _MOST_FPS:
        raise UsageError(f"--fps {options.fps}: out of range; {FRAME_RATE_HZ} to {_MOST_FPS}")
    return f"{options.kind} {KINDS[options.kind].where(options)}"


def _add_target(parser: argparse.ArgumentParser, default_port: Optional[int]) -> None:
    written = "HOST:PORT" if default_port is None else "HOST[:PORT]"
    port = "" if default_port is None else f"; port {default_port} unless another is given"
    parser.add_argument("target", metavar=written, help=f"name or address to send to{port}")


def _to(default_port: Optional[int]) -> Callable[[argparse.Namespace], HostPort]:
    return lambda options: parse_host_port(options.target, default_port)


def _sender(
    make_encoder: Callable[[argparse.Namespace], Encoder],
) -> Callable[[argparse.Namespace, Account], Route]:
    """Makes a route to one target."""

    def make(options: argparse.Namespace, account: Account) -> Route:
        where = KINDS[options.kind].where(options)
        return Target(make_encoder(options), where, account)

    return make


def _add_livelink(parser: argparse.ArgumentParser) -> None:
    _add_target(parser, livelink.PORT)
    parser.add_argument("--subject", metavar="NAME", default="edgeface", help="name in the list")


def _livelink(options: argparse.Namespace) -> Encoder:
    # the same after a restart, another for another face: receivers take one subject from an id
    identity = f"{platform.node()}/{options.shm}/{options.subject}"
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


def _osc(options: argparse.Namespace) -> Encoder:
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


def _ifacialmocap(options: argparse.Namespace, account: Account) -> Route:
    encoders = {version: ifacialmocap.IFacialMocap(version) for version in (1, 2)}

    def encoder_for(datagram: bytes) -> Optional[Encoder]:
        version = ifacialmocap.parse_hello(datagram)
        return None if version is None else encoders[version]

    listen = KINDS[options.kind].where(options)
    return Clients(listen, ifacialmocap.PORT, encoder_for, account)


KINDS: Dict[str, Kind] = {
    "livelink": Kind(
        "Live Link Face, as the iPhone app sends it: Unreal Engine and others",
        _add_livelink,
        _to(livelink.PORT),
        _sender(_livelink),
    ),
    "vmc": Kind(
        "VMC protocol: VSeeFace, Warudo, VMagicMirror, Unity, Godot and others",
        _add_vmc,
        _to(vmc.PERFORMER_PORT),
        _sender(lambda options: vmc.Vmc(options.names)),
    ),
    "osc": Kind(
        "Open Sound Control: robots, shows, and VRChat with --vrchat",
        _add_osc,
        _osc_place,
        _sender(_osc),
    ),
    "ifacialmocap": Kind(
        "iFacialMocap, in the phone's place: clients ask, and are answered",
        _add_ifacialmocap,
        _to(ifacialmocap.PORT),
        _ifacialmocap,
    ),
}
