"""Write docs/cli.md from the help of every command. `make docs` runs it; a test fails when the page is stale."""

from pathlib import Path

from mag7cli.cli.reference_page import reference_markdown

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"

if __name__ == "__main__":
    PAGE.write_text(reference_markdown() + "\n", encoding="utf-8")
