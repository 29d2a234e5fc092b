"""Hosts as they are written, and where they are while names come and go."""

import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.process import wait_for

from edgeface.bridge import place
from edgeface.bridge.place import Resolver, parse_host_port
from edgeface.core.errors import UsageError


@pytest.mark.parametrize(
    "text, host, port",
    [
        ("192.168.1.20", "192.168.1.20", 7),
        ("192.168.1.20:11111", "192.168.1.20", 11111),
        ("desk", "desk", 7),
        ("desk.local:1", "desk.local", 1),
        ("bücher.example", "bücher.example", 7),
        ("::1", "::1", 7),
        ("fe80::1%eth0", "fe80::1%eth0", 7),
        ("[::1]", "::1", 7),
        ("[fd00::20]:65535", "fd00::20", 65535),
    ],
)
def test_hosts_and_ports(text, host, port):
    assert parse_host_port(text, 7) == (host, port)
    assert parse_host_port(str(parse_host_port(text, 7)), None) == (host, port)


@pytest.mark.parametrize(
    "text",
    ["", ":", ":7", "a:", "a:0", "a:65536", "a:-1", "a:b", "a b", "a/b", "http://a", "[::1", "::1]"]
    + [
        "[a]",
        "[1.2.3.4]:5",
        "1.2.3",
        "1.2.3.400",
        "::1:x:",
        "a" * 64,
        "a." * 130,
        "a..b",
        "::g",
        "a\0b",
    ],
)
def test_what_is_no_host_is_named_in_one_line(text):
    with pytest.raises(UsageError) as error:
        parse_host_port(text, 7)
    assert str(error.value).startswith(f"{text}: ")


def test_a_port_may_be_needed():
    with pytest.raises(UsageError, match="desk: no port; write desk:PORT"):
        parse_host_port("desk", None)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=40) | st.text("[]:.%0123456789abf-", max_size=40))
def test_any_text_is_a_host_or_is_refused(text):
    try:
        found = parse_host_port(text, 7)
    except UsageError:
        return
    assert found.host and 0 < found.port < 65536


class Names:
    """A name service that answers as it is told."""

    def __init__(self, monkeypatch):
        self.addresses = []  # an exception, or what the name resolves to
        self.asked = 0
        self.answers = threading.Event()
        self.answers.set()
        self._ask = socket.getaddrinfo
        monkeypatch.setattr(place.socket, "getaddrinfo", self._answer)
        for pause in ("_AGAIN_S", "_FIRST_PAUSE_S", "_LONGEST_PAUSE_S"):
            monkeypatch.setattr(place, pause, 0.01)

    def _answer(self, host, port, **options):
        if host != "desk.example":
            return self._ask(host, port, **options)
        if options.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "not a number")
        self.asked += 1
        self.answers.wait()
        if not self.addresses:
            raise socket.gaierror(socket.EAI_AGAIN, "no answer")
        return [found for address in self.addresses for found in self._ask(address, port)][::3]


@pytest.fixture
def names(monkeypatch):
    return Names(monkeypatch)


@pytest.fixture
def resolver(names):
    resolver = Resolver(parse_host_port("desk.example:7", None))
    yield resolver
    names.answers.set()
    resolver.close()


def host_of(resolver):
    return resolver.place and resolver.place[1][0]


def test_an_address_needs_no_thread(names):
    before = threading.active_count()
    assert Resolver(parse_host_port("127.0.0.1:7", None)).place == (
        socket.AF_INET,
        ("127.0.0.1", 7),
    )
    assert Resolver(parse_host_port("[::1]:7", None)).place[0] == socket.AF_INET6
    assert threading.active_count() == before and names.asked == 0


def test_a_name_service_that_hangs_is_waited_for_in_one_thread(names):
    names.answers.clear()
    names.addresses = ["192.0.2.1"]
    before = threading.active_count()
    resolver = Resolver(parse_host_port("desk.example:7", None))
    wait_for(lambda: names.asked == 1)
    for _ in range(100):
        resolver.doubt()
    assert resolver.place is None and threading.active_count() == before + 1
    names.answers.set()
    wait_for(lambda: host_of(resolver) == "192.0.2.1")
    resolver.close()


def test_a_name_that_is_not_there_yet_is_found_later(names, resolver):
    wait_for(lambda: names.asked > 2)
    assert resolver.place is None and "desk.example" in resolver.error
    names.addresses = ["192.0.2.1"]
    wait_for(lambda: host_of(resolver) == "192.0.2.1")
    assert wait_for(lambda: resolver.error == "")


def test_a_name_that_moves_is_followed(names, resolver):
    for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1"):
        names.addresses = [address]
        wait_for(lambda address=address: host_of(resolver) == address)


def test_a_name_that_is_lost_keeps_its_last_place_and_is_said_once(names, resolver, caplog):
    names.addresses = ["192.0.2.1"]
    wait_for(lambda: host_of(resolver))
    names.addresses = []
    asked = names.asked
    wait_for(lambda: names.asked > asked + 3)
    assert host_of(resolver) == "192.0.2.1" and resolver.error
    assert [record.event for record in caplog.records] == ["target_unresolved"]


def test_the_addresses_of_a_target_that_refuses_are_tried_in_turn(names, resolver):
    names.addresses = ["2001:db8::1", "192.0.2.1"]
    assert wait_for(lambda: host_of(resolver)) == "192.0.2.1"  # IPv4 first
    asked = names.asked
    wait_for(lambda: names.asked > asked + 2)
    assert host_of(resolver) == "192.0.2.1"  # without a doubt it stays
    resolver.doubt()
    wait_for(lambda: host_of(resolver) == "2001:db8::1")
    resolver.doubt()
    wait_for(lambda: host_of(resolver) == "192.0.2.1")
