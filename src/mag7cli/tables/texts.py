"""A column of text as Arrow and Parquet hold it: all bytes in a row, and how many belong to each value."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Texts:
    """UTF-8 `data` of values of so many `sizes` in bytes; `missing` ones have none. None: all are there."""

    data: bytes
    sizes: npt.NDArray[np.int32]
    missing: npt.NDArray[np.bool_] | None

    @classmethod
    def of(cls, values: Sequence[str | None]) -> "Texts":
        """The column of these values. Raises TypeError if one is no text."""
        missing = np.fromiter((value is None for value in values), bool, len(values)) if None in values else None
        encoded = [b"" if text is None else str.encode(text) for text in values]
        return cls(b"".join(encoded), np.fromiter(map(len, encoded), np.int32, len(encoded)), missing)

    @classmethod
    def joined(cls, columns: Sequence["Texts"]) -> "Texts":
        """These columns one after the other."""
        missing = None
        if any(column.missing is not None for column in columns):
            missing = np.concatenate([column._missing_mask() for column in columns])
        sizes = np.concatenate([column.sizes for column in columns])
        return cls(b"".join([column.data for column in columns]), sizes, missing)

    def __len__(self) -> int:
        return len(self.sizes)

    def _missing_mask(self) -> npt.NDArray[np.bool_]:
        return np.zeros(len(self), bool) if self.missing is None else self.missing
