"""What an answer about one's own money costs: fifty funds and ten thousand lines, in the funds or in the portfolio."""

import argparse
import csv
import random
import string
from pathlib import Path

from measuring import MAG7, Row, emit, emptied, in_turns, run

FUNDS = [f"F{first}{second}X" for first in "ABCDE" for second in "ABCDEFGHIJ"]


def main() -> None:
    """Measure whole processes; they have one thread, so that their time is that of the CPU on a machine at rest."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    folder = emptied(options.folder / "exposure")
    choice = random.Random(7)
    symbols = ["".join(choice.choices(string.ascii_uppercase, k=4)) for _ in range(3000)]
    for fund in FUNDS:
        write_fund(folder / f"{fund}.csv", choice.sample(symbols, 200), choice)
    words = [word for fund in FUNDS for word in ("--fund-file", f"{fund}={folder / fund}.csv")]
    for name, lines in (("50 lines", FUNDS), ("10,000 lines", [*FUNDS, *(symbols * 4)][:10_000])):
        file = folder / "portfolio.csv"
        write_portfolio(file, lines, choice)
        command = [MAG7, "exposure", str(file), *words, "--quiet"]
        peaks: list[float] = []

        def timed(command: list[str] = command, peaks: list[float] = peaks) -> float:
            ran = run(command, fails_with=3)
            peaks.append(ran.peak_mb)
            return ran.cpu_s

        seconds = in_turns({"ours": timed}, options.rounds)["ours"]
        what = f"exposure of {name} over 50 funds of 200 lines"
        emit(Row(f"{what}: CPU, of one thread", seconds, "s", "1.5 s", 1.5, at_most=1.0))
        emit(Row(f"{what}: peak memory", max(peaks), "MB", "200 MB", 200.0, at_most=1.0))


def write_fund(path: Path, symbols: list[str], choice: random.Random) -> None:
    """A fund's holdings as iShares writes them."""
    values = [choice.randint(10_000, 10**7) for _ in symbols]
    whole = sum(values)
    with path.open("w", newline="") as file:
        file.write('A fund\nFund Holdings as of,"Nov 20, 2026"\n\n')
        rows = csv.writer(file)
        rows.writerow(["Ticker", "Name", "Sector", "Asset Class", "Market Value", "Weight (%)", "Location"])
        for symbol, value in zip(symbols, values, strict=True):
            weight = f"{100 * value / whole:.2f}"
            rows.writerow([symbol, f"{symbol} CORP", "Energy", "Equity", f"{value:,}", weight, "United States"])


def write_portfolio(path: Path, symbols: list[str], choice: random.Random) -> None:
    """Positions as a broker writes them."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Symbol", "Description", "Quantity", "Last Price", "Current Value"])
        for symbol in symbols:
            quantity, price = choice.randint(1, 500), choice.randint(100, 90_000) / 100
            rows.writerow([symbol, f"{symbol} Company Inc", quantity, f"${price:,.2f}", f"${quantity * price:,.2f}"])


if __name__ == "__main__":
    main()
