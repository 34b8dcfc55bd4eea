"""The least that a transform can do: parse the same documents, write files of the same bytes. Decides nothing.

Run as `floor.py LAKE OUT`. Prints the seconds that went into getting the bytes to write, which are not its work.
"""

import sys
import time
from pathlib import Path

import orjson


def main(lake: Path, out: Path) -> None:
    """Parse the raw documents of a lake and write its tables' bytes elsewhere."""
    started = time.perf_counter()
    files = [
        (out / path.relative_to(lake), path.read_bytes())
        for zone in ("processed", "analytics")
        for path in (lake / zone).rglob("*.parquet")
    ]
    print(time.perf_counter() - started)
    for path in sorted((lake / "raw" / "magnificent7").glob("*/market_data.json")):
        orjson.loads(path.read_bytes())
    made: set[Path] = set()
    for path, data in files:
        if path.parent not in made:
            path.parent.mkdir(parents=True)
            made.add(path.parent)
        path.write_bytes(data)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
