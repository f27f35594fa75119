"""The meaning of the CSV files in two machine-readable forms: CSV on the Web (W3C) and a Frictionless data package.

CSVW: Metadata Vocabulary for Tabular Data, W3C Recommendation of 17 December 2015. Data package: the Data Package
specification, version 1, with its tabular profile.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from pipeline.export import selection as facts
from pipeline.export.selection import Choice
from pipeline.marts.declaration import Column, Table

CSVW_FILE = "csv-metadata.json"
PACKAGE_FILE = "datapackage.json"

_CSVW_TYPES = {
    "VARCHAR": "string",
    "ENUM": "string",
    "DOUBLE": "double",
    "INTEGER": "integer",
    "BIGINT": "long",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "dateTime",
}
_FIELD_TYPES = {
    "VARCHAR": "string",
    "ENUM": "string",
    "DOUBLE": "number",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}


def csvw(choice: Choice) -> str:
    """The CSVW metadata of all CSV files of an export: a table group with types, keys, meanings, units and licence."""
    group = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
        "dc:title": choice.about,
        "dc:description": facts.DESCRIPTION,
        "dc:license": {"@id": facts.LICENCE_URL},
        "dc:rights": facts.ATTRIBUTION,
        "dc:modified": {"@value": f"{choice.released_at:%Y-%m-%dT%H:%M:%S}", "@type": "xsd:dateTime"},
        "schema:version": choice.version,
        "dc:source": [{"dc:publisher": publisher, "@id": url} for publisher, url in choice.sources],
        "tables": [_csvw_table(choice, table) for table in choice.tables.values()],
    }
    return json.dumps(group, indent=1, ensure_ascii=False) + "\n"


def _csvw_table(choice: Choice, table: Table) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "columns": [_csvw_column(column, is_required=choice.is_never_blank(table, column)) for column in table.columns]
    }
    if table.key:
        schema["primaryKey"] = list(table.key)
    if references := choice.references(table):
        schema["foreignKeys"] = [
            {
                "columnReference": list(reference.columns),
                "reference": {"resource": f"{reference.table}.csv", "columnReference": list(reference.key)},
            }
            for reference in references
        ]
    return {
        "url": f"{table.id}.csv",
        "dc:title": table.id,
        "dc:description": table.comment,
        "tableSchema": schema,
    }


def _csvw_column(column: Column, *, is_required: bool) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": column.name,
        "titles": column.name,
        "dc:description": column.about,
        "datatype": _csvw_type(column),
        "required": is_required,
    }
    if column.unit:
        described["schema:unitText"] = column.unit
    return described


def _csvw_type(column: Column) -> str | dict[str, Any]:
    kind = _CSVW_TYPES[column.type]
    if column.values is not None:
        return {"base": kind, "format": "|".join(re.escape(value) for value in column.values)}
    limits = {"minimum": column.minimum, "maximum": column.maximum}
    held = {name: value for name, value in limits.items() if value is not None}
    return {"base": kind, **held} if held else kind


def datapackage(choice: Choice, folder: Path) -> str:
    """The data package of the CSV files in ``folder``, with size and SHA-256 of each."""
    package = {
        "profile": "tabular-data-package",
        "name": "inclusive-growth-uk" + (f"-{choice.place.code.lower()}" if choice.place else ""),
        "title": choice.about,
        "description": facts.DESCRIPTION,
        "version": choice.version,
        "created": f"{choice.released_at:%Y-%m-%dT%H:%M:%SZ}",
        "licenses": [{"name": facts.LICENCE_NAME, "title": facts.LICENCE_TITLE, "path": facts.LICENCE_URL}],
        "sources": [{"title": publisher, "path": url} for publisher, url in choice.sources],
        "resources": [_resource(choice, table, folder) for table in choice.tables.values()],
    }
    return json.dumps(package, indent=1, ensure_ascii=False) + "\n"


def _resource(choice: Choice, table: Table, folder: Path) -> dict[str, Any]:
    path = folder / f"{table.id}.csv"
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    schema: dict[str, Any] = {
        "fields": [_field(column, is_required=choice.is_never_blank(table, column)) for column in table.columns],
        "missingValues": [""],
    }
    if table.key:
        schema["primaryKey"] = list(table.key)
    if references := choice.references(table):
        schema["foreignKeys"] = [
            {
                "fields": list(reference.columns),
                "reference": {
                    "resource": "" if reference.table == table.id else reference.table,
                    "fields": list(reference.key),
                },
            }
            for reference in references
        ]
    return {
        "profile": "tabular-data-resource",
        "name": table.id,
        "path": path.name,
        "title": table.id,
        "description": table.comment,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{digest}",
        "schema": schema,
    }


def _field(column: Column, *, is_required: bool) -> dict[str, Any]:
    constraints: dict[str, Any] = {}
    if is_required:
        constraints["required"] = True
    if column.values is not None:
        constraints["enum"] = list(column.values)
    if column.minimum is not None:
        constraints["minimum"] = column.minimum
    if column.maximum is not None:
        constraints["maximum"] = column.maximum
    if _FIELD_TYPES[column.type] == "integer":
        constraints |= {name: int(constraints[name]) for name in ("minimum", "maximum") if name in constraints}
    field: dict[str, Any] = {
        "name": column.name,
        "type": _FIELD_TYPES[column.type],
        "description": column.about,
    }
    if column.unit:
        field["unit"] = column.unit
    return field | ({"constraints": constraints} if constraints else {})
