"""The SQL of the warehouse as notebooks, for who works in an editor: definitions, COPY jobs, analysis.

Redshift's query editor and Jupyter read the same format; a cell holds one statement.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from mag7cli.deployment.queries import text_of
from mag7cli.lake.layout import Lake
from mag7cli.tables.schema import PUBLISHED, create_schema_sql, create_sql
from mag7cli.warehouse import copy_jobs, sql_files
from mag7cli.warehouse.redshift_load import view_statements

_ROLE: Final = "arn:aws:iam::123456789012:role/mag7-redshift-copy"


def all_notebooks(bucket: str) -> Mapping[str, str]:
    """Every notebook by its file's name; `bucket` is the lake's, in the COPY jobs."""
    return {
        "table_definitions.ipynb": _notebook("Table definitions", _definitions()),
        "copy_jobs.ipynb": _notebook("COPY jobs", copy_jobs.statements(Lake.at(f"s3://{bucket}").store, _ROLE)),
        "analysis.ipynb": _notebook("Analysis", _analysis()),
    }


def _definitions() -> Iterator[str]:
    yield create_schema_sql()
    yield from (create_sql(table, "redshift") for table in PUBLISHED)
    yield from view_statements()


def _analysis() -> Iterator[str]:
    files = [sql_files.read("analysis", name) for name in sql_files.names("analysis")]
    for file in sorted(files, key=lambda file: file.fields["folder"]):
        yield f"-- {file.fields['folder']}\n{text_of(file)}"


def _notebook(title: str, statements: Iterable[str]) -> str:
    cells = [_cell("markdown", f"# {title}"), *(_cell("code", f"{statement};") for statement in statements)]
    content = {
        "cells": cells,
        "metadata": {"kernelspec": {"display_name": "Redshift", "language": "postgresql", "name": "redshift"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, text: str) -> Mapping[str, Any]:
    cell: dict[str, Any] = {
        "cell_type": kind,
        "id": f"{kind}-{abs(_checksum(text)):08x}",
        "metadata": {},
        "source": text.splitlines(keepends=True),
    }
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell


def _checksum(text: str) -> int:
    import zlib

    return zlib.crc32(text.encode())
