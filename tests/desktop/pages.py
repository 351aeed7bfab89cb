"""Every page of the window: a name, whether the documentation shows it, and the events that lead to it."""

CODE = "FIDO:/" + "02130088762104223164011315291018003000920002015018060000010700150045000000000051" + "0" * 87 + "4"

PROGRAMS = [{"name": "firefox-esr", "pid": 4242}]
TOUCH = {"event": "touch-wanted", "programs": PROGRAMS}
WANTED = {
    "event": "phone-wanted",
    "operation": "get",
    "rp_id": "example.com",
    "user": "alice@example.com",
    "programs": PROGRAMS,
}
FROM_PAGE = {
    "event": "phone-wanted",
    "operation": "create",
    "rp_id": "example.com",
    "origin": "https://login.example.com",
    "programs": [{"name": "python3", "pid": 977}],
}
SHOWN = {"event": "code", "code": CODE, "rp_id": "example.com", "seconds": 90}
OFF = {
    "event": "failed",
    "kind": "no-radio",
    "radio": "bluetooth-off",
    "exit_code": 4,
    "message": "no Bluetooth adapter is switched on",
    "retry": True,
}


def step(name):
    return {"event": name}


def failed(kind, message, **members):
    return {"event": "failed", "kind": kind, "exit_code": 1, "message": message, **members}


# Name, whether it is in the documentation, events.
PAGES = [
    ("waiting", False, [{"event": "ready"}]),
    ("touch", True, [TOUCH]),
    ("preparing", False, [WANTED]),
    ("code", True, [WANTED, SHOWN]),
    ("code-from-page", False, [FROM_PAGE, SHOWN]),
    (
        "code-and-phones",
        False,
        [
            WANTED,
            SHOWN,
            {"event": "remembered-phones", "phones": [{"id": 1, "name": "Pixel 9"}, {"id": 2, "name": "Old phone"}]},
        ],
    ),
    ("searching", False, [WANTED, SHOWN, step("code-hidden")]),
    ("nearby", True, [WANTED, SHOWN, step("phone-nearby")]),
    ("connected", True, [WANTED, SHOWN, step("phone-nearby"), step("connected")]),
    ("approval", True, [WANTED, SHOWN, step("phone-nearby"), step("waiting-for-approval")]),
    ("done", True, [WANTED, step("done")]),
    ("saved", False, [FROM_PAGE, step("done")]),
    ("wink", False, [step("wink")]),
    ("bluetooth-off", True, [WANTED, OFF]),
    ("bluetooth-on", False, [WANTED, OFF, {"event": "bluetooth", "on": True}]),
    ("bluetooth-refused", False, [WANTED, OFF, {"event": "bluetooth", "on": False, "message": "blocked by a switch"}]),
    ("no-adapter", True, [failed("no-radio", "no Bluetooth adapter was found", radio="no-adapter")]),
    ("bluetooth-permission", False, [failed("no-radio", "org.bluez: access denied", radio="bluetooth-permission")]),
    ("bluetooth-service", False, [failed("no-radio", "org.bluez is not on the bus", radio="bluetooth-service")]),
    ("radio", False, [failed("no-radio", "the controller does not answer")]),
    ("tunnel-not-reached", True, [failed("tunnel-service", "cable.ua5v.com: no route", tunnel="not-reached", retry=True)]),
    ("tunnel-refused", False, [failed("tunnel-service", "cable.ua5v.com: status 503", tunnel="refused", retry=True)]),
    ("tunnel-certificate", False, [failed("tunnel-service", "cable.ua5v.com: expired", tunnel="certificate")]),
    ("tunnel", False, [failed("tunnel-service", "the tunnel service cannot be used")]),
    ("timed-out", True, [failed("timed-out", "nobody approved on a phone within 5m", retry=True)]),
    ("protocol", False, [failed("protocol", "the phone sent a frame that cannot be decrypted")]),
    ("refused", True, [{"event": "answered", "status": 0x27}]),
    ("no-passkey", False, [WANTED, {"event": "answered", "status": 0x2E}]),
    ("excluded", False, [FROM_PAGE, {"event": "answered", "status": 0x19}]),
    ("cancelled", False, [WANTED, step("cancelled")]),
    ("request", False, [failed("input", "the origin is not one of this relying party")]),
    ("gone", False, [step("gone")]),
    ("other", False, [failed("input-output", "the system gives this program no threads")]),
]

# Colour behind everything.
BACKGROUNDS = {"light": (0xFA, 0xFA, 0xFB), "dark": (0x1D, 0x1E, 0x21)}
# These are in the documentation in both themes.
BOTH_THEMES = {"code", "touch", "bluetooth-off"}
