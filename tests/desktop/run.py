"""Every page and every case, on a display of its own. Prints a table; fails if one fails or is missing.

Arguments: the program, how many rows there have to be, and a folder if pictures for the documentation are to be written.
"""

import os
import subprocess
import sys
import time
import traceback

from cases import CASES, code_is
from pages import BACKGROUNDS, BOTH_THEMES, CODE, PAGES
import tree
from window import Display, Window, until


def corner(picture):
    """The colour of a pixel of the background."""
    command = ["/usr/bin/convert", "png:-", "-crop", "1x1+4+4", "-depth", "8", "rgb:-"]
    return tuple(subprocess.run(command, input=picture, check=True, capture_output=True).stdout)


def keep(picture, folder, name):
    """Few colours, no dates."""
    path = os.path.join(folder, f"{name}.png")
    options = ["-dither", "None", "-colors", "48", "-strip", "-define", "png:compression-level=9"]
    subprocess.run(["/usr/bin/convert", "png:-", *options, f"png8:{path}"], input=picture, check=True)


def page(program, display, folder, name, documented, events):
    seen = set()
    for theme, background in BACKGROUNDS.items():
        window = Window(program, display, *events, theme=theme)
        if name.startswith("code"):
            code_is(window, CODE)
        picture = window.picture()
        assert corner(picture) == background, f"{theme}: {corner(picture)}"
        seen.add(picture)
        if folder and documented and (theme == "light" or name in BOTH_THEMES):
            keep(picture, folder, name if theme == "light" else f"{name}-dark")
        window.close()
    return seen


def pages(program, display, folder):
    """One row a page; no two pages look alike."""
    seen = set()
    for name, documented, events in PAGES:

        def look(name=name, documented=documented, events=events):
            pictures = page(program, display, folder, name, documented, events)
            assert len(pictures) == 2 and not pictures & seen, "looks like another page"
            seen.update(pictures)

        yield "page", name, look


def rows(program, display, folder):
    yield from pages(program, display, folder)
    for title, function in CASES:
        yield "case", title, lambda function=function: function(program, display)


def first_picture(program, display):
    """Milliseconds from the start of the process to the code on the screen, of five starts, the shortest first."""

    def code_shown():
        """the code is on the screen"""
        shown = display.window()
        return shown and white(shown)

    times = []
    for _ in range(5):
        window = Window(program, display, *PAGES[3][2], theme="dark")
        until(code_shown, every=0.001)
        times.append((time.monotonic() - window.begun) * 1000)
        window.close()
    return sorted(times)


def white(window):
    """Whether the paper of the code is there: it is the only white in a dark window."""
    size = window.get_geometry()
    try:
        row = window.get_image(0, size.height // 2, size.width, 1, 2, 0xFFFFFFFF).data
    except Exception:  # Not all of it is on the screen yet.
        return False
    return b"\xff\xff\xff" in row


def main():
    program, expected = sys.argv[1], int(sys.argv[2])
    folder = sys.argv[3] if len(sys.argv) > 3 else None
    assert tree
    display = Display()
    print("The window of the desktop, on a display without a graphics processor")
    failed = count = 0
    begun_all = time.monotonic()
    for kind, title, check in rows(program, display, folder):
        begun, verdict = time.monotonic(), "ok"
        try:
            check()
        except Exception as error:
            failed += 1
            verdict = f"FAILED: {error!r}"
            traceback.print_exc()
            display.clear()
        count += 1
        print(f"  {kind}  {title:100}  {time.monotonic() - begun:6.2f} s  {verdict}", flush=True)
    times = first_picture(program, display)
    print(f"  from the start of the process to the code on the screen: {times[0]:.0f} to {times[-1]:.0f} ms")
    display.close()
    if failed or count != expected:
        sys.exit(f"FAILED: {failed} of {count} rows failed, and there have to be {expected}")
    print(f"  {count} of {expected} rows in {time.monotonic() - begun_all:.0f} s: ok")


if __name__ == "__main__":
    main()
