"""One target over real sockets: that comes and goes, refuses, and cannot be reached."""

import errno
import os
import socket
import subprocess
import sys

import pytest
from support.bridge_frames import frame_of
from support.process import wait_for

from edgeface.bridge.account import Account
from edgeface.bridge.encoder import Encoder
from edgeface.bridge.outlet import Outlet
from edgeface.bridge.place import HostPort
from edgeface.bridge.target import Target

FRAME = frame_of()


class Two(Encoder):
    """Two datagrams a frame."""

    def encode(self, frame, time_s):
        return [b"one", b"twos"]


def receiver(family=socket.AF_INET, address="127.0.0.1", port=0):
    found = socket.socket(family, socket.SOCK_DGRAM)
    found.settimeout(20)
    found.bind((address, port))
    return found


@pytest.fixture
def account():
    return Account("bridge")


@pytest.fixture
def target(account):
    """A target at a port where nobody listens yet, and that port."""
    with receiver() as free:
        port = free.getsockname()[1]
    target = Target(Two(), HostPort("127.0.0.1", port), account)
    yield target, port
    target.close()


def test_datagrams_arrive_in_order_from_one_port(account):
    with receiver() as socket_:
        target = Target(Two(), HostPort(*socket_.getsockname()), account)
        for _ in range(3):
            target.send(FRAME, 0.0)
        received = [socket_.recvfrom(100) for _ in range(6)]
        target.close()
    assert [data for data, _ in received] == [b"one", b"twos"] * 3
    assert len({sender for _, sender in received}) == 1
    report = account.report(7, target.targets)
    assert (report.packets, report.bytes, report.refused, report.targets) == (6, 21, 0, 1)
    assert report.packet_age_s is not None and report.refused_age_s is None


def test_ipv6(account):
    with receiver(socket.AF_INET6, "::1") as socket_:
        target = Target(Two(), HostPort("::1", socket_.getsockname()[1]), account)
        target.send(FRAME, 0.0)
        assert socket_.recv(100) == b"one"
        target.close()


def test_a_target_that_refuses_is_counted_said_once_and_found_again(target, account, caplog):
    target, port = target
    for _ in range(50):
        target.send(FRAME, 0.0)
    wait_for(lambda: target.send(FRAME, 0.0) or account.refused > 10)
    assert f"127.0.0.1 port {port}: Connection refused" == account.error
    assert [record.event for record in caplog.records] == ["target_lost"]
    sender = None
    for _ in range(3):  # a receiver that is restarted sees the same sender
        with receiver(port=port) as socket_:
            target.send(FRAME, 0.0)
            data, address = socket_.recvfrom(100)
            assert data == b"one" and sender in (None, address)
            sender = address
        target.send(FRAME, 0.0)


def test_what_comes_back_is_counted_even_if_nothing_more_is_sent(target, account):
    target, _ = target
    target.send(FRAME, 0.0)
    sent = account.packets
    target._encoder = Silent()
    wait_for(lambda: target.send(FRAME, 0.0) or account.refused)
    assert account.packets == sent


class Silent(Encoder):
    """Has nothing to say."""

    def encode(self, frame, time_s):
        return []


def test_back_is_said_after_ten_seconds_without_a_refusal(caplog):
    now = [10**9]
    account = Account("bridge", clock=lambda: now[0])
    for second in range(40):
        now[0] += 10**9
        account.sent(1)
        if second < 20 and second % 5 == 0:
            account.refuse("no")
    assert [record.event for record in caplog.records] == ["target_lost", "target_back"]
    assert account.report(1, 1).refused_age_s == 24.0


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOBUFS, errno.ENETUNREACH, errno.EPERM])
def test_a_socket_that_takes_nothing_is_counted_and_gone_on(account, number, monkeypatch):
    class Full:
        def sendto(self, data, address):
            raise OSError(number, os.strerror(number))

    outlet = Outlet(socket.AF_INET, account)
    whole, outlet._socket = outlet._socket, Full()
    assert not outlet.send(b"x", ("192.0.2.1", 7))
    outlet._socket = whole
    outlet.close()
    assert (account.packets, account.refused) == (0, 1)
    assert account.error == f"192.0.2.1 port 7: {os.strerror(number)}"


def test_a_family_that_this_machine_lacks_is_counted(account, monkeypatch):
    target = Target(Two(), HostPort("::1", 7), account)

    def no_sockets(*_):
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))

    monkeypatch.setattr(socket, "socket", no_sockets)
    target.send(FRAME, 0.0)
    assert (account.refused, account.error) == (1, f"::1: {os.strerror(errno.EAFNOSUPPORT)}")
    monkeypatch.undo()
    target.send(FRAME, 0.0)
    assert account.packets == 2
    target.close()


UNREACHABLE = """
from support.bridge_frames import frame_of
from edgeface.bridge.account import Account
from edgeface.bridge.encoder import Encoder
from edgeface.bridge.place import HostPort
from edgeface.bridge.target import Target
import time
class One(Encoder):
    def encode(self, frame, time_s):
        return [bytes(1000)]
account = Account("bridge")
for host in ("192.0.2.1", "2001:db8::1", "192.0.2.255", "224.0.0.7"):
    target = Target(One(), HostPort(host, 7), account)
    for _ in range(500):
        target.send(frame_of(), 0.0)
    target.close()
print(account.packets, account.refused, account.error)
"""


@pytest.mark.system
def test_a_machine_without_a_network(tmp_path):
    result = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", UNREACHABLE],
        env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert result.stdout.startswith("0 2000 224.0.0.7 port 7: Network is unreachable")
    assert result.stderr.count("\n") == 1  # said once
