"""Consents: which documents there are in which version, and who agreed to them when. Append-only."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from core import audit
from core.db import Tx
from core.errors import Invalid
from core.ids import UserId
from people import store
from people.models import Consent
from people.origin import Origin
from people.roles import Role


class Document(StrEnum):
    """The documents somebody agrees to."""

    TERMS = "terms"
    PRIVACY = "privacy"
    CONSULTANT_AGREEMENT = "consultant_agreement"


# Raising a version here asks everyone anew at their next visit.
CURRENT = {Document.TERMS: "2026-01", Document.PRIVACY: "2026-01", Document.CONSULTANT_AGREEMENT: "2026-01"}
NEEDED_BY_ALL = frozenset({Document.TERMS, Document.PRIVACY})


@dataclass(frozen=True, slots=True)
class Agreement:
    """One document in one version, as somebody agreed to it."""

    document: str
    version: str


def needed_for(role: Role) -> frozenset[Document]:
    """What must be agreed to before somebody can take this role."""
    return NEEDED_BY_ALL | {Document.CONSULTANT_AGREEMENT} if role is Role.CONSULTANT else NEEDED_BY_ALL


class ConsentService:
    """Stores agreements, and tells what has been agreed to."""

    def check(self, agreements: Sequence[Agreement], role: Role) -> None:
        """Refuse when a needed document is missing or not in its present version."""
        given = {(agreement.document, agreement.version) for agreement in agreements}
        missing = [d.value for d in sorted(needed_for(role)) if (d.value, CURRENT[d]) not in given]
        if missing:
            raise Invalid("Please agree to these documents in their present version.", missing=missing)

    def require_current(self, agreement: Agreement) -> None:
        """Refuse another version than the present one."""
        if CURRENT.get(Document(agreement.document)) != agreement.version:
            raise Invalid("This document has a newer version. Read it and agree again.", document=agreement.document)

    async def give(self, tx: Tx, user: UserId, agreement: Agreement, origin: Origin) -> None:
        """Store one agreement; only the present version of a document can be agreed to."""
        self.require_current(agreement)
        tx.session.add(
            Consent(
                user_id=user, document=agreement.document, version=agreement.version, at=tx.now, ip_hash=origin.ip_hash
            )
        )
        audit.record(
            tx,
            "consent.given",
            subject=f"account:{user}",
            actor=user,
            ip_hash=origin.ip_hash,
            request_id=origin.request_id,
            document=agreement.document,
            version=agreement.version,
        )

    async def of(self, tx: Tx, user: UserId) -> Sequence[Consent]:
        """Everything the person agreed to, oldest first."""
        return await store.consents(tx, user)
