"""Whole ceremonies with python-fido2's client and server."""

import os

from fido2.client import ClientError, DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.server import Fido2Server
from fido2.webauthn import (
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from cases import case

SITE = "site.example"
USER = PublicKeyCredentialUserEntity(id=b"user", name="ada", display_name="Ada")


class Site:
    """A website and its browser."""

    def __init__(self, key):
        rp = PublicKeyCredentialRpEntity(id=SITE, name="Site")
        self.server = Fido2Server(rp, verify_origin=lambda origin: origin == f"https://{SITE}")
        collector = DefaultClientDataCollector(f"https://{SITE}")
        self.client = Fido2Client(key.device(), collector, user_interaction=UserInteraction())
        self.passkeys = []

    def register(self, exclude=()):
        options, state = self.server.register_begin(
            USER,
            list(exclude),
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        response = self.client.make_credential(options.public_key)
        self.passkeys.append(self.server.register_complete(state, response).credential_data)

    def sign_in(self, allowed=None):
        options, state = self.server.authenticate_begin(
            allowed, user_verification=UserVerificationRequirement.REQUIRED
        )
        response = self.client.get_assertion(options.public_key).get_response(0)
        return self.server.authenticate_complete(state, self.passkeys, response)


def strangers(count):
    kind = PublicKeyCredentialType.PUBLIC_KEY
    return [PublicKeyCredentialDescriptor(type=kind, id=os.urandom(32)) for _ in range(count)]


def mine(site):
    return PublicKeyCredentialDescriptor(
        type=PublicKeyCredentialType.PUBLIC_KEY, id=site.passkeys[0].credential_id
    )


def ineligible(call):
    try:
        call()
    except ClientError as error:
        assert error.code == ClientError.ERR.DEVICE_INELIGIBLE, error
        return
    raise AssertionError("the phone should not have done it")


@case("client", "registers and signs in without a list, verified by a server")
def discoverable(key):
    site = Site(key)
    site.register()
    assert site.sign_in().credential_id == site.passkeys[0].credential_id


@case("client", "signs in with the right passkey last in lists of 1, 66, 68, 100 and 200")
def allow_lists(key):
    site = Site(key)
    site.register()
    for length in (1, 66, 68, 100, 200):
        allowed = strangers(length - 1) + [mine(site)]
        assert site.sign_in(allowed).credential_id == site.passkeys[0].credential_id


@case("client", "a list without any passkey of the phone: the phone says so")
def not_in_list(key):
    site = Site(key)
    site.register()
    ineligible(lambda: site.sign_in(strangers(3)))


@case("client", "registers over exclude lists of strangers of any length, and not over its own passkey")
def exclude_lists(key):
    site = Site(key)
    for length in (1, 67, 100):
        site.register(strangers(length))
    assert key.order("passkeys")["passkeys"] >= 1
    for length in (1, 67, 100, 134):
        ineligible(lambda: site.register(strangers(length - 1) + [mine_last(site)]))


def mine_last(site):
    return PublicKeyCredentialDescriptor(
        type=PublicKeyCredentialType.PUBLIC_KEY, id=site.passkeys[-1].credential_id
    )


@case("client", "selection by python-fido2")
def select(key):
    key.order("touch yes")
    Site(key).client.selection()
    key.expect("touch")
