"""The queue on disk."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from schemas.errors import PermanentError
from storage.rows import Block, to_block
from storage.spool import DiskSpool, SpoolFull
from tests.unit.storage.stand_ins import make_review, make_window


def _block(number: int) -> Block:
    return Block("t", ("a", "b"), [[number, number + 1], ["x", "手机"]])


def _drained(spool: DiskSpool) -> list[Block]:
    found = []
    while (block := spool.oldest()) is not None:
        found.append(block)
        spool.drop()
    return found


def _segments(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.spool"))


@contextmanager
def _files_no_longer_than(size: int) -> Iterator[None]:
    """As on a full disk: a write beyond the size writes what fits, the next fails (Python ignores SIGXFSZ)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_blocks_come_out_in_the_order_in_which_they_went_in(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path, segment_bytes=100)
    for number in range(10):
        spool.append([_block(number), _block(number + 100)])
    assert spool.records == 20
    assert [block.columns[0][0] for block in _drained(spool)] == [
        at for number in range(10) for at in (number, number + 100)
    ]
    assert spool.records == spool.size_bytes == 0
    assert _segments(tmp_path) == []


def test_the_oldest_stays_until_it_is_dropped(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path)
    spool.append([_block(1)])
    assert spool.oldest() == spool.oldest() == _block(1)


def test_rows_of_every_shape_come_back_as_they_were(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path)
    blocks = [to_block([make_review(1), make_review(3)]), to_block([make_window(1), make_window(2)])]
    spool.append(blocks)
    assert _drained(spool) == blocks


def test_what_was_not_dropped_is_there_after_a_restart(tmp_path: Path) -> None:
    first = DiskSpool(tmp_path, segment_bytes=10)
    for number in range(4):
        first.append([_block(number)])
    first.drop()
    first.close()
    second = DiskSpool(tmp_path)
    second.append([_block(9)])
    assert [block.columns[0][0] for block in _drained(second)] == [1, 2, 3, 9]


@pytest.mark.parametrize("cut", [1, 5, 12, 20])
def test_a_cut_off_end_is_no_record_and_no_damage(tmp_path: Path, cut: int) -> None:
    first = DiskSpool(tmp_path)
    first.append([_block(1)])
    whole = _segments(tmp_path)[0].stat().st_size
    first.append([_block(2)])
    first.close()
    os.truncate(_segments(tmp_path)[0], whole + cut)
    second = DiskSpool(tmp_path)
    assert _drained(second) == [_block(1)]
    assert second.damaged == 0


def test_zeros_after_a_loss_of_power_are_no_damage(tmp_path: Path) -> None:
    first = DiskSpool(tmp_path)
    first.append([_block(1)])
    first.close()
    with _segments(tmp_path)[0].open("ab") as file:
        file.write(bytes(4096))
    second = DiskSpool(tmp_path)
    assert _drained(second) == [_block(1)]
    assert second.damaged == 0


def test_a_flipped_bit_costs_one_record_that_is_set_aside_and_counted(tmp_path: Path) -> None:
    first = DiskSpool(tmp_path)
    for number in range(3):
        first.append([_block(number)])
    first.close()
    path = _segments(tmp_path)[0]
    content = bytearray(path.read_bytes())
    size = (len(content) - 8) // 3
    content[8 + size + 15] ^= 1
    path.write_bytes(content)
    second = DiskSpool(tmp_path)
    assert _drained(second) == [_block(0), _block(2)]
    assert second.damaged == 1
    assert path.with_suffix(".damaged").stat().st_size > 0


def test_damage_while_running_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path)
    spool.append([_block(0)])
    spool.append([_block(1)])
    path = _segments(tmp_path)[0]
    content = bytearray(path.read_bytes())
    content[25] ^= 1
    path.write_bytes(content)
    assert _drained(spool) == [_block(1)]
    assert spool.damaged == 1


def test_a_file_that_is_no_segment_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "0000000001.spool").write_bytes(b"something else altogether")
    spool = DiskSpool(tmp_path)
    assert spool.oldest() is None
    assert spool.damaged == 1


def test_over_its_limit_it_keeps_nothing_of_the_batch(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path, max_bytes=120)
    spool.append([_block(1)])
    with pytest.raises(SpoolFull, match="full"):
        spool.append([_block(2), _block(3), _block(4)])
    assert _drained(spool) == [_block(1)]
    spool.append([_block(5)])
    assert _drained(spool) == [_block(5)]


def test_on_a_full_disk_it_keeps_nothing_of_the_batch_and_goes_on_later(tmp_path: Path) -> None:
    spool = DiskSpool(tmp_path)
    spool.append([_block(1)])
    with _files_no_longer_than(spool.size_bytes + 10), pytest.raises(SpoolFull):
        spool.append([_block(2)])
    with _files_no_longer_than(4), pytest.raises(SpoolFull):
        spool.append([_block(2)])
    spool.append([_block(3)])
    assert spool.records == 2
    spool.close()
    again = DiskSpool(tmp_path)
    assert _drained(again) == [_block(1), _block(3)]
    assert again.damaged == 0


def test_a_directory_has_one_owner(tmp_path: Path) -> None:
    first = DiskSpool(tmp_path)
    with pytest.raises(PermanentError, match="in use by another process"):
        DiskSpool(tmp_path)
    first.close()
    DiskSpool(tmp_path).close()


def test_what_append_has_returned_survives_kill_9(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from storage.rows import Block
        from storage.spool import DiskSpool
        spool = DiskSpool(Path(sys.argv[1]), segment_bytes=4096)
        for number in range(10**9):
            spool.append([Block("t", ("a",), [[number] * 50])])
            print(number, flush=True)
    """)
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(200):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().splitlines()
    acknowledged = int(rest[-1]) if rest else 199
    numbers = [block.columns[0][0] for block in _drained(DiskSpool(tmp_path))]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > acknowledged
