"""Drives the built `fetch` from outside: python3 drive.py FETCH [part of a check's name …]

One line per check; the exit status is 1 when one of them failed.
"""

import signal
import sys
import time
import traceback

import command

import check_cache  # noqa: F401  each registers its checks
import check_input  # noqa: F401
import check_lines  # noqa: F401
import check_requests  # noqa: F401
import check_responses  # noqa: F401
import check_secure  # noqa: F401
import check_streams  # noqa: F401
import check_url  # noqa: F401


def main():
    # A test runner's thread may hold signals back, and children inherit that.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    command.BINARY = sys.argv[1]
    parts = sys.argv[2:]
    failures = 0
    for check in command.CHECKS:
        name = check.__name__.replace("_", " ")
        if parts and not any(part in name for part in parts):
            continue
        start = time.monotonic()
        try:
            check()
            print(f"ok    {name} ({time.monotonic() - start:.2f} s)", flush=True)
        except Exception as error:
            failures += 1
            print(f"FAIL  {name}: {error or type(error).__name__}", flush=True)
            if not isinstance(error, AssertionError):
                traceback.print_exc(file=sys.stdout)
    return 1 if failures else 0


sys.exit(main())
