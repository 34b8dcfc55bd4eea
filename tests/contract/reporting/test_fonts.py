"""Labels are drawn whatever fonts a machine has: the renderer draws nothing at all for a list of missing families."""

import re
import subprocess
import sys
from importlib import resources

import pytest

from mag7cli.reporting import theme

pytest.importorskip("vl_convert")

GENERIC = frozenset({"serif", "sans-serif", "monospace", "system-ui"})
WITHOUT_FONTS = ("unshare", "--map-root-user", "--mount", "sh", "-c")
HIDE = 'for d in /usr/share/fonts /usr/local/share/fonts; do [ -d $d ] && mount -t tmpfs none $d; done; exec "$@"'
# Whether a label and an empty one are different pictures; the font that is nowhere shows that the question can fail.
DRAWS = """
import vl_convert
from mag7cli.reporting import theme

def draws(font):
    config = theme.config(theme.LIGHT, font)
    label = {"mark": {"type": "text"}, "width": 200, "height": 40, "config": config}
    label |= {"encoding": {"text": {"field": "a"}}}
    texts = [{"data": {"values": [{"a": text}]}} for text in ("NVDA 5.96 %", "")]
    pictures = [vl_convert.vegalite_to_png(label | data, scale=1) for data in texts]
    return pictures[0] != pictures[1]

print(*map(draws, (theme.PNG_FONT, theme.FONT, "No Such Family")))
"""


def _font_lists() -> list[str]:
    sheet = resources.files("mag7cli.reporting").joinpath("assets/page.css")
    css = sheet.read_text(encoding="utf-8").replace("!important", "")
    families = re.findall(r"font-family:([^;}]+)", css) + re.findall(r"font:[^;}]*?/[\d.]+ ([^;}]+)", css)
    return [theme.FONT, theme.PNG_FONT, *families]


def test_every_font_list_ends_with_a_generic_family() -> None:
    assert len(_font_lists()) > 2
    assert [fonts for fonts in _font_lists() if fonts.rpartition(",")[2].strip() not in GENERIC] == []


def test_a_label_is_drawn_on_this_machine() -> None:
    drawn = subprocess.run([sys.executable, "-c", DRAWS], capture_output=True, text=True, check=True)

    assert drawn.stdout.split() == ["True", "True", "False"]


def test_a_label_is_drawn_on_a_machine_without_fonts() -> None:
    if subprocess.run([*WITHOUT_FONTS, HIDE, "-", "true"], check=False, capture_output=True).returncode:
        pytest.skip("fonts cannot be hidden here: unshare may not mount")

    command = [*WITHOUT_FONTS, HIDE, "-", sys.executable, "-c", DRAWS]
    drawn = subprocess.run(command, capture_output=True, text=True, check=True)

    assert drawn.stdout.split() == ["True", "True", "False"]
