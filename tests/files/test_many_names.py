"""A pattern that matches more names than one request carries."""

from pathlib import Path

import pytest

from qga_cli.files.rm_mkdir_mv import batches
from tests.kit.command import Far

COUNT = 2200


@pytest.mark.slow
def test_rm_and_mv_of_more_names_than_a_request_carries(near: Far) -> None:
    folder = Path(near.folder)
    for name in ("from", "to"):
        (folder / name).mkdir()
    for number in range(COUNT):
        (folder / "from" / f"{number:0240}").touch()
    near.good("mv", "FAR/from/*", "FAR/to")
    assert len(list((folder / "to").iterdir())) == COUNT
    (folder / "to" / f"{0:0240}").unlink()
    (folder / "to" / f"{0:0240}").mkdir()
    done = near("rm", "FAR/to/*")
    assert (done.code, "Is a directory" in done.err) == (1, True)
    assert len(list((folder / "to").iterdir())) == 1


def test_no_batch_of_several_is_of_one() -> None:
    """Two words are a new name for mv, and not a folder to go into."""
    assert batches(["a"], 10) == [["a"]]
    assert batches(["a", "b", "c"], 10**6) == [["a", "b", "c"]]
    words = ["x" * 10] * 4 + ["y" * 10]
    assert batches(words, 4 * 12) == [words[:3], words[3:]]
