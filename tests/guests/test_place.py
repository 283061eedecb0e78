"""VM:PATH is read as by docker cp and scp."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qga_cli.errors import UsageError
from qga_cli.guests.place import parse

NAMES = st.text(st.characters(exclude_characters=":\0", exclude_categories=["Cs"]), min_size=1)
PATHS = st.text(st.characters(exclude_characters="\0"), min_size=1)


@pytest.mark.parametrize(
    ("text", "guest", "path"),
    [
        ("web1:/etc/hosts", "web1", "/etc/hosts"),
        ("web1:etc/hosts", "web1", "/etc/hosts"),
        ("web1:/a:b", "web1", "/a:b"),
        ("web1:-rf", "web1", "/-rf"),
        ("lab/web1:/x", "lab/web1", "/x"),
        ("web*:/x", "web*", "/x"),
        ("@all:/x", "@all", "/x"),
        ("web1:C:\\dir\\f", "web1", "C:\\dir\\f"),
        ("web1:C:/dir/f", "web1", "C:/dir/f"),
        ("web1:\\\\server\\share", "web1", "\\\\server\\share"),
        ("file", "", "file"),
        ("./a:b", "", "./a:b"),
        ("../a:b", "", "../a:b"),
        ("/a:b", "", "/a:b"),
        ("-", "", "-"),
    ],
)
def test_a_place_is_read(text: str, guest: str, path: str) -> None:
    place = parse(text)
    assert (place.guest, place.path) == (guest, path)


@pytest.mark.parametrize("text", ["", ":/etc/hosts", "web1:"])
def test_half_a_place_is_an_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "name", "is_folder", "is_contents"),
    [
        ("web1:/etc/hosts", "hosts", False, False),
        ("web1:/etc/", "etc", True, False),
        ("web1:/etc/.", "etc", True, True),
        ("web1:/", "", True, True),
        ("web1:/.", "", True, True),
        ("web1:/etc/..", "", True, True),
        ("web1:/etc/.hidden", ".hidden", False, False),
        ("web1:C:\\dir\\f", "f", False, False),
        ("web1:C:\\dir\\", "dir", True, False),
        ("web1:C:\\", "", True, True),
        ("web1:/a\\b", "a\\b", False, False),
        (".", "", True, True),
        ("..", "", True, True),
        ("dir/.", "dir", True, True),
        ("./", "", True, True),
        ("../", "", True, True),
        ("dir/./", "dir", True, True),
        ("dir//", "dir", True, False),
        ("a/../dir", "dir", False, False),
        ("dir", "dir", False, False),
    ],
)
def test_the_last_part(text: str, name: str, is_folder: bool, is_contents: bool) -> None:
    place = parse(text)
    assert (place.name, place.is_folder, place.is_contents) == (name, is_folder, is_contents)


def test_only_a_lone_dash_is_a_stream() -> None:
    assert parse("-").is_stream
    assert not parse("web1:-").is_stream
    assert not parse("./-").is_stream


@settings(deadline=None)
@given(NAMES.filter(lambda name: name[0] not in "/."), PATHS)
def test_the_first_colon_decides_and_nothing_is_lost(guest: str, path: str) -> None:
    place = parse(f"{guest}:{path}")
    assert place.guest == guest
    assert place.path in (path, "/" + path)
    assert place.path.startswith("/") or place.windows
    assert "/" not in place.name
    assert parse(str(place)).path == place.path


@settings(deadline=None)
@given(PATHS)
def test_what_begins_with_a_slash_or_a_dot_is_here(path: str) -> None:
    for text in ("/" + path, "./" + path):
        place = parse(text)
        assert (place.guest, place.path) == ("", text)
