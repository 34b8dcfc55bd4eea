"""Count what is easy to count of readability: vague names among the bindings of `src`, and the length of its functions.

    python scripts/count_vague_names.py [FOLDER] [--list] [--limit PCT]

A binding is a name that is stored (an assignment, a loop, `with`) or an argument of a function or lambda. A function is
as long as it is from `def` to its last line, docstring included. `--list` names each vague binding; `--limit` makes the
exit code 1 above that share.
"""

import argparse
import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

VAGUE = frozenset({"found", "told", "one", "asked", "wanted", "made", "gone", "kept", "given", "line", "lines"})
SOURCE = Path(__file__).parents[1] / "src"


def bindings(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that is stored, and every argument, with its line number."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


def functions(tree: ast.AST) -> Iterator[tuple[int, str, int]]:
    """Every function: how many lines it has, its name and line number."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1, node.name, node.lineno


def main() -> int:
    parser = argparse.ArgumentParser(description="Count vague names and the length of functions.")
    parser.add_argument("folder", nargs="?", type=Path, default=SOURCE)
    parser.add_argument("--list", action="store_true", help="name each vague binding")
    parser.add_argument("--limit", type=float, metavar="PCT", help="exit 1 if more than this share is vague")
    options = parser.parse_args()

    trees = {path: ast.parse(path.read_bytes()) for path in sorted(options.folder.rglob("*.py"))}
    names = [(name, f"{path}:{row}") for path, tree in trees.items() for name, row in bindings(tree)]
    vague = [(name, place) for name, place in names if name in VAGUE]
    share = 100 * len(vague) / max(len(names), 1)
    if options.list:
        print(*(f"{place} {name}" for name, place in vague), sep="\n")
    print(f"vague names: {share:.1f} % of {len(names)} bindings ({len(vague)})")
    print("  " + ", ".join(f"{name} {count}" for name, count in Counter(name for name, _ in vague).most_common()))

    lengths = sorted(
        (size, f"{path}:{row} {name}") for path, tree in trees.items() for size, name, row in functions(tree)
    )
    sizes = [size for size, _ in lengths]
    if len(sizes) > 1:
        longest, place = lengths[-1]
        p90 = quantiles(sizes, n=10)[-1]
        print(f"lines of {len(sizes)} functions: median {median(sizes):g}, p90 {p90:g}, max {longest}")
        print(f"  longest: {place}")
    return int(options.limit is not None and share > options.limit)


if __name__ == "__main__":
    sys.exit(main())
