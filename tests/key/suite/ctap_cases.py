"""CTAP2 commands, one at a time."""

import contextlib
import hashlib
import os
import queue
import threading

from fido2.cose import ES256
from fido2.ctap import STATUS, CtapError
from fido2.ctap2 import Ctap2, Info

from cases import case, refused

SITE = "site.example"
HASH = bytes(range(32))
ES256_ONLY = [{"type": "public-key", "alg": -7}]
USER = {"id": b"\x01\x02", "name": "ada", "displayName": "Ada"}


def create(ctap, exclude=None, rp_id=SITE, **more):
    return ctap.make_credential(HASH, {"id": rp_id, "name": "Site"}, USER, ES256_ONLY, exclude, **more)


def descriptor(credential_id):
    return {"type": "public-key", "id": credential_id}


def verify(passkey, assertion):
    """The signature is that of the passkey over the site's hash."""
    assertion.verify(HASH, passkey.auth_data.credential_data.public_key)
    assert assertion.auth_data.rp_id_hash == hashlib.sha256(SITE.encode()).digest()
    assert assertion.auth_data.is_user_verified() and assertion.auth_data.is_user_present()


@case("ctap", "getInfo is true for a phone, and opens no window")
def info(key):
    about = Ctap2(key.device()).info
    assert about.versions == ["FIDO_2_0", "FIDO_2_1"]
    assert about.options["uv"] and about.options["rk"] and about.options["up"]
    assert "clientPin" not in about.options and "pinUvAuthToken" not in about.options
    assert "hmac-secret" not in about.extensions
    assert about.max_creds_in_list >= 64 and about.max_cred_id_length == 1023
    assert about.max_msg_size == 7609
    assert "hybrid" in about.transports
    assert bytes(about.aaguid) == bytes(16)
    assert Info.from_dict(dict(about)) == about
    key.quiet()


@case("ctap", "a passkey is made and signs, with KEEPALIVE meanwhile")
def ceremony(key):
    ctap, waiting = Ctap2(key.device()), []
    passkey = create(ctap, on_keepalive=waiting.append, options={"rk": True})
    assert passkey.auth_data.credential_data.public_key.ALGORITHM == ES256.ALGORITHM
    assert STATUS.UPNEEDED in waiting
    asked = key.expect("phone")
    assert (asked["operation"], asked["rp_id"], asked["user"]) == ("create", SITE, "ada")
    key.expect("code")
    assert key.expect("over")["how"] == 0
    verify(passkey, ctap.get_assertion(SITE, HASH))
    assert key.expect("phone")["operation"] == "get"
    by_list = ctap.get_assertion(SITE, HASH, [descriptor(passkey.auth_data.credential_data.credential_id)])
    verify(passkey, by_list)


@case("ctap", "replies are as the phone gives them: none, excluded, refused")
def refusals(key):
    ctap = Ctap2(key.device())
    refused(CtapError.ERR.NO_CREDENTIALS, lambda: ctap.get_assertion(SITE, HASH))
    passkey = create(ctap, options={"rk": True})
    mine = descriptor(passkey.auth_data.credential_data.credential_id)
    refused(CtapError.ERR.CREDENTIAL_EXCLUDED, lambda: create(ctap, [mine]))
    key.order("phone refuse")
    refused(CtapError.ERR.OPERATION_DENIED, lambda: ctap.get_assertion(SITE, HASH))
    refused(CtapError.ERR.NOT_ALLOWED, lambda: ctap.get_assertion(SITE, HASH))


@case("ctap", "an allow list of 100, the right one last, probed in pieces")
def long_list(key):
    ctap = Ctap2(key.device())
    passkey = create(ctap, options={"rk": True})
    all_of_them = [descriptor(os.urandom(32)) for _ in range(99)]
    all_of_them.append(descriptor(passkey.auth_data.credential_data.credential_id))
    while not key.events.empty():
        key.event()
    size, answered = ctap.info.max_creds_in_list, None
    for begin in range(0, 100, size):
        try:
            answered = ctap.get_assertion(SITE, bytes(32), all_of_them[begin : begin + size], options={"up": False})
            break
        except CtapError as error:
            assert error.code == CtapError.ERR.NO_CREDENTIALS
    key.quiet()
    assert not answered.auth_data.is_user_present()
    assertion = ctap.get_assertion(SITE, HASH, [answered.credential])
    verify(passkey, assertion)
    assert assertion.credential["id"] == all_of_them[-1]["id"]


