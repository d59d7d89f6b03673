"""Ed25519 signatures of receipts: made with the house's key, checked with nothing but the document (RFC 8032)."""

import base64
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from billing.proof.canonical import canonical

ALGORITHM = "Ed25519"
KEY_BYTES = 32


def encode(raw: bytes) -> str:
    """Base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Bytes of base64url, with or without padding; ValueError when it is none, or not the only way to write it."""
    bare = text.rstrip("=")
    raw = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    if encode(raw) != bare:
        raise ValueError("this is not base64url")
    return raw


def jwk(public_key: str) -> dict[str, str]:
    """A public key as a JSON Web Key (RFC 8037)."""
    return {"kty": "OKP", "crv": ALGORITHM, "kid": key_id(public_key), "x": public_key, "use": "sig", "alg": "EdDSA"}


def key_id(public_key: str) -> str:
    """The key's thumbprint (RFC 7638): nobody can give another key the same name."""
    thumb = canonical({"crv": ALGORITHM, "kty": "OKP", "x": public_key})
    return encode(sha256(thumb.encode()).digest())


def signed_bytes(document: dict[str, Any]) -> bytes:
    """What is signed: the whole document with the signature's own ``value`` left out."""
    signature = {name: item for name, item in document["signature"].items() if name != "value"}
    return canonical({**document, "signature": signature}).encode()


def signature_holds(document: dict[str, Any], public_key: str) -> bool:
    """Whether the document is exactly what the owner of this key signed."""
    try:
        key = Ed25519PublicKey.from_public_bytes(decode(public_key))
        key.verify(decode(document["signature"]["value"]), signed_bytes(document))
    except (InvalidSignature, ValueError):
        return False
    return True


class ReceiptSigner:
    """The house's key: signs receipts, and says with which public keys its receipts may be signed."""

    def __init__(self, private_key: str, old_public_keys: str = "") -> None:
        """``private_key`` is base64url of 32 bytes, ``old_public_keys`` separated by commas."""
        self._key = Ed25519PrivateKey.from_private_bytes(decode(private_key))
        self.public_key = encode(self._key.public_key().public_bytes_raw())
        self._old = [part.strip() for part in old_public_keys.split(",") if part.strip()]

    @property
    def key_id(self) -> str:
        """The name of the key we sign with now."""
        return key_id(self.public_key)

    @property
    def keys(self) -> list[dict[str, str]]:
        """Every public key of ours, the present one first."""
        return [jwk(key) for key in (self.public_key, *self._old)]

    def sign(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with its signature."""
        signed = {
            **document,
            "signature": {"alg": ALGORITHM, "key_id": self.key_id, "public_key": self.public_key},
        }
        signed["signature"]["value"] = encode(self._key.sign(signed_bytes(signed)))
        return signed
