"""Clients that ask a phone for frames, over real sockets."""

import socket

import pytest
from support.bridge_frames import frame_of
from support.process import wait_for

from edgeface.bridge import clients as clients_module
from edgeface.bridge.account import Account
from edgeface.bridge.clients import Clients, _is_local
from edgeface.bridge.encoder import Encoder
from edgeface.bridge.place import HostPort
from edgeface.core.errors import UnavailableError

FRAME = frame_of()


class Says(Encoder):
    """Always the same."""

    def __init__(self, text):
        self._text = text

    def encode(self, frame, time_s):
        return [self._text]


ENCODERS = {b"hello": Says(b"first"), b"hello2": Says(b"second")}


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Client:
    """A program at an address of its own, at the port where clients expect the answer."""

    def __init__(self, number, port):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(20)
        self._socket.bind((f"127.0.0.{number}", port))

    def ask(self, where, text=b"hello"):
        self._socket.sendto(text, where)

    def hear(self):
        return self._socket.recv(100)

    def close(self):
        self._socket.close()


@pytest.fixture
def account():
    return Account("phone")


@pytest.fixture
def phone(account):
    """A phone, where it listens, and the port of its clients."""
    where, reply_port = HostPort("127.0.0.1", free_port()), free_port()
    phone = Clients(where, reply_port, ENCODERS.get, account)
    yield phone, where, reply_port
    phone.close()


def until(phone, condition):
    wait_for(lambda: phone.send(FRAME, 0.0) or condition(phone.targets))


def test_each_client_gets_what_it_asked_for(phone, account):
    phone, where, port = phone
    phone.send(FRAME, 0.0)
    assert account.packets == 0
    one, two = Client(2, port), Client(3, port)
    one.ask(where)
    two.ask(where, b"hello2")
    until(phone, lambda count: count == 2)
    assert one.hear() == b"first" and two.hear() == b"second"
    one.ask(where, b"hello2")  # it changed its mind
    wait_for(lambda: phone.send(FRAME, 0.0) or one.hear() == b"second")
    assert phone.targets == 2
    one.close()
    two.close()


def test_a_client_may_ask_from_any_port(phone):
    phone, where, port = phone
    client = Client(2, port)
    other = Client(2, 0)
    other.ask(where)
    until(phone, lambda count: count == 1)
    assert client.hear() == b"first"
    client.close()
    other.close()


def test_noise_is_ignored(phone):
    phone, where, port = phone
    client = Client(2, port)
    for noise in (b"", b"hell", bytes(60000), "hellö".encode()):
        client.ask(where, noise)
    for _ in range(5):
        phone.send(FRAME, 0.0)
    assert phone.targets == 0
    client.close()


def test_of_many_clients_those_that_asked_last_are_served(phone):
    phone, where, port = phone
    clients = [Client(number, port) for number in range(2, 10)]
    for number, client in enumerate(clients):
        client.ask(where)
        wait_for(lambda count=number + 1: phone.send(FRAME, 0.0) or phone.targets == min(5, count))
    clients[3].ask(where)  # which keeps its place
    clients[0].ask(where)  # which takes that of number 4
    wanted = {f"127.0.0.{number}" for number in (2, 5, 7, 8, 9)}
    wait_for(
        lambda: (
            phone.send(FRAME, 0.0)
            or {address[0] for address, _ in phone._clients.items()} == wanted
        )
    )
    for client in clients:
        client.close()


def test_a_client_that_left_is_dropped_and_the_others_lose_nothing(phone, account, monkeypatch):
    now = [10**12]
    monkeypatch.setattr(clients_module, "monotonic_ns", lambda: now[0])
    phone, where, port = phone
    one, two = Client(2, port), Client(3, port)
    for client in (one, two):
        client.ask(where)
    until(phone, lambda count: count == 2)
    one.close()
    wait_for(lambda: phone.send(FRAME, 0.0) or account.refused > 3)
    assert phone.targets == 2  # it may have asked before it opened its port
    now[0] += 10**9 // 2
    wait_for(lambda: phone.send(FRAME, 0.0) or account.refused > 6)
    for _ in range(12):
        refused, now[0] = account.refused, now[0] + 10**9 // 2
        wait_for(
            lambda refused=refused: (
                phone.send(FRAME, 0.0) or account.refused > refused or phone.targets == 1
            )
        )
    assert phone.targets == 1
    two.close()


def test_a_client_that_refuses_costs_the_others_nothing(phone, account):
    phone, where, port = phone
    gone, client = Client(2, port), Client(3, port)
    gone.ask(where)
    client.ask(where)
    until(phone, lambda count: count == 2)
    gone.close()
    client.hear()
    refused = account.refused
    for _ in range(20):
        phone.send(FRAME, 0.0)
    for _ in range(20):
        assert client.hear() == b"first"
    assert account.refused > refused
    client.close()


def test_a_port_that_is_taken_is_one_line(phone, account):
    _, where, port = phone
    with pytest.raises(UnavailableError, match=f"{where.port}: Address already in use; stop what"):
        Clients(where, port, ENCODERS.get, account)


def test_only_the_local_network_is_answered():
    for host in ("127.0.0.1", "10.1.2.3", "192.168.1.1", "169.254.1.1", "fe80::1%eth0", "fd00::1"):
        assert _is_local(host)
    for host in ("8.8.8.8", "2606:4700::1111"):
        assert not _is_local(host)
