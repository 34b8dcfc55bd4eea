"""The bytes of a text file that people made, as text, whatever program saved it."""

from typing import Final

_BYTE_ORDER_MARK: Final = "\ufeff"


def decoded(data: bytes) -> str:
    """The text, without byte order marks: one, none, or two where a file was saved twice."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")  # what Excel on Windows calls CSV
    return text.lstrip(_BYTE_ORDER_MARK)
