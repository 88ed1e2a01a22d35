"""Files of a configuration that change: read whole, or refused whole, and said once."""

import logging
from pathlib import Path

import pytest

from agents.reloading import ConfigFiles, version_of
from schemas.errors import ConfigError


class Files:
    """Two files; the word `wrong` in one is a mistake."""

    def __init__(self, folder: Path) -> None:
        self.paths = [folder / "rules.yaml", folder / "peaks.yaml"]
        for path in self.paths:
            path.write_text("right", "utf-8")
        self.read_count = 0
        self.config = ConfigFiles(lambda: self.paths, self.read, version=version_of(self.paths))

    def read(self) -> list[str]:
        self.read_count += 1
        texts = [path.read_text("utf-8") for path in self.paths]
        mistakes = [f"{path.name}: line 1" for path, text in zip(self.paths, texts, strict=True) if text == "wrong"]
        if mistakes:
            raise ConfigError(mistakes)
        return texts

    def write(self, *texts: str) -> None:
        for path, text in zip(self.paths, texts, strict=True):
            path.write_text(text, "utf-8")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_nothing_is_read_while_nothing_changes(files: Files) -> None:
    assert [files.config.poll() for _ in range(3)] == [None] * 3
    assert files.read_count == 0


def test_a_change_is_given_once_with_its_version(files: Files) -> None:
    before = files.config.version
    files.write("righter", "right")
    assert files.config.poll() == ["righter", "right"]
    assert files.config.version == version_of(files.paths) != before
    assert files.config.poll() is None


def test_a_mistake_keeps_all_as_it_is_and_is_said_once_in_one_line(
    files: Files, caplog: pytest.LogCaptureFixture
) -> None:
    before = files.config.version
    files.write("wrong", "wrong")
    with caplog.at_level(logging.WARNING):
        assert [files.config.poll() for _ in range(3)] == [None] * 3
    (said,) = [record.getMessage() for record in caplog.records]
    assert f"configuration {before} stays in force" in said
    assert "rules.yaml: line 1; peaks.yaml: line 1" in said
    assert files.config.version == before
    files.write("mended", "right")
    assert files.config.poll() == ["mended", "right"]


def test_whoever_asks_is_told_again_what_is_wrong_or_in_force(files: Files, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert files.config.poll(asked=True) is None
        files.write("wrong", "right")
        assert [files.config.poll(asked=True) for _ in range(2)] == [None] * 2
    assert ["in force already" in one.getMessage() for one in caplog.records] == [True, False, False]


def test_a_file_that_is_written_anew_as_it_was_changes_nothing(files: Files) -> None:
    files.write("right", "right")
    assert files.config.poll() is None
    assert files.read_count == 0


def test_a_file_that_is_gone_is_another_configuration(files: Files) -> None:
    before = version_of(files.paths)
    files.paths[0].unlink()
    assert version_of(files.paths) != before


def test_what_is_still_being_written_is_read_again(files: Files) -> None:
    files.write("half", "right")
    reading = files.read

    def read() -> list[str]:
        found = reading()
        if files.read_count == 1:
            files.write("whole", "right")
        return found

    config = ConfigFiles(lambda: files.paths, read, version="")
    assert config.poll(asked=True) is None
    assert config.poll() == ["whole", "right"]
