"""Moves the servos of a robot's face by what `edgeface bridge osc` sends.

    pip install python-osc
    python -m edgeface.examples.servo --listen 0.0.0.0:9000      # on the robot
    edgeface bridge osc ROBOT:9000                               # where edgeface runs

Prints pulse widths in microseconds; with `--maestro`, a Pololu Maestro makes them. Needs nothing
else of edgeface: copy this file, and write your own servos into SERVOS.
"""

import argparse
import sys
import tty
from typing import BinaryIO, Dict, NamedTuple, NoReturn, Optional, Tuple

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer

_SILENCE_S = 2.0  # the bridge says everything once a second
_SET_TARGET = 0x84  # a command of the Maestro's compact protocol


class Servo(NamedTuple):
    """A servo that goes from rest to its end with the sum of some shapes."""

    channel: int
    rest_us: int
    end_us: int
    weights: Dict[str, float]  # of shapes

    def pulse_us(self, shapes: Dict[str, float]) -> int:
        """Pulse width for these shapes; never beyond rest or end."""
        total = sum(weight * shapes.get(name, 0.0) for name, weight in self.weights.items())
        share = min(1.0, max(0.0, total))
        return round(self.rest_us + share * (self.end_us - self.rest_us))


SERVOS = {
    "jaw": Servo(0, 1500, 1900, {"jawOpen": 2.0, "mouthClose": -2.0}),
    "lips": Servo(1, 1500, 1200, {"mouthPucker": 1.0, "mouthFunnel": 1.0}),
    "lids": Servo(2, 1000, 2000, {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5}),
}


def main() -> int:
    """Runs the command line until it is interrupted; returns the exit code."""
    parser = argparse.ArgumentParser(
        description="Moves servos by what `edgeface bridge osc` sends."
    )
    parser.add_argument("--listen", type=_address, default="127.0.0.1:9000", metavar="HOST:PORT")
    parser.add_argument("--maestro", metavar="DEVICE", help="a serial port, such as /dev/ttyACM0")
    options = parser.parse_args()
    maestro = None
    try:
        if options.maestro:
            maestro = open(options.maestro, "r+b", buffering=0)
            tty.setraw(maestro.fileno())
        _follow(options.listen, maestro)
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        sys.stderr.write(f"servo: {error}\n")
        return 69


def _follow(listen: Tuple[str, int], maestro: Optional[BinaryIO]) -> NoReturn:
    """Moves the servos with every datagram, and to rest when none came for a while; for ever."""
    shapes: Dict[str, float] = {}
    dispatcher = Dispatcher()
    dispatcher.map(
        "/edgeface/*", lambda address, value: shapes.update({address.rpartition("/")[2]: value})
    )
    server = BlockingOSCUDPServer(listen, dispatcher)
    server.timeout = _SILENCE_S
    server.handle_timeout = shapes.clear
    print("listening on {}:{}".format(*server.server_address), flush=True)
    pulses: Dict[str, int] = {}
    while True:
        for name, servo in SERVOS.items():
            pulse_us = servo.pulse_us(shapes)
            if pulse_us != pulses.get(name):
                pulses[name] = pulse_us
                print(f"{name} {pulse_us} us", flush=True)
                if maestro is not None:
                    maestro.write(_maestro_command(servo.channel, pulse_us))
        server.handle_request()


def _maestro_command(channel: int, pulse_us: int) -> bytes:
    """Sets a target, in quarters of a microsecond, seven bits a byte."""
    quarters = 4 * pulse_us
    return bytes((_SET_TARGET, channel, quarters & 0x7F, quarters >> 7 & 0x7F))


def _address(text: str) -> Tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


if __name__ == "__main__":
    sys.exit(main())
