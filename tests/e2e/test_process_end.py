"""How the process ends: at once, with all that was printed, and with whatever still has to be done."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.simulators.command_line import environment

from mag7cli import __version__

_BEFORE = "import sys, atexit, threading; sys.argv = ['mag7', *{words}]; "
_RUN = "; from mag7cli.__main__ import main; main()"


def ended(folder: Path, before: str, *words: str) -> subprocess.CompletedProcess[str]:
    program = _BEFORE.format(words=list(words)) + before + _RUN
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(("words", "code"), [(("--version",), 0), (("no-such-command",), 2)])
def test_the_code_is_the_commands_and_the_functions_for_the_end_run_after_it(
    tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    result = ended(tmp_path, "atexit.register(print, 'good night')", *words)

    assert result.returncode == code
    assert result.stdout == (f"mag7 {__version__}\n" if code == 0 else "") + "good night\n"


def test_objects_are_not_freed_one_by_one(tmp_path: Path) -> None:
    """It takes a tenth of an evening."""
    freed = "kept = type('Kept', (), {'__del__': lambda self: print('freed', flush=True)})()"

    assert ended(tmp_path, freed, "--version").stdout == f"mag7 {__version__}\n"


def test_a_thread_that_has_work_to_do_finishes_it(tmp_path: Path) -> None:
    work = "threading.Thread(target=lambda: (threading.main_thread().join(), print('finished', flush=True))).start()"

    assert ended(tmp_path, work, "--version").stdout == f"mag7 {__version__}\nfinished\n"


def test_an_output_that_is_closed_ends_as_python_has_it(tmp_path: Path) -> None:
    result = ended(tmp_path, "atexit.register(lambda: sys.stdout.close())", "--version")

    assert result.returncode == 0
    assert "Traceback" not in result.stderr


def test_an_error_that_nobody_expected_has_its_traceback(tmp_path: Path) -> None:
    result = ended(tmp_path, "import mag7cli.cli; mag7cli.cli.app = lambda: 1 / 0", "--version")

    assert result.returncode == 1
    assert "ZeroDivisionError" in result.stderr
