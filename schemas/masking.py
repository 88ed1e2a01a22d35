"""What may leave of a customer's and an order's id: a pseudonym, the same for the same id under one salt."""

from hashlib import blake2b


def pseudonym(identifier: str | None, *, salt: bytes) -> str:
    """16 hex digits that stand for the id, "" for an absent one; they tell nothing without the salt (≤ 64 bytes)."""
    if not identifier:
        return ""
    return blake2b(identifier.encode(), digest_size=8, key=salt).hexdigest()
