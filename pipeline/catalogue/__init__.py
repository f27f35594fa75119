"""What is collected, from whom, and how it is judged: typed and checked on loading. A new indicator needs no code."""

from pipeline.catalogue.load import Catalogue, load_catalogue
from pipeline.catalogue.model import BaselineEntry, Indicator, Part, Query, Source
from pipeline.catalogue.yaml_entries import CatalogueError

__all__ = [
    "BaselineEntry",
    "Catalogue",
    "CatalogueError",
    "Indicator",
    "Part",
    "Query",
    "Source",
    "load_catalogue",
]
