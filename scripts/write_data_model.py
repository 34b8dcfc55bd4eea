"""Write docs/data-model.md from the declared tables, and the keys of the raw document into docs/lake.md.

`make docs` runs it; a test fails when a page is stale.
"""

from pathlib import Path

from mag7cli.lake.document_keys import with_keys_table
from mag7cli.tables.schema import data_model_markdown

DOCS = Path(__file__).parents[1] / "docs"
PAGE, LAKE = DOCS / "data-model.md", DOCS / "lake.md"

if __name__ == "__main__":
    PAGE.write_text(data_model_markdown(), encoding="utf-8")
    LAKE.write_text(with_keys_table(LAKE.read_text(encoding="utf-8")), encoding="utf-8")
