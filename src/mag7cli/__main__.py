"""Entry point of `mag7` and of `python -m mag7cli`."""

import gc
import os
import sys

_OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main() -> None:
    """Run the command line."""
    # What is imported stays; to look through it for garbage takes a twentieth of a short command.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    # NumPy starts a thread for each core to multiply matrices, of which there are none here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from mag7cli.cli import app

        app()
    except KeyboardInterrupt:  # before the command line could catch it, or after
        sys.exit(130)


if __name__ == "__main__":
    main()
