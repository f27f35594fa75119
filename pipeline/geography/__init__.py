"""One map through time: the register of areas, re-expression on one vintage, groups of places."""

from pipeline.geography.aggregate import Membership, aggregate, group_membership, wider_membership
from pipeline.geography.dimensions import describe_area, list_areas
from pipeline.geography.errors import (
    AmbiguousAreaError,
    GeographyError,
    LedgerError,
    RegisterError,
    UnknownAreaError,
    UnknownVintageError,
)
from pipeline.geography.groups import Group, read_groups
from pipeline.geography.reexpress import Ledger, Reexpressed, reexpress
from pipeline.geography.register import Area, Register, load_register

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
    "describe_area",
    "group_membership",
    "list_areas",
    "load_register",
    "read_groups",
    "reexpress",
    "wider_membership",
]
