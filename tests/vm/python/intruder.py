"""A program of the person at the screen that would rather have a keyboard than a security key: it sends the helper what
/dev/uhid takes, at the given socket. The only device that ever appears is the security key."""

import os
import socket
import struct
import sys
import time

DEVICES = "/sys/bus/hid/devices"
SECURITY_KEY = ":1209:000F."
BUS_USB, UHID_CREATE2, UHID_INPUT2 = 3, 11, 12
# A boot keyboard of 8 bytes without report numbers.
KEYBOARD = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810395067508150025650507190029658100c0"
)
LONG = 20


def devices():
    return sorted(os.listdir(DEVICES))


def eventually(holds):
    deadline = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < deadline, devices()
        time.sleep(0.05)


def is_one_security_key():
    found = devices()
    return len(found) == 1 and SECURITY_KEY in found[0]


def create_keyboard():
    names = b"keyboard".ljust(128, b"\0") + bytes(64) + bytes(64)
    head = struct.pack("<HHIIII", len(KEYBOARD), BUS_USB, 1, 2, 0, 0)
    return struct.pack("<I", UHID_CREATE2) + names + head + KEYBOARD.ljust(4096, b"\0")


def press_a():
    report = bytes([0, 0, 4, 0, 0, 0, 0, 0])
    return struct.pack("<IH", UHID_INPUT2, len(report)) + report.ljust(4096, b"\0")


def connect(path):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(LONG)
    connection.connect(path)
    eventually(is_one_security_key)
    return connection


def is_cut_off(path, packet):
    """Sends one packet that is no report. The helper ends the connection, and the device goes with it."""
    connection = connect(path)
    connection.send(packet)
    try:
        assert connection.recv(128) == b"", "the helper went on"
    except (ConnectionResetError, BrokenPipeError):
        pass
    eventually(lambda: not devices())


def is_a_report(path, packet):
    """64 bytes are a report of the security key, whatever they spell."""
    connection = connect(path)
    connection.send(packet)
    time.sleep(0.5)
    assert is_one_security_key(), devices()
    connection.close()
    eventually(lambda: not devices())


def main():
    path = sys.argv[1]
    try:
        open("/dev/uhid", "wb")
    except PermissionError:
        pass
    else:
        raise AssertionError("this user needs no helper")
    is_a_report(path, create_keyboard()[:64])
    is_cut_off(path, create_keyboard())
    is_cut_off(path, press_a())
    is_cut_off(path, create_keyboard()[:63])
    is_cut_off(path, bytes([0]))


if __name__ == "__main__":
    main()
