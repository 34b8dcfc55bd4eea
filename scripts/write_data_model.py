"""Write docs/data-model.md from the declared tables. `make docs` runs it; a test fails when the page is stale."""

from pathlib import Path

from mag7cli.tables.schema import data_model_markdown

PAGE = Path(__file__).parents[1] / "docs" / "data-model.md"

if __name__ == "__main__":
    PAGE.write_text(data_model_markdown(), encoding="utf-8")
