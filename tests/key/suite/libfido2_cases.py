"""Whole ceremonies with libfido2, by its C interface with transport functions of our own."""

import ctypes
import ctypes.util
import os
import queue
import struct

from cases import case
from device import BROADCAST, LONG, REPORT

LIBRARY = ctypes.CDLL(ctypes.util.find_library("fido2") or "libfido2.so.1")
ES256 = -7
FIDO_OPT_TRUE = 2
NO_CREDENTIALS, EXCLUDED = 0x2E, 0x19
HASH = bytes(range(32))
SITE = b"ssh:"

OPEN = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)
CLOSE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
READ = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_ubyte), ctypes.c_size_t, ctypes.c_int)
WRITE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(ctypes.c_ubyte), ctypes.c_size_t)


class Functions(ctypes.Structure):
    _fields_ = [("open", OPEN), ("close", CLOSE), ("read", READ), ("write", WRITE)]


for name, result in {
    "fido_dev_new": ctypes.c_void_p,
    "fido_cred_new": ctypes.c_void_p,
    "fido_assert_new": ctypes.c_void_p,
    "fido_cred_id_ptr": ctypes.c_void_p,
    "fido_cred_id_len": ctypes.c_size_t,
    "fido_cred_pubkey_ptr": ctypes.c_void_p,
    "fido_cred_pubkey_len": ctypes.c_size_t,
    "fido_cred_fmt": ctypes.c_char_p,
    "fido_assert_count": ctypes.c_size_t,
    "es256_pk_new": ctypes.c_void_p,
}.items():
    getattr(LIBRARY, name).restype = result


def call(name, *arguments):
    """Calls a function and gives its status."""
    plain = [ctypes.c_void_p(a) if isinstance(a, int) and a > 0xFFFFFFFF else a for a in arguments]
    return getattr(LIBRARY, name)(*plain)


def done(name, *arguments):
    status = call(name, *arguments)
    assert status == 0, f"{name}: {status:#x}"


class Device:
    """A device that libfido2 has open."""

    def __init__(self, key):
        LIBRARY.fido_init(0)
        self._program = key.connect()
        self._functions = Functions(OPEN(lambda _: 1), CLOSE(lambda _: None), READ(self._read), WRITE(self._write))
        self.handle = call("fido_dev_new")
        done("fido_dev_set_io_functions", self.handle, ctypes.byref(self._functions))
        done("fido_dev_open", self.handle, b"virtual")

    def _read(self, _, buffer, length, milliseconds):
        try:
            packet = self._program._packets.get(timeout=LONG if milliseconds < 0 else milliseconds / 1000)
        except queue.Empty:
            return -1
        ctypes.memmove(buffer, packet, REPORT)
        return REPORT

    def _write(self, _, buffer, length):
        # The number of the report comes first, as with a device of the kernel.
        data = bytes(buffer[:length])
        assert length == REPORT + 1 and data[0] == 0
        self._program.write_packet(data[1:])
        return length


def make(device, exclude=()):
    credential = call("fido_cred_new")
    done("fido_cred_set_type", credential, ES256)
    done("fido_cred_set_clientdata_hash", credential, HASH, 32)
    done("fido_cred_set_rp", credential, SITE, b"ssh")
    done("fido_cred_set_user", credential, b"\x01", 1, b"ada", b"Ada", None)
    for credential_id in exclude:
        done("fido_cred_exclude", credential, credential_id, len(credential_id))
    done("fido_cred_set_rk", credential, FIDO_OPT_TRUE)
    return credential, call("fido_dev_make_cred", device.handle, credential, None)


def credential_id(credential):
    return ctypes.string_at(call("fido_cred_id_ptr", credential), call("fido_cred_id_len", credential))


def sign(device, allowed):
    assertion = call("fido_assert_new")
    done("fido_assert_set_clientdata_hash", assertion, HASH, 32)
    done("fido_assert_set_rp", assertion, SITE)
    for each in allowed:
        done("fido_assert_allow_cred", assertion, each, len(each))
    return assertion, call("fido_dev_get_assert", device.handle, assertion, None)


def verify(credential, assertion):
    key = call("es256_pk_new")
    done(
        "es256_pk_from_ptr", key,
        ctypes.c_void_p(call("fido_cred_pubkey_ptr", credential)),
        ctypes.c_size_t(call("fido_cred_pubkey_len", credential)),
    )
    done("fido_assert_verify", assertion, ctypes.c_size_t(0), ES256, key)


@case("libfido2", "opens the device as one of FIDO2, without U2F and PIN")
def opens(key):
    device = Device(key)
    assert call("fido_dev_is_fido2", device.handle) & 0xFF == 1
    assert call("fido_dev_supports_pin", device.handle) & 0xFF == 0
    key.quiet()


@case("libfido2", "registers and signs in as ssh does, and verifies both")
def ceremony(key):
    device = Device(key)
    credential, status = make(device)
    assert status == 0, f"{status:#x}"
    assert call("fido_cred_fmt", credential) == b"none"
    assertion, status = sign(device, [credential_id(credential)])
    assert status == 0, f"{status:#x}"
    assert call("fido_assert_count", assertion) == 1
    verify(credential, assertion)


@case("libfido2", "an allow list of 64, the right one last; and lists without it")
def lists(key):
    device = Device(key)
    credential, status = make(device)
    assert status == 0
    strangers = [os.urandom(32) for _ in range(63)]
    assertion, status = sign(device, strangers + [credential_id(credential)])
    assert status == 0, f"{status:#x}"
    verify(credential, assertion)
    assert sign(device, strangers)[1] == NO_CREDENTIALS
    assert make(device, [credential_id(credential)])[1] == EXCLUDED


@case("libfido2", "a touch among several keys is a click")
def touch(key):
    device = Device(key)
    done("fido_dev_get_touch_begin", device.handle)
    key.expect("touch")
    touched = ctypes.c_int(0)
    done("fido_dev_get_touch_status", device.handle, ctypes.byref(touched), 300)
    assert touched.value == 0
    key.order("touch yes")
    for _ in range(200):
        done("fido_dev_get_touch_status", device.handle, ctypes.byref(touched), 300)
        if touched.value:
            return
    raise AssertionError("the click was not noticed")
