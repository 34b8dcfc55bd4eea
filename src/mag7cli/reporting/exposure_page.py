"""My own money as a page: one HTML file without scripts, which asks nobody for anything and stays on this machine."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from html import escape
from importlib import resources
from pathlib import Path
from typing import Final

from mag7cli import __version__
from mag7cli.core.errors import UsageError
from mag7cli.core.formatting import counted, money, pct
from mag7cli.market.groups import SEVEN
from mag7cli.portfolio.answer import Benchmark, CompanyExposure, Exposure, FundLookThrough, Group, Overlap
from mag7cli.reporting.fragments import banner, plain
from mag7cli.reporting.story import long_date

_PLACEHOLDER: Final = re.compile(r"\{\{(\w+)\}\}")
_PARTS: Final = (
    ("others", "other companies"),
    ("cash", "cash and other"),
    ("unknown", "unknown"),
)
_GROUPS_SHOWN: Final = 12


def write(answer: Exposure, path: Path, *, as_of: date | None, files: Sequence[str], simulated: bool = False) -> None:
    """Write the answer as a page; `files` are the names of what it was read from.

    `simulated` marks it as made of the funds of a simulated market.

    Raises UsageError if the file cannot be written.
    """
    try:
        path.write_text(render(answer, as_of=as_of, files=files, simulated=simulated), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def render(answer: Exposure, *, as_of: date | None, files: Sequence[str], simulated: bool = False) -> str:
    """The page as HTML; everything that comes from a file is escaped."""
    share = _share(answer)
    values = {
        "version": __version__,
        "title": escape(f"{'SIMULATED: ' if simulated else ''}{share} of my money is in {_named(answer)}"),
        "banner": banner() if simulated else "",
        "style": _asset("page.css"),
        "as_of": f"Positions of {long_date(as_of)}" if as_of else "My positions",
        "share": plain(share),
        "range": " range" if answer.is_range else "",
        "held": plain(money(answer.held, answer.currency)),
        "kind": _kind(answer),
        "whole": _whole(answer),
        "whole_label": escape(", ".join(f"{name} {pct(share)}" for _, name, share in _parts(answer))),
        "key": "".join(
            f'<li><i class="{part}"></i>{name} {plain(pct(share, 1))}</li>' for part, name, share in _parts(answer)
        ),
        "named": escape(_named(answer)),
        "them": escape(answer.them[:1].upper() + answer.them[1:]),
        "seven": "".join(_company(each, answer) for each in answer.mag7 if each.amount or answer.group == SEVEN),
        "sections": "".join(_sections(answer)),
        "provenance": escape(f"Read from {', '.join(files) or 'what was typed'} by mag7 {__version__}. Not advice."),
    }
    return _PLACEHOLDER.sub(lambda match: values[match[1]], _asset("exposure.html"))


def _share(answer: Exposure) -> str:
    return f"{answer.low_pct:.2f} to {pct(answer.high_pct)}" if answer.is_range else pct(answer.mag7_pct)


def _named(answer: Exposure) -> str:
    return "seven companies" if answer.group == SEVEN else answer.subject


def _kind(answer: Exposure) -> str:
    """What the headline leaves open: what is known, what is owed, what is in no total."""
    sentences = [f"{money(answer.mag7_amount, answer.currency)} is in them for certain."] if answer.is_range else []
    owed = answer.held - answer.total
    if owed > 0.005 and answer.mag7_pct_of_net is not None:
        net = f"{pct(answer.mag7_pct_of_net)} of the {money(answer.total, answer.currency)} left net"
        sentences.append(f"{money(owed, answer.currency)} is owed or sold short: {net}.")
    if answer.unvalued:
        sentences.append(f"{counted(len(answer.unvalued), 'line is', 'lines are')} in no total.")
    return plain(" ".join(sentences))


def _parts(answer: Exposure) -> list[tuple[str, str, float]]:
    """The parts of what is held: the name of its colour, what it is called, percent."""
    amounts = (answer.mag7_amount, answer.others_amount, answer.cash, answer.unknown_amount)
    held = answer.held or 1.0
    parts = (("mag7", answer.them), *_PARTS)
    return [(part, name, 100 * amount / held) for (part, name), amount in zip(parts, amounts, strict=True)]


def _whole(answer: Exposure) -> str:
    return "".join(
        f'<i class="{part}" style="--w: {min(share, 100.0):.4f}%" title="{name}"></i>'
        for part, name, share in _parts(answer)
        if share > 0
    )


def _sections(answer: Exposure) -> Iterator[str]:
    if answer.benchmarks:
        yield _section("The same money elsewhere", (), (_benchmark(each, answer) for each in answer.benchmarks))
    if answer.others:
        companies = (_company(company, answer) for company in answer.others)
        yield _section("The largest other companies", ("Company", "#Amount", "#Share", "", "By way of"), companies)
    if answer.funds:
        headings = ("Fund", "As of", "#Amount", f"#In {answer.them}", "#Not covered", "#Futures, swaps")
        yield _section("Funds", headings, (_fund(fund, answer) for fund in answer.funds))
    if answer.overlaps:
        yield _matrix(answer.overlaps)
    for title, groups in (("Sectors", answer.sectors), ("Countries", answer.countries)):
        if len(groups) > 1:
            yield _section(title, (), (_group(group, answer) for group in groups[:_GROUPS_SHOWN]))
    if notes := [*_notes(answer)]:
        items = "".join(f'<li class="warn">{plain(note)}</li>' for note in notes)
        yield f"<section><h2>What is not known</h2><ul>{items}</ul></section>"


def _section(title: str, headings: Sequence[str], rows: Iterable[str]) -> str:
    """A table under a title; a heading that starts with # is one of numbers."""
    cells = "".join(
        f'<th scope="col"{" class=n" if heading.startswith("#") else ""}>{escape(heading.removeprefix("#"))}</th>'
        for heading in headings
    )
    head = f"<thead><tr>{cells}</tr></thead>" if headings else ""
    table = f"<table>{head}<tbody>{''.join(rows)}</tbody></table>"
    return f'<section><h2>{escape(title)}</h2><div class="scroll">{table}</div></section>'


