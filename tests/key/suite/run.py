"""Runs every case, each with a key of its own, and prints a table. Fails if one fails or is missing.

Arguments: the program with the key, and how many cases there have to be.
"""

import sys
import time
import traceback

# In the order in which they are run.
import hid_cases
import ctap_cases
import client_cases
import libfido2_cases
from cases import CASES
from device import Key


def run(program, function):
    key = Key(program)
    function(key)
    key.close()


def main():
    program, expected = sys.argv[1], int(sys.argv[2])
    assert all((hid_cases, ctap_cases, client_cases, libfido2_cases))
    print("The virtual security key and programs of others")
    failed = 0
    for group, title, function in CASES:
        begun, verdict = time.monotonic(), "ok"
        try:
            run(program, function)
        except Exception as error:
            failed += 1
            verdict = f"FAILED: {error!r}"
            traceback.print_exc()
        print(f"  {group:8}  {title:96}  {time.monotonic() - begun:6.2f} s  {verdict}", flush=True)
    if failed or len(CASES) != expected:
        sys.exit(f"FAILED: {failed} of {len(CASES)} cases failed, and there have to be {expected}")
    print(f"  {len(CASES)} of {expected} cases: ok")


if __name__ == "__main__":
    main()
