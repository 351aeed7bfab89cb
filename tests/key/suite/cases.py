"""The list of cases."""

from fido2.ctap import CtapError

CASES = []


def case(group, title):
    """Adds a case: a function that gets a key of its own."""

    def add(function):
        CASES.append((group, title, function))
        return function

    return add


def refused(code, call):
    """The call ends with this status."""
    try:
        call()
    except CtapError as error:
        assert error.code == code, error
        return
    raise AssertionError(f"nothing was refused, where {code!r} belongs")