def _company(company: CompanyExposure, answer: Exposure) -> str:
    name = company.name if company.country in ("", "US") else f"{company.name} ({company.country})"
    cell = f'<span class="ticker">{escape(company.ticker)}</span><span class="name">{escape(name)}</span>'
    ways = ", ".join(f"{symbol} {money(amount, answer.currency)}" for symbol, amount in company.via.items())
    amount = _number(money(company.amount, answer.currency))
    return _row(cell, amount, _number(pct(company.pct)), _bar(company.pct), plain(ways))


def _benchmark(benchmark: Benchmark, answer: Exposure) -> str:
    name = "in the S&P 500" if benchmark.name == "S&P 500" else "in its companies in equal parts"
    day = f", holdings of {benchmark.as_of}" if benchmark.as_of else ""
    amount = _number(money(benchmark.amount, answer.currency))
    return _row(escape(name + day), amount, _number(pct(benchmark.pct)), _bar(benchmark.pct))


def _fund(fund: FundLookThrough, answer: Exposure) -> str:
    shares = (fund.mag7_pct, fund.unknown_pct, fund.derivatives_pct)
    amount = _number(money(fund.amount, answer.currency))
    return _row(escape(fund.symbol), escape(str(fund.as_of or "no day")), amount, *(_number(pct(s)) for s in shares))


def _group(group: Group, answer: Exposure) -> str:
    amount = _number(money(group.amount, answer.currency))
    return _row(escape(group.name), amount, _number(pct(group.pct)), _bar(group.pct))


def _matrix(overlaps: Sequence[Overlap]) -> str:
    """What each pair of funds has in common, as a square."""
    shares: Mapping[frozenset[str], float] = {frozenset((each.first, each.second)): each.pct for each in overlaps}
    funds = sorted({symbol for pair in shares for symbol in pair})
    rows = (
        _row(
            escape(row),
            *(_number(pct(shares[frozenset((row, column))], 1) if row != column else "") for column in funds),
        )
        for row in funds
    )
    return _section("In common", ("", *(f"#{symbol}" for symbol in funds)), rows)


def _notes(answer: Exposure) -> Iterator[str]:
    for part in answer.unknown:
        yield f"{money(part.amount, answer.currency)} in {part.symbol}: {part.reason}."
    for position in answer.unvalued:
        amount = "" if position.amount is None else f" ({money(position.amount, position.currency)})"
        yield f"{position.symbol}{amount} is in no total: {position.reason}."
    for option in answer.options:
        yield f"{option.option or option.label} is named and not counted."
    yield from (f"{note}." for note in answer.notes)


def _row(*cells: str) -> str:
    return f"<tr>{''.join(cell if cell.startswith('<td') else f'<td>{cell}</td>' for cell in cells)}</tr>"


def _number(text: str) -> str:
    return f'<td class="n">{plain(text)}</td>'


def _bar(share: float) -> str:
    return f'<td class="bars"><span class="bar" style="--w: {min(max(share, 0.0), 100.0):.4f}%"></span></td>'


def _asset(name: str) -> str:
    return resources.files("mag7cli.reporting").joinpath("assets", name).read_text(encoding="utf-8").strip()
