"""The window as assistive programs have it: names and roles on the accessibility bus."""

import subprocess
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

from cases import case  # noqa: E402
from pages import SHOWN, TOUCH, WANTED  # noqa: E402
from window import Window, until  # noqa: E402


def enable():
    """What a screen reader does when it starts."""
    for name in ["IsEnabled", "ScreenReaderEnabled"]:
        subprocess.run(
            "gdbus call --session --dest org.a11y.Bus --object-path /org/a11y/bus "
            f"--method org.freedesktop.DBus.Properties.Set org.a11y.Status {name} '<true>'",
            shell=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def nodes(pid):
    """All that the program has on the bus: role, name, object."""
    desktop = Atspi.get_desktop(0)
    desktop.clear_cache()
    found = []
    programs = [desktop.get_child_at_index(index) for index in range(desktop.get_child_count())]
    waiting = [program for program in programs if program and program.get_process_id() == pid]
    while waiting:
        node = waiting.pop()
        node.clear_cache()
        found.append((node.get_role_name(), node.get_name(), node))
        waiting.extend(filter(None, (node.get_child_at_index(index) for index in range(node.get_child_count()))))
    return found


def find(window, role, name):
    def condition():
        try:
            found = nodes(window.process.pid)
        except GLib.Error:  # It changed while it was read.
            return None
        return next((node for its_role, its_name, node in found if (its_role, its_name) == (role, name)), None)

    condition.__doc__ = f"{role} {name!r} is on the accessibility bus"
    return until(condition, every=0.1)


@case("headings, texts, the code and buttons are on the accessibility bus")
def on_the_bus(program, display):
    enable()
    window = Window(program, display, WANTED, SHOWN)
    window.shown()
    for role, name in [
        ("heading", "Sign in to example.com"),
        ("image", "QR code for your phone's camera"),
        ("label", "Asked by: firefox-esr (process 4242)"),
        ("push button", "Cancel"),
    ]:
        find(window, role, name)
    window.close()


@case("an assistive program can agree to a touch")
def pressed_over_the_bus(program, display):
    enable()
    window = Window(program, display, TOUCH)
    window.shown()
    button = find(window, "push button", "Use my phone")
    time.sleep(0.7)
    assert button.do_action(0)
    assert window.answer() == "y"
    window.close()
