"""Pseudonyms: the same for the same id, and nothing without the salt."""

from schemas.masking import pseudonym


def test_an_absent_id_stays_absent() -> None:
    assert pseudonym(None, salt=b"s") == pseudonym("", salt=b"s") == ""


def test_one_id_has_one_pseudonym_under_one_salt() -> None:
    assert pseudonym("张三", salt=b"s") == pseudonym("张三", salt=b"s")
    assert len({pseudonym(name, salt=salt) for name in ("张三", "李四") for salt in (b"s", b"t")}) == 4


def test_a_pseudonym_is_sixteen_hex_digits_and_shows_nothing_of_the_id() -> None:
    masked = pseudonym("13800138000", salt=b"x" * 64)
    assert len(masked) == 16
    assert set(masked) <= set("0123456789abcdef")
