"""One map through time: the register of areas, re-expression on one vintage, groups of places."""

from pipeline.geography.area_errors import (
    AmbiguousAreaError,
    GeographyError,
    LedgerError,
    RegisterError,
    UnknownAreaError,
    UnknownVintageError,
)
from pipeline.geography.dimensions import bridge_area_group, describe_area, dim_area, dim_area_history, list_areas
from pipeline.geography.groups import Group, read_groups
from pipeline.geography.reexpress import reexpress
from pipeline.geography.reexpressed import Ledger, Reexpressed
from pipeline.geography.register import Register
from pipeline.geography.register_area import Area
from pipeline.geography.register_tables import load_register
from pipeline.geography.wider_areas import Membership, aggregate, group_membership, wider_membership

__all__ = [
    "AmbiguousAreaError",
    "Area",
    "GeographyError",
    "Group",
    "Ledger",
    "LedgerError",
    "Membership",
    "Reexpressed",
    "Register",
    "RegisterError",
    "UnknownAreaError",
    "UnknownVintageError",
    "aggregate",
    "bridge_area_group",
    "describe_area",
    "dim_area",
    "dim_area_history",
    "group_membership",
    "list_areas",
    "load_register",
    "read_groups",
    "reexpress",
    "wider_membership",
]
