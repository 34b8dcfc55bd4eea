"""The optional parts of mag7, as the installed package declares them, and the command that adds one.

`pip install 'mag7cli[report]'` asks an index for mag7 again, which fails where it was installed from a checkout or a
wheel; the packages that an extra stands for can be had anywhere.
"""

import re
from typing import Final

_MARKED: Final = re.compile(r"""(?P<package>[^;]+?)\s*;.*\bextra\s*==\s*['"](?P<extra>[\w-]+)['"]""")


def packages_of(extra: str) -> list[str]:
    """The packages of an extra with their versions, such as `vl-convert-python>=1.8`."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        rows = requires("mag7cli") or []
    except PackageNotFoundError:  # run from sources that are not installed
        return []
    found = (_MARKED.fullmatch(row) for row in rows)
    return [match["package"] for match in found if match and match["extra"] == extra]


def install_command(extra: str) -> str:
    """What to type in order to have the extra."""
    packages = packages_of(extra) or [f"mag7cli[{extra}]"]
    return f"pip install {' '.join(repr(package) for package in packages)}"
