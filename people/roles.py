"""The roles a person can have; a set, because a consultant may also ask."""

from enum import StrEnum


class Role(StrEnum):
    """What somebody may do here. The last two are granted by the command line tool alone."""

    CUSTOMER = "customer"
    CONSULTANT = "consultant"
    FINANCE = "finance"
    ADMIN = "admin"


STAFF = frozenset({Role.FINANCE, Role.ADMIN})
