"""What the window does, on a real display with a real keyboard."""

import os
import subprocess
import time

from pages import CODE, OFF, SHOWN, TOUCH, WANTED, step
from window import Window, until

CASES = []


def case(title):
    def add(function):
        CASES.append((title, function))
        return function

    return add


def code_is(window, text):
    def condition():
        return window.code() == text

    condition.__doc__ = "the code on the screen is another one" if text else "the code is still on the screen"
    return until(condition)


@case("the code on the screen decodes, in both themes, with one and with two pixels a point")
def code_decodes(program, display):
    for theme in ["light", "dark"]:
        for scale in ["1", "2"]:
            environment = {"WINIT_X11_SCALE_FACTOR": scale}
            window = Window(program, display, WANTED, SHOWN, theme=theme, environment=environment)
            code_is(window, CODE)
            window.close()


@case("the code leaves the screen with code-hidden, with phone-nearby and at the end")
def code_goes(program, display):
    for event in [step("code-hidden"), step("phone-nearby"), step("done"), step("cancelled")]:
        window = Window(program, display, WANTED, SHOWN)
        code_is(window, CODE)
        window.tell(event)
        code_is(window, None)
        window.close()


@case("a later code takes the place of an earlier one")
def code_changes(program, display):
    window = Window(program, display, WANTED, SHOWN)
    code_is(window, CODE)
    window.tell({**SHOWN, "code": CODE[:-3] + "777"})
    code_is(window, CODE[:-3] + "777")
    window.close()


@case("the countdown is drawn once a second")
def countdown(program, display):
    window = Window(program, display, WANTED, {**SHOWN, "seconds": 30})
    first = window.picture()
    until(lambda: window.picture() != first)
    window.close()


def switches(pid):
    """How often the process has gone to sleep, all threads together."""
    count = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/status") as status:
            count += sum(int(line.split()[1]) for line in status if line.startswith("voluntary"))
    return count


@case("a window at rest sleeps")
def sleeps(program, display):
    window = Window(program, display, WANTED, step("connected"))
    window.picture()
    time.sleep(1)
    before = switches(window.process.pid)
    time.sleep(3)
    woken = switches(window.process.pid) - before
    assert woken <= 3, f"woken {woken} times in 3 s"
    window.close()


@case("by keyboard: Tab and Enter agree to a touch, Enter alone does not, Escape cancels")
def keyboard(program, display):
    for keys, answer in [(["Tab", "Return"], "y"), (["Return"], ""), (["Escape"], ""), (["Tab", "space"], "y")]:
        window = Window(program, display, TOUCH)
        window.press(*keys)
        assert window.answer() == answer, keys
        if answer == "":
            assert window.ended() == 0 and window.answer() is None
        window.close()


@case("a key that was pressed while the question came up answers nothing")
def early_key(program, display):
    window = Window(program, display, TOUCH)
    window.shown()
    subprocess.run(["xdotool", "key", "Tab", "key", "Return"], check=True)
    time.sleep(0.8)
    assert window.process.poll() is None and window.lines.empty()
    window.close()


@case("by pointer: a click agrees to a touch")
def pointer(program, display):
    window = Window(program, display, TOUCH)
    size = window.shown().get_geometry()
    time.sleep(0.7)
    place = [str(size.width * 3 // 4), str(size.height - 39)]
    subprocess.run(["xdotool", "mousemove", *place, "click", "1"], check=True)
    assert window.answer() == "y"
    window.close()
    subprocess.run(["xdotool", "mousemove", "990", "1490"], check=True)


@case("closing the window is one empty line, and the program ends")
def closing(program, display):
    for events in [[TOUCH], [WANTED, SHOWN], [WANTED, step("waiting-for-approval")]]:
        window = Window(program, display, *events)
        window.press_close()
        assert window.answer() == ""
        assert window.answer() is None and window.ended() == 0
        window.close()


@case("closing an error page answers nothing")
def closing_error(program, display):
    window = Window(program, display, OFF)
    window.press_close()
    assert window.answer() is None and window.ended() == 0
    window.close()


@case("Bluetooth is switched on from the window, and it is tried again")
def bluetooth(program, display):
    window = Window(program, display, WANTED, OFF)
    window.press("Return")
    assert window.answer() == "bluetooth-on"
    window.tell({"event": "bluetooth", "on": True})
    window.press("Return")
    assert window.answer() == "retry"
    window.tell(SHOWN)
    code_is(window, CODE)
    window.close()


@case("remembered phones are called")
def phones(program, display):
    remembered = {"event": "remembered-phones", "phones": [{"id": 3, "name": "Pixel"}, {"id": 5, "name": "Old"}]}
    window = Window(program, display, WANTED, SHOWN, remembered)
    window.press("Tab", "Tab", "Return")
    assert window.answer() == "phone 5"
    window.close()


@case("at the end of the input a question closes without an answer, an error stays, a result goes by itself")
def end_of_input(program, display):
    window = Window(program, display, TOUCH)
    window.shown()
    window.process.stdin.close()
    assert window.answer() is None and window.ended() == 0
    error = Window(program, display, OFF)
    error.shown()
    error.process.stdin.close()
    time.sleep(1)
    assert error.process.poll() is None
    error.close()
    result = Window(program, display, WANTED, step("done"))
    result.shown()
    result.process.stdin.close()
    assert result.ended() == 0
    until(lambda: not display.window())


@case("lines that are no events, and one of 100 KiB, are passed over")
def rubbish(program, display):
    lines = [b"", b"{", b"\xff\xfe", b"[1]", b'{"event":"later"}', b'{"event":"code"}', b'{"x":"' + b"y" * 102400 + b'"}']
    window = Window(program, display, *lines, WANTED, SHOWN)
    code_is(window, CODE)
    window.close()


@case("without a display: exit code 3 and what to do; wrong usage: 2")
def no_display(program, display):
    bare = {name: value for name, value in os.environ.items() if name not in ["DISPLAY", "WAYLAND_DISPLAY"]}
    for environment in [bare, {**bare, "DISPLAY": ":4711"}]:
        ended = subprocess.run([program, "window"], env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        assert ended.returncode == 3 and "desktop session" in ended.stderr, ended.stderr
        assert ended.stderr.count("\n") == 1, ended.stderr
    assert subprocess.run([program, "window", "--theme", "pink"], capture_output=True).returncode == 2


@case("it opens without a session bus")
def no_bus(program, display):
    environment = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"}
    window = Window(program, display, WANTED, SHOWN, environment=environment)
    code_is(window, CODE)
    window.close()
