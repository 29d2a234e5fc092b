"""What python-osc, a receiver that others wrote, makes of datagrams. Development Python only."""


def decoded(datagrams):
    """(address, arguments) of every message, in order."""
    from pythonosc.osc_packet import OscPacket

    messages = [item.message for datagram in datagrams for item in OscPacket(datagram).messages]
    return [(message.address, message.params) for message in messages]


def one_value_each(datagrams):
    """Address to value, of messages with one argument."""
    return {address: argument for address, (argument,) in decoded(datagrams)}
