"""Which guests a word means: pure text first, then what hosts make of it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qga_cli.errors import NoGuest, UsageError
from qga_cli.guests.fold import fold
from qga_cli.guests.selection import has_labels, matching
from qga_cli.guests.targets import Target, is_fleet, selectors
from qga_cli.transports import ListedGuest, connect
from tests.kit.command import qga

HOSTS = {"alpha": "qemu+tcp://alpha/system", "beta": "qemu+tcp://beta/system"}
GROUPS = {
    "web": ["web*", "db1"],
    "all": ["@web", "alpha/x"],
    "loop": ["a", "@pool"],
    "pool": ["@loop"],
}
UUID = "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"
GUESTS = [
    ListedGuest("web1", state="running"),
    ListedGuest("web2", state="shut off"),
    ListedGuest("web3", state="paused"),
    ListedGuest("db 1", state="running"),
    ListedGuest("-dash", state="running"),
    ListedGuest("gäst", state="running"),
    ListedGuest("7", state="running"),
    ListedGuest("all*", uuid=UUID, id=12, state="running"),
]


def words(text: str) -> list[tuple[str, str]]:
    return [(selector.host, selector.word) for selector in selectors(text, None, HOSTS, GROUPS)]


def names(word: str, state: str = "") -> list[str]:
    return [guest.name for guest in matching(GUESTS, word, state)]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("web1", [("", "web1")]),
        ("web1,db1", [("", "web1"), ("", "db1")]),
        ("alpha/web1", [("alpha", "web1")]),
        ("*/web*", [("alpha", "web*"), ("beta", "web*")]),
        ("b*/x,y", [("beta", "x"), ("", "y")]),
        ("@web", [("", "web*"), ("", "db1")]),
        ("@all,z", [("", "web*"), ("", "db1"), ("alpha", "x"), ("", "z")]),
        ("gamma/x", [("", "gamma/x")]),  # no host of ours: libvirt allows a slash in a name
        ("my vm", [("", "my vm")]),
        ("-dash", [("", "-dash")]),
    ],
)
def test_words_become_wishes(text: str, meant: list[tuple[str, str]]) -> None:
    assert words(text) == meant


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "an empty guest name"),
        ("a,,b", "an empty guest name"),
        ("@nosuch", "no group @nosuch"),
        ("@loop", "contains itself"),
        ("g*/x", "no host matches 'g*'"),
        ("alpha/", "names a host and no guest"),
    ],
)
def test_mistakes_are_named(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match=re.escape(complaint)):
        words(text)


@pytest.mark.parametrize(
    ("text", "fleet"),
    [("web1", False), ("alpha/web1", False), ("a,b", True), ("web*", True), ("we[bc]1", True),
     ("*", True), ("@web", True), ("*/web1", True)],
)  # fmt: skip
def test_the_syntax_alone_tells_a_fleet(text: str, fleet: bool) -> None:
    assert is_fleet(text) is fleet


@settings(deadline=None)
@given(st.text())
def test_any_text_is_wishes_or_a_mistake_of_the_user(text: str) -> None:
    try:
        found = words(text)
    except UsageError:
        return
    assert found
    assert all(word for _, word in found)


PLAIN = st.text(
    st.characters(blacklist_characters=",*?[/@", blacklist_categories=["Cs"]), min_size=1
)


@settings(deadline=None)
@given(st.lists(PLAIN, min_size=1))
def test_a_list_of_names_is_those_names(given_names: list[str]) -> None:
    text = ",".join(given_names)
    assert words(text) == [("", name) for name in given_names]
    assert is_fleet(text) is (len(given_names) > 1)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("web*", ["web1"]),
        ("*", ["web1", "db 1", "-dash", "gäst", "7", "all*"]),
        ("web2", ["web2"]),
        ("db 1", ["db 1"]),
        ("g?st", ["gäst"]),
        ("all*", ["all*"]),  # as a glob
        (UUID, ["all*"]),
        (UUID.replace("-", "").upper(), ["all*"]),
        ("12", ["all*"]),
        ("7", ["7"]),  # a name goes before an id
        ("nosuch", []),
        ("WEB1", []),
    ],
)
def test_which_guests_a_word_finds(word: str, found: list[str]) -> None:
    assert names(word) == found


@pytest.mark.parametrize(
    ("word", "state", "found"),
    [
        ("web*", "all", ["web1", "web2", "web3"]),
        ("web*", "shut-off", ["web2"]),
        ("web*", "paused", ["web3"]),
        ("web1", "paused", []),
        ("web3", "paused", ["web3"]),
    ],
)
def test_states_narrow(word: str, state: str, found: list[str]) -> None:
    assert names(word, state) == found


def test_a_guest_whose_state_nobody_tells_is_in_any_state() -> None:
    assert matching([ListedGuest("sock")], "*", "paused")


def test_labels() -> None:
    labels = {"title": ["Web server 1"], "role": ["web", "front"], "": []}
    assert has_labels(labels, ["role=web", "title=Web*"])
    assert has_labels(labels, [])
    assert not has_labels(labels, ["role=web", "title=Db*"])
    assert not has_labels(labels, ["nosuch=*"])


@pytest.mark.parametrize(
    ("given_names", "folded"),
    [
        (["web1"], "web1"),
        (["web1", "web2", "web3", "db1"], "db1,web[1-3]"),
        (["web3", "web1", "web9"], "web[1,3,9]"),
        (["n08", "n09", "n10"], "n[08-10]"),
        (["n8", "n9", "n10"], "n[8-10]"),
        (["alpha/web1", "alpha/web2", "beta/web1"], "alpha/web[1-2],beta/web1"),
        (["a1b", "a2b"], "a[1-2]b"),
        (["x", "x", "y"], "x,y"),
        (["odd[1]", "odd[2]"], "odd[1],odd[2]"),
    ],
)
def test_names_fold(given_names: list[str], folded: str) -> None:
    assert fold(given_names) == folded


def unfold(text: str) -> list[str]:
    """What clush and pdsh make of a folded set."""
    found = []
    for word in re.findall(r"(?:\[[^\]]*\]|[^,\[])+", text):
        match = re.fullmatch(r"([^\[]*)\[([^\]]*)\](.*)", word)
        if not match:
            found.append(word)
            continue
        for part in match[2].split(","):
            first, _, last = part.partition("-")
            numbers = range(int(first), int(last or first) + 1)
            found += [f"{match[1]}{number:0{len(first)}}{match[3]}" for number in numbers]
    return found


@pytest.mark.slow
@settings(deadline=None)
@given(st.lists(st.from_regex(r"\A[a-z]{1,3}[0-9]{0,4}[a-z]{0,2}\Z")))
def test_folding_loses_nobody(given_names: list[str]) -> None:
    assert sorted(unfold(fold(given_names))) == sorted(set(given_names))


@pytest.mark.parametrize(
    ("target", "start", "thaw"),
    [
        (Target(None, "web1", "web1"), "virsh start web1", "qga fs thaw web1"),
        (Target(None, "my VM", "my VM"), "virsh start 'my VM'", "qga fs thaw 'my VM'"),
        (Target(None, "-x", "-x"), "virsh start -- -x", "qga fs thaw -- -x"),
        (Target(None, "$(id)", "$(id)"), "virsh start '$(id)'", "qga fs thaw '$(id)'"),
        (Target("test:///?a&b", "v", "h/v"), "virsh -c 'test:///?a&b' start v", "qga fs thaw h/v"),
        (Target("pve", "100", "100"), "qm start 100", "qga fs thaw 100"),
        (Target("pve", "web1", "p/web1"), "qm start VMID", "qga fs thaw p/web1"),
    ],
)  # fmt: skip
def test_hints_can_be_typed(target: Target, start: str, thaw: str) -> None:
    hint = target.typable("`virsh start VM`, then `qga fs thaw VM`; see VMs")
    assert hint == f"`{start}`, then `{thaw}`; see VMs"


@pytest.mark.slow
def test_libvirt_finds_odd_names_and_suggests_the_near_ones() -> None:
    connect = ("-c", "test:///default", "ping")
    assert "no guest named 'tes'" in qga(*connect, "tes").err
    assert "did you mean test?" in qga(*connect, "tes").err
    assert "did you mean test?" in qga(*connect, "test,tset").err
    assert qga(*connect, "test,tset").code == 4
    # The test driver knows its guest and has no agent calls: being refused is being found.
    for name in ("1", "6695eb01-f6a4-8304-79aa-97f2502e193f"):
        assert "no guest agent calls" in qga(*connect, name).err
    nobody = qga(*connect, "x*")
    assert (nobody.code, "no running guest matches 'x*'" in nobody.err) == (4, True)
    assert "[hosts] of the configuration" in qga(*connect, "h/test").err
    assert "no paused guest matches '*'" in qga(*connect, "*", "--state", "paused").err


def test_bytes_that_are_no_text_name_no_guest_and_no_host() -> None:
    for name in ("\udcff", "\u00b3"):  # a digit and no number
        guest = qga("-c", "test:///default", "ping", name)
        assert (guest.code, "no guest named" in guest.err) == (4, True)
    with pytest.raises(NoGuest):  # as a scrape of the exporter can say it
        connect("test:///default").open("te\0st")
    host = qga("-c", "test:///\udcff", "ping", "test")
    assert (host.code, "cannot connect to" in host.err) == (2, True)
