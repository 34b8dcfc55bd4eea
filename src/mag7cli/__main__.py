"""Entry point of `mag7` and of `python -m mag7cli`."""


def main() -> None:
    """Run the command line."""
    from mag7cli.cli import app

    app()


if __name__ == "__main__":
    main()
