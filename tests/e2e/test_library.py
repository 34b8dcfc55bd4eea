"""The library: the page's example does what it says, and importing it loads next to nothing."""

import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import mag7cli as mag7

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_FUNCTIONS = [name for name in mag7.__all__ if inspect.isfunction(getattr(mag7, name))]


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "tests" / "data" / "lake-0.1.0", tmp_path / "lake")
    (example,) = _BLOCK.findall((ROOT / "docs" / "library.md").read_text(encoding="utf-8"))

    run = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (run.returncode, run.stderr) == (0, "")
    assert re.fullmatch(r"\d\d\.\d\d % at the close of 2024-06-\d\d, \w+, 0 checks failed\n", run.stdout)


def test_importing_the_library_loads_none_of_it() -> None:
    code = "import sys, mag7cli; print([name for name in sys.modules if name.startswith('mag7cli.')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_every_function_says_what_it_takes_gives_and_raises() -> None:
    docs = {name: inspect.getdoc(getattr(mag7, name)) or "" for name in _FUNCTIONS}
    assert {"collect", "explain", "exposure", "load", "open_vendor", "run", "summary", "table"} <= docs.keys()
    silent = [
        name for name, text in docs.items() if not re.search(r"Args:.*(Returns|Yields):.*Raises:", text, re.DOTALL)
    ]
    assert silent == []
    takes = {name: inspect.signature(getattr(mag7, name)).parameters for name in _FUNCTIONS}
    assert [f"{name}: {one}" for name, all_ in takes.items() for one in all_ if f"{one}:" not in docs[name]] == []
