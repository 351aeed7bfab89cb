"""The real program on a display of its own: what it is told, what it answers, what is on the screen."""

import json
import os
import subprocess
import threading
import time
import queue

from Xlib import X, display as xlib_display, protocol

PATIENCE = 10.0


def until(condition, patience=PATIENCE, every=0.02):
    """The first value of `condition` that is true in the sense of Python."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"did not come about within {patience:g} s: {condition.__doc__ or condition}")
        time.sleep(every)


class Display:
    """Xvfb, and a connection to it."""

    def __init__(self):
        read, write = os.pipe()
        command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1000x1500x24", "-nolisten", "tcp"]
        self.process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as number:
            self.name = f":{number.readline().strip()}"
        os.environ["DISPLAY"] = self.name
        self.connection = xlib_display.Display(self.name)
        self.programs = []

    def window(self):
        """The window of the program, once it is on the screen."""
        for window in self.connection.screen().root.query_tree().children:
            try:
                names = window.get_wm_class()
                if names and "hybridge-desktop" in names and window.get_attributes().map_state == X.IsViewable:
                    return window
            except Exception:  # It went away while it was looked at.
                continue
        return None

    def clear(self):
        """Ends what a case that failed has left behind."""
        while self.programs:
            self.programs.pop().kill()
        until(lambda: not self.window())

    def close(self):
        self.connection.close()
        self.process.terminate()
        self.process.wait()


class Window:
    """`hybridge-desktop window`."""

    def __init__(self, program, display, *events, theme=None, environment=None):
        self.display = display
        command = [program, "window"] + (["--theme", theme] if theme else [])
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}
        )
        display.programs.append(self.process)
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        for event in events:
            self.tell(event)

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.decode().rstrip("\n"))
        self.lines.put(None)

    def tell(self, event):
        """Passes an event, or a line as it is."""
        line = event if isinstance(event, bytes) else json.dumps(event).encode()
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def answer(self):
        """The next line; None when there are no more."""
        return self.lines.get(timeout=PATIENCE)

    def shown(self):
        """The window on the screen, with the keyboard."""
        window = until(self.display.window)
        window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self.display.connection.sync()
        return window

    def press(self, *keys):
        """Types, when what is there has been there for long enough to be meant."""
        self.shown()
        time.sleep(0.7)
        for key in keys:
            subprocess.run(["xdotool", "key", key], check=True)
            time.sleep(0.15)

    def press_close(self):
        """What the cross of a window's frame does."""
        window, atom = self.shown(), self.display.connection.intern_atom
        data = (32, [atom("WM_DELETE_WINDOW"), X.CurrentTime, 0, 0, 0])
        event = protocol.event.ClientMessage(window=window, client_type=atom("WM_PROTOCOLS"), data=data)
        window.send_event(event)
        self.display.connection.flush()

    def picture(self):
        """What is on the screen, as a PNG file, when it has come to rest."""
        window = self.shown()

        def drawn():
            """there is something on the window"""
            return any(window.get_image(4, 4, 1, 1, X.ZPixmap, 0xFFFFFFFF).data[:3])

        until(drawn)
        command = ["import", "-window", str(window.id), "png:-"]
        last = [subprocess.run(command, check=True, capture_output=True).stdout]

        def at_rest():
            """the picture stays the same"""
            time.sleep(0.05)
            picture = subprocess.run(command, check=True, capture_output=True).stdout
            same, last[0] = picture == last[0], picture
            return picture if same else None

        return until(at_rest)

    def code(self):
        """The text of the code on the screen as zbar reads it; None if there is none."""
        window = self.shown()
        command = f"import -window {window.id} png:- | zbarimg --quiet --raw --nodbus -"
        read = subprocess.run(command, shell=True, capture_output=True, text=True)
        return read.stdout.strip() or None

    def ended(self):
        """The exit code, once there is one."""
        return self.process.wait(timeout=PATIENCE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        until(lambda: not self.display.window())
