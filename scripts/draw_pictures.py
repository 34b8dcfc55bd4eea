"""Draw docs/images from a lake of the simulated market: the report's first screen on a desk and on a phone.

`make pictures` runs it after the demo. It needs Chromium, which it finds on PATH.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
SCREENS = {"report": (1280, 900), "report-phone": (390, 844)}


def main(lake: str) -> None:
    """Draw every picture from the lake's report."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "report.html")
        subprocess.run(["mag7", "report", "--lake", lake, "--out", page], check=True)
        IMAGES.mkdir(parents=True, exist_ok=True)
        _draw_screens(page)


def _draw_screens(page: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"]
        )
        for name, (width, height) in SCREENS.items():
            tab = browser.new_page(viewport={"width": width, "height": height})
            tab.goto(page.as_uri())
            tab.wait_for_timeout(2_000)
            tab.screenshot(path=IMAGES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
