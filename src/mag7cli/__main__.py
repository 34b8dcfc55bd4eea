"""Entry point of `mag7` and of `python -m mag7cli`."""

import sys


def main() -> None:
    """Run the command line."""
    try:
        from mag7cli.cli import app

        app()
    except KeyboardInterrupt:  # before the command line could catch it, or after
        sys.exit(130)


if __name__ == "__main__":
    main()
