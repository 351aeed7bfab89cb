"""libfido2 signs in with the right passkey last in a long list, which it sends as it is. Takes the device, the passkey's
ID in base64, its relying party and the PEM file of its key. Needs a phone once."""

import base64
import ctypes
import os
import sys
from pathlib import Path

HASH = bytes(range(32))
ES256 = -7
# It sends all of it without a pause; more than the kernel keeps (32 reports) may be lost on a busy machine.
LIST = 40
# Bytes at the end of a public key of P-256: its point.
POINT = 64

LIBRARY = ctypes.CDLL("libfido2.so.1")


def new(name):
    make = getattr(LIBRARY, name)
    make.restype = ctypes.c_void_p
    return ctypes.c_void_p(make())


def done(name, *arguments):
    plain = [ctypes.c_size_t(each) if isinstance(each, int) else each for each in arguments]
    status = getattr(LIBRARY, name)(*plain)
    assert status == 0, f"{name}: {status:#x}"


def point_of(file):
    lines = [line for line in Path(file).read_text().splitlines() if not line.startswith("-----")]
    return base64.b64decode("".join(lines))[-POINT:]


def main():
    path, passkey, site, file = sys.argv[1:]
    allowed = [os.urandom(16) for _ in range(LIST - 1)] + [base64.b64decode(passkey)]
    LIBRARY.fido_init(0)
    device, assertion, key = (new(name) for name in ("fido_dev_new", "fido_assert_new", "es256_pk_new"))
    done("fido_dev_open", device, path.encode())
    done("fido_assert_set_clientdata_hash", assertion, HASH, len(HASH))
    done("fido_assert_set_rp", assertion, site.encode())
    for each in allowed:
        done("fido_assert_allow_cred", assertion, each, len(each))
    done("fido_dev_get_assert", device, assertion, None)
    point = point_of(file)
    done("es256_pk_from_ptr", key, point, len(point))
    done("fido_assert_verify", assertion, 0, ctypes.c_int(ES256), key)
    done("fido_dev_close", device)


if __name__ == "__main__":
    main()
