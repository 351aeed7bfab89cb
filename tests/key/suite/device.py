"""The virtual security key as a process, and connections to it for python-fido2 and libfido2."""

import json
import queue
import socket
import struct
import subprocess
import tempfile
import threading
from pathlib import Path

from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor

REPORT = 64
BROADCAST = 0xFFFFFFFF
# Far longer than anything takes.
LONG = 60


class Key:
    """The key, its person and phone. What happens is kept until somebody asks for it."""

    def __init__(self, program):
        self._folder = tempfile.TemporaryDirectory()
        path = str(Path(self._folder.name) / "key.sock")
        self._process = subprocess.Popen(
            [program, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._done = queue.Queue()
        self.events = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        assert self.event()["event"] == "ready"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(path)
        self._programs = []
        threading.Thread(target=self._dispatch, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            event = json.loads(line)
            (self._done if event["event"] == "done" else self.events).put(event)

    def _dispatch(self):
        """Gives each program its packets. The kernel gives all to everybody, which python-fido2 does not take."""
        while packet := self._socket.recv(REPORT + 1):
            for program in list(self._programs):
                program.hear(packet)

    def order(self, text):
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()
        return self._done.get(timeout=LONG)

    def event(self):
        return self.events.get(timeout=LONG)

    def expect(self, name):
        event = self.event()
        assert event["event"] == name, event
        return event

    def quiet(self):
        assert self.events.empty(), self.events.get()

    def write(self, packet):
        assert self._socket.send(packet) == REPORT

    def connect(self):
        program = Program(self)
        self._programs.append(program)
        return program

    def forget(self, program):
        self._programs.remove(program)

    def device(self):
        """A device as python-fido2 sees it, on a channel of its own."""
        descriptor = HidDescriptor("virtual", 0x1209, 0x000F, REPORT, REPORT, "Hybridge", None)
        return CtapHidDevice(descriptor, self.connect())

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._process.stdin.close()
        assert self._process.wait(timeout=LONG) == 0
        self._folder.cleanup()


class Program(CtapHidConnection):
    """One program that has the device open."""

    def __init__(self, key):
        self._key = key
        self._packets = queue.Queue()
        self._channel = BROADCAST
        self._nonce = b""

    def hear(self, packet):
        channel = struct.unpack_from(">I", packet)[0]
        # A channel is given to whoever asked for it.
        others = channel == BROADCAST and packet[4] == 0x86 and packet[7:15] != self._nonce
        if channel == self._channel and not others:
            self._packets.put(packet)

    def read_packet(self):
        return self._packets.get(timeout=LONG)

    def write_packet(self, data):
        self._channel = struct.unpack_from(">I", data)[0]
        self._nonce = bytes(data[7:15])
        self._key.write(bytes(data))

    def close(self):
        self._key.forget(self)
