"""The page of somebody's own money in a real Chromium: offline, without a request, readable on a phone.

Needs Playwright and a Chromium on the machine. Skipped without one, but failing then if MAG7_REQUIRE_BROWSER is 1.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.command_line import mag7

pytestmark = pytest.mark.browser

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exposure")
    funds = [f"{name}={DATA / 'funds' / file}" for name, file in (("QQQ", "invesco.csv"), ("VT", "vanguard.csv"))]
    ended = mag7(
        "exposure", str(DATA / "brokers" / "fidelity_positions.csv"), "--fund", "QQQ=5000", "--fund", "VT=5000",
        "--fund", "VXUS=1000", "--fund-file", funds[0], "--fund-file", funds[1], "--page", "mine.html", cwd=folder,
    )  # fmt: skip
    assert ended.code == 3, ended.stderr
    return folder / "mine.html"


@pytest.fixture(scope="module")
def browser() -> Any:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        if os.environ.get("MAG7_REQUIRE_BROWSER") == "1":
            pytest.fail("MAG7_REQUIRE_BROWSER is 1, but there is no Chromium on this machine")
        pytest.skip("there is no Chromium on this machine")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_opens_offline_asks_for_nothing_and_fits(
    browser: Any, page_file: Path, width: int, scheme: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    page = context.new_page()
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(str(error)))

    page.goto(page_file.as_uri())

    assert (requests, errors) == ([page_file.as_uri()], [])
    assert page.inner_text("#share").startswith("8")
    assert page.locator("h2").all_inner_texts() == [
        "The Mag 7",
        "The largest other companies",
        "Funds",
        "In common",
        "Sectors",
        "Countries",
        "What is not known",
    ]
    assert page.locator(".whole i").count() == 4
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator("tbody .bar").first.bounding_box()["width"] > 10
    context.close()
