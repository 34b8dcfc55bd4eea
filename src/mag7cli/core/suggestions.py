"""The word somebody probably meant."""

from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, whatever its case; None if none is like it."""
    # Only after a mistake: an ordinary run does not pay for the import.
    from difflib import get_close_matches

    by_folded = {name.casefold(): name for name in known}
    matches = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.7)
    return by_folded[matches[0]] if matches else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """`did you mean …?` for the closest known word, None if there is none."""
    match = closest(word, known)
    return f"did you mean {match}?" if match else None