@case("ctap", "selection holds until a click; the dummies of browsers too")
def selection(key):
    ctap = Ctap2(key.device())
    key.order("touch yes")
    ctap.selection()
    key.order("touch no")
    refused(CtapError.ERR.OPERATION_DENIED, ctap.selection)
    key.order("touch yes")
    for rp_id, pin in ((".dummy", None), ("make.me.blink", b"")):
        refused(CtapError.ERR.PIN_NOT_SET, lambda: create(ctap, rp_id=rp_id, pin_uv_param=pin))
    for event in ("touch", "touch", "over", "touch", "touch"):
        key.expect(event)
    key.quiet()


@case("ctap", "CANCEL closes the window of a selection, and ends a session with a phone")
def cancel(key):
    ctap = Ctap2(key.device())
    key.order("scan no")
    for begin, opened in ((ctap.selection, "touch"), (lambda **kw: ctap.get_assertion(SITE, HASH, **kw), "phone")):
        stop = threading.Event()
        threading.Thread(target=lambda name=opened: (key.expect(name), stop.set())).start()
        refused(CtapError.ERR.KEEPALIVE_CANCEL, lambda: begin(event=stop))
        while (event := key.event())["event"] != "over":
            assert event["event"] == "code"
        assert event["how"] == "cancelled"


@case("ctap", "closing the window denies, and the key goes on")
def closed(key):
    ctap = Ctap2(key.device())
    key.order("scan no")
    threading.Thread(target=lambda: (key.expect("phone"), key.expect("code"), key.order("close"))).start()
    refused(CtapError.ERR.OPERATION_DENIED, lambda: create(ctap))
    key.order("scan yes")
    assert create(ctap, rp_id="other.example").auth_data.credential_data


@case("ctap", "a program that is killed while it waits ends its session")
def killed(key):
    key.order("scan no")
    ctap = Ctap2(key.device())
    def first_program():
        # Nothing comes back any more.
        with contextlib.suppress(queue.Empty):
            create(ctap)

    threading.Thread(target=first_program, daemon=True).start()
    key.expect("phone")
    key.expect("code")
    key.order("gone")
    assert key.expect("over")["how"] == "cancelled"
    key.order("scan yes")
    assert create(Ctap2(key.device())).auth_data.credential_data


@case("ctap", "a second program is busy until the first is done, and each gets its own answer")
def two(key):
    one, other = Ctap2(key.device()), Ctap2(key.device())
    key.order("scan no")
    ended = threading.Event()

    def first():
        refused(CtapError.ERR.OPERATION_DENIED, lambda: create(one))
        ended.set()

    threading.Thread(target=first).start()
    key.expect("phone")
    key.expect("code")
    key.order("scan yes")
    # python-fido2 asks again every 100 ms while the key is busy, and nothing is to be seen of that.
    threading.Timer(0.5, lambda: (key.quiet(), key.order("close"))).start()
    made = create(other, rp_id="other.example")
    assert ended.wait(10)
    assert made.auth_data.rp_id_hash == hashlib.sha256(b"other.example").digest()


@case("ctap", "reset, getNextAssertion and PINs are refused, and no window opens")
def others(key):
    ctap = Ctap2(key.device())
    refused(CtapError.ERR.NOT_ALLOWED, ctap.reset)
    refused(CtapError.ERR.NOT_ALLOWED, ctap.get_next_assertion)
    for command in (Ctap2.CMD.CLIENT_PIN, Ctap2.CMD.CREDENTIAL_MGMT, Ctap2.CMD.LARGE_BLOBS, Ctap2.CMD.CONFIG):
        refused(CtapError.ERR.INVALID_COMMAND, lambda: ctap.send_cbor(command, {1: 1}))
    refused(CtapError.ERR.NO_CREDENTIALS, lambda: ctap.get_assertion(SITE, bytes(32), options={"up": False}))
    app_id = "https://site.example/app-id.json"
    refused(
        CtapError.ERR.NO_CREDENTIALS,
        lambda: ctap.get_assertion(app_id, bytes(32), [descriptor(bytes(64))], options={"up": False}),
    )
    key.quiet()
