"""python-fido2 finds the virtual security key among the kernel's devices, registers, and signs in with the right passkey
last in a long list, about which it asks in pieces beforehand. Needs a phone twice."""

import os

from fido2.attestation import AttestationType, PackedAttestation
from fido2.client import DefaultClientDataCollector, Fido2Client, UserInteraction
from fido2.hid import CtapHidDevice
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    PublicKeyCredentialDescriptor,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)

SITE = "python.example"
LIST = 100
VERIFIED = UserVerificationRequirement.REQUIRED


def verify_attestation(attestation, client_data_hash):
    assert attestation.fmt == "packed", attestation.fmt
    result = PackedAttestation().verify(attestation.att_stmt, attestation.auth_data, client_data_hash)
    assert result.attestation_type == AttestationType.SELF, result


def register(client, server):
    user = PublicKeyCredentialUserEntity(id=b"python", name="ada", display_name="Ada")
    options, state = server.register_begin(user, user_verification=VERIFIED)
    return server.register_complete(state, client.make_credential(options.public_key)).credential_data


def sign_in(client, server, passkey, allowed):
    kind = PublicKeyCredentialType.PUBLIC_KEY
    descriptors = [PublicKeyCredentialDescriptor(type=kind, id=each) for each in allowed]
    options, state = server.authenticate_begin(descriptors, user_verification=VERIFIED)
    response = client.get_assertion(options.public_key).get_response(0)
    signed = server.authenticate_complete(state, [passkey], response)
    assert signed.credential_id == passkey.credential_id


def main():
    [device] = CtapHidDevice.list_devices()
    assert (device.descriptor.vid, device.descriptor.pid) == (0x1209, 0x000F), device.descriptor
    site = PublicKeyCredentialRpEntity(id=SITE, name="Site")
    server = Fido2Server(
        site, attestation=AttestationConveyancePreference.DIRECT, verify_attestation=verify_attestation
    )
    collector = DefaultClientDataCollector(f"https://{SITE}")
    client = Fido2Client(device, collector, user_interaction=UserInteraction())
    passkey = register(client, server)
    allowed = [os.urandom(16) for _ in range(LIST - 1)] + [passkey.credential_id]
    sign_in(client, server, passkey, allowed)
    device.close()


if __name__ == "__main__":
    main()
