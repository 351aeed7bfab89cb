"""CTAPHID, packet by packet."""

import os
import struct
import time

from fido2.ctap import CtapError
from fido2.hid import CAPABILITY, CTAPHID

from cases import case, refused
from device import BROADCAST, REPORT


def packet(channel, *head_and_data):
    head = struct.pack(">I", channel)
    body = b"".join(part if isinstance(part, bytes) else bytes([part]) for part in head_and_data)
    return (head + body).ljust(REPORT, b"\0")


def first(channel, command, length, data=b""):
    return packet(channel, 0x80 | command, struct.pack(">H", length), data)


class Raw:
    """A program that sends what it likes."""

    def __init__(self, key):
        self.program = key.connect()
        nonce = os.urandom(8)
        self.program.write_packet(first(BROADCAST, CTAPHID.INIT, 8, nonce))
        reply = self.program.read_packet()
        assert reply[7:15] == nonce
        self.channel = struct.unpack_from(">I", reply, 15)[0]

    def send(self, *packets):
        for each in packets:
            self.program.write_packet(each)

    def error(self):
        reply = self.program.read_packet()
        assert reply[4:7] == bytes([0x80 | CTAPHID.ERROR, 0, 1]), reply.hex()
        return reply[7]


@case("hid", "INIT gives a channel and says what the device can do")
def init(key):
    one, two = key.device(), key.device()
    assert one._channel_id != two._channel_id
    assert one.version == 2
    assert one.capabilities == CAPABILITY.CBOR | CAPABILITY.WINK | CAPABILITY.NMSG


@case("hid", "PING of every interesting length up to 7609 bytes")
def ping(key):
    device = key.device()
    for length in (1, 56, 57, 58, 115, 116, 117, 1024, 7608, 7609):
        data = os.urandom(length)
        assert device.ping(data) == data


@case("hid", "7610 bytes are refused")
def too_long(key):
    raw = Raw(key)
    raw.send(first(raw.channel, CTAPHID.PING, 7610))
    assert raw.error() == CtapError.ERR.INVALID_LENGTH


@case("hid", "WINK is seen by the person")
def wink(key):
    key.device().wink()
    key.expect("wink")


@case("hid", "LOCK keeps others out until it is released, and has a limit")
def lock(key):
    one, two = key.device(), Raw(key)
    one.lock(10)
    two.send(first(two.channel, CTAPHID.PING, 1, b"x"))
    assert two.error() == CtapError.ERR.CHANNEL_BUSY
    assert one.ping(b"mine") == b"mine"
    one.lock(0)
    two.send(first(two.channel, CTAPHID.PING, 1, b"x"))
    assert two.program.read_packet()[7:8] == b"x"
    refused(CtapError.ERR.INVALID_PARAMETER, lambda: one.lock(11))


@case("hid", "unknown commands are refused")
def unknown(key):
    device = key.device()
    refused(CtapError.ERR.INVALID_COMMAND, lambda: device.call(CTAPHID.VENDOR_FIRST, b"data"))


@case("hid", "channels that were not given out are refused")
def no_channel(key):
    raw = Raw(key)
    for channel in (0, 0x12345678, BROADCAST):
        raw.send(first(channel, CTAPHID.PING, 1, b"x"))
        assert raw.error() == CtapError.ERR.INVALID_CHANNEL


@case("hid", "a packet out of order ends the message")
def sequence(key):
    raw = Raw(key)
    raw.send(first(raw.channel, CTAPHID.PING, 200), packet(raw.channel, 1))
    assert raw.error() == CtapError.ERR.INVALID_SEQ
    raw.send(first(raw.channel, CTAPHID.PING, 200), first(raw.channel, CTAPHID.PING, 200))
    assert raw.error() == CtapError.ERR.INVALID_SEQ
    raw.send(packet(raw.channel, 0), first(raw.channel, CTAPHID.PING, 1, b"x"))
    assert raw.program.read_packet()[7:8] == b"x", "what belongs to nothing is ignored"


@case("hid", "a message that does not go on times out")
def times_out(key):
    raw = Raw(key)
    begun = time.monotonic()
    raw.send(first(raw.channel, CTAPHID.PING, 200))
    assert raw.error() == CtapError.ERR.TIMEOUT
    assert time.monotonic() - begun >= 0.5


@case("hid", "INIT on a channel begins anew")
def resync(key):
    raw = Raw(key)
    raw.send(first(raw.channel, CTAPHID.PING, 200), first(raw.channel, CTAPHID.INIT, 8, b"12345678"))
    reply = raw.program.read_packet()
    assert reply[7:15] == b"12345678" and struct.unpack_from(">I", reply, 15)[0] == raw.channel
    raw.send(first(raw.channel, CTAPHID.PING, 1, b"x"))
    assert raw.program.read_packet()[7:8] == b"x"


@case("hid", "packets of two programs in between each other")
def interleaved(key):
    one, two = Raw(key), Raw(key)
    one.send(first(one.channel, CTAPHID.PING, 100, b"a" * 57))
    two.send(first(two.channel, CTAPHID.PING, 100, b"b" * 57))
    assert two.error() == CtapError.ERR.CHANNEL_BUSY
    two.send(packet(two.channel, 0, b"b" * 43))
    assert Raw(key).channel not in (one.channel, two.channel), "a third may come meanwhile"
    one.send(packet(one.channel, 0, b"a" * 43))
    reply = one.program.read_packet()[7:] + one.program.read_packet()[5:]
    assert reply[:100] == b"a" * 100


@case("hid", "CANCEL without anything to cancel is ignored")
def cancel_nothing(key):
    raw = Raw(key)
    raw.send(first(raw.channel, CTAPHID.CANCEL, 0), first(raw.channel, CTAPHID.PING, 1, b"x"))
    assert raw.program.read_packet()[7:8] == b"x"


@case("hid", "U2F messages are refused in U2F's words")
def u2f(key):
    device = key.device()
    assert device.call(CTAPHID.MSG, bytes([0, 3, 0, 0, 0, 0, 0])) == b"\x6d\x00"
    assert device.call(CTAPHID.MSG, bytes([0, 2, 7, 0, 0, 0, 65]) + bytes(65)) == b"\x6a\x80"
