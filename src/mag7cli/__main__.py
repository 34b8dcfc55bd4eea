"""Entry point of `mag7` and of `python -m mag7cli`."""

import gc
import os
import sys

# Not from typing, which takes as long to import as Python takes to start: type checkers know the name.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NoReturn

# More than an evening makes: to look through them once takes a fortieth of it.
_OBJECTS_BETWEEN_COLLECTIONS = 250_000


def main() -> "NoReturn":
    """Run the command line, and end the process."""
    # What is imported stays; to look through it for garbage takes a twentieth of a short command.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    # NumPy starts a thread for each core to multiply matrices, of which there are none here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from mag7cli.cli import app

        app()
        code = 0
    except KeyboardInterrupt:  # before the command line could catch it, or after
        code = 130
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        code = ended.code
    leave(code)


def leave(code: int) -> "NoReturn":
    """End as `sys.exit` does, but leave it to the system to take the memory back.

    Python would look through all objects for garbage and then free them one by one, which takes a tenth of an evening.
    What is registered for the end of the program runs, and what was printed is written. Where a thread still has work
    to do, or the output is closed, Python ends in its own way.
    """
    import atexit
    import threading

    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        sys.exit(code)
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # broken, closed, or never there
        sys.exit(code)
    os._exit(code)


if __name__ == "__main__":
    main()
