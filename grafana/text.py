"""The wall's two languages. Each dashboard is built once in each: on a wall there is room for one."""

from collections.abc import Callable
from typing import Final, Literal

Language = Literal["zh", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
Say = Callable[[str, str], str]
"""Gives the first text in Chinese, the second in English."""


def speaker(language: Language) -> Say:
    """Says everything in one language."""
    return (lambda zh, en: zh) if language == "zh" else (lambda zh, en: en)


def uid(name: str, language: Language) -> str:
    """A dashboard's uid: the Chinese one is the plain name, the English one ends in -en."""
    return f"pw-{name}" if language == "zh" else f"pw-{name}-en"
