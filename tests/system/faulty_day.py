"""A day in a kiosk whose surroundings fail all the time, on both real sound servers.

`make reliability` runs it, from the root of a clone:

faulty_day.py [ROUNDS]    so many rounds (default 24: one an hour), in a quarter of an hour

A round is: the sound server is killed, hung, restarted and away for a while, the microphone is
unplugged; the program of `cmd:` ends at once, floods its stderr and hangs; three kinds each of
mute, odd and flooding connections to the voice socket. After each fault somebody speaks through
the socket, and after those of the sound server also into the microphone. Prints what was heard
of them, what the daemon said, and what it left behind.
"""

import collections
import os
import re
import shutil
import sys
import tempfile
import time
from functools import partial

import numpy as np
from support.kiosk import HEALTH, HOLD_S, RUNNING, VOICE_S, WAITING, WHOLE_S, Kiosk, files
from support.sound import SERVERS
from support.writers import FLOODS, MUTE, ODD, Flood, connect


def faults(kiosk, number):
    """The faults of a round: a name, the fault, and whether it was the microphone's.

    A fault returns the connection that stays open meanwhile, if any.
    """
    server, path = kiosk.server, kiosk.socket

    def lose(what, how_long_s=0.0):
        what()
        kiosk.wait_for_state(WAITING)
        time.sleep(how_long_s)

    def come_back(*what):
        for step in what:
            step()
        time.sleep(HOLD_S)  # until then the state may be that of the socket
        kiosk.wait_for_state(RUNNING)

    def program(how, seconds):
        kiosk.let_program(how)
        time.sleep(seconds)
        kiosk.let_program("speak")

    def flood(kind):
        with Flood(path, kind):
            time.sleep(1.0)

    yield "cmd: hangs", False, partial(program, "hang", 4.0)
    yield "cmd: ends at once", False, partial(program, "end", 2.0)
    yield "cmd: floods stderr", False, partial(program, "flood", 2.0)
    yield "server killed", False, partial(lose, server.stop)
    yield "server killed, and back", True, partial(come_back, server.start)
    yield "server away for 5 s", False, partial(lose, server.stop, 5.0)
    yield "server away for 5 s, and back", True, partial(come_back, server.start)
    yield "server restarted", True, partial(come_back, server.stop, server.start)
    yield "server hangs (SIGSTOP)", False, partial(lose, server.hang)
    yield "server hangs no more", True, partial(come_back, server.resume)
    yield "microphone unplugged", False, partial(lose, server.unplug)
    yield "microphone plugged in", True, partial(come_back, server.plug)
    for kind in _three(MUTE, number):
        yield f"mute: {kind}", False, partial(connect, path, MUTE[kind]())
    for kind in _three(ODD, number):
        yield f"odd: {kind}", False, partial(connect, path, ODD[kind][0]())
    for kind in _three(FLOODS, number):
        yield f"flood: {kind}", False, partial(flood, kind)


def _three(kinds, number):
    kinds = sorted(kinds)
    return [kinds[(3 * number + k) % len(kinds)] for k in range(3)]


class Row:
    """What became of one kind of fault."""

    def __init__(self):
        self.times, self.lines, self.heard_s = 0, 0, []


def day(kind, numbers, rows):
    """Some rounds of a day on one sound server; prints what is left, and fills in the rows."""
    server = kind(tempfile.mkdtemp())
    server.start()
    kiosk = Kiosk(server)
    print(f"\n{kind.name}\n  round  memory, MB  descriptors  threads  children  lines so far")
    health = []
    try:
        for number in numbers:
            for name, of_microphone, fault in faults(kiosk, number):
                row, lines = rows[name], len(kiosk.lines())
                client = fault()
                row.heard_s.append(kiosk.say())
                if of_microphone:
                    row.heard_s.append(kiosk.speak_into_the_microphone())
                if client is not None:
                    client.close()
                row.times += 1
                row.lines += len(kiosk.lines()) - lines
            health.append(kiosk.health())
            counts = [f"{count:10}" for count in health[-1][1:]]
            print(f"  {number:5}  {health[-1][0]:10.2f}", *counts, len(kiosk.lines()), flush=True)
        report(kiosk, health)
    finally:
        kiosk.process.kill()
        kiosk.watcher.close()
        server.stop()
        shutil.rmtree(kiosk.home)


def report(kiosk, health):
    """Ends the kiosk, and prints what its frames, its memory and its folders look like."""
    lines, watcher = kiosk.lines(), kiosk.watcher
    frames = watcher.frames
    numbers = np.array([frame.index for frame in frames])
    published_s = np.array([frame.publish_ns for frame in frames]) / 1e9
    seen = np.diff(numbers) == 1
    pauses_s = np.diff(published_s)[seen]
    per_s = (numbers[-1] - numbers[0]) / (published_s[-1] - published_s[0])
    print(
        f"  frames: {len(numbers)}, {per_s:.3f} a second;"
        f" {numbers[-1] - numbers[0] + 1 - len(numbers)} not looked at in time; longest pause"
        f" {pauses_s.max():.3f} s, {np.sum(pauses_s > 0.1)} over 0.1 s"
    )
    print(
        f"  heartbeat: never older than {watcher.oldest_s:.3f} s;"
        f" the observer itself was late by up to {watcher.late_s:.3f} s"
    )
    first, last = health[min(2, len(health) - 1)], health[-1]
    growth = ", ".join(f"{b - a:+.4g} {what}" for a, b, what in zip(first, last, HEALTH))
    print(f"  from round {min(2, len(health) - 1)} to the last: {growth}")
    for text, count in collections.Counter(map(_kind_of, lines)).most_common():
        print(f"  {count:5} lines: {text}")
    logged = files(f"{kiosk.home}/log")
    log_bytes = sum(os.path.getsize(f"{kiosk.home}/log/{name}") for name in logged)
    status, took_s, left = kiosk.end()
    print(f"  {len(logged)} log files, {log_bytes} bytes")
    print(
        f"  SIGTERM: status {status} after {took_s:.2f} s; lines at the end:",
        kiosk.lines()[len(lines) :],
    )
    print(f"  left in HOME, XDG_* and TMPDIR: {left or 'nothing'}")
    print("  left in /dev/shm:", [n for n in os.listdir("/dev/shm") if kiosk.shm in n] or "nothing")


def _kind_of(line):
    return re.sub(r"\d+", "N", re.sub(r"/\S*/", "", line))[:110]


def main(rounds):
    """Prints the whole day."""
    rows = collections.defaultdict(Row)
    began = time.monotonic()
    kinds = list(SERVERS.values())
    for k, kind in enumerate(kinds):
        day(kind, range(k * rounds // len(kinds), (k + 1) * rounds // len(kinds)), rows)
    print(f"\n{'fault':40} times  voices  cut short  least heard  lines")
    total = Row()
    for name, row in rows.items():
        _print_row(name, row)
        total.times += row.times
        total.lines += row.lines
        total.heard_s += row.heard_s
    _print_row("all", total)
    print(f"{rounds} rounds in {time.monotonic() - began:.0f} s; a voice has {VOICE_S} s")
    return int(any(heard_s < WHOLE_S for heard_s in total.heard_s))


def _print_row(name, row):
    cut = sum(heard_s < WHOLE_S for heard_s in row.heard_s)
    print(
        f"{name:40} {row.times:5}  {len(row.heard_s):6}  {cut:9}  {min(row.heard_s):9.3f} s"
        f"  {row.lines:5}"
    )


if __name__ == "__main__":
    sys.exit(main(int((sys.argv + ["24"])[1])))
