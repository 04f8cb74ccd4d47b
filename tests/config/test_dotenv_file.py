"""Reading and rewriting `.env`: nothing lost, nothing changed that was not meant, nothing half done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.secret_scan import leaks
from zoho_magic import ConfigurationError, Secret
from zoho_magic.config import dotenv_file

KEYS = frozenset({"ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN", "ZOHO_DC"})
HIDDEN = "S3C" + "R3T"
ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def env(isolated: Path) -> Path:
    return isolated / ".env"


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": ROOT},
    )


# Finding


def test_the_nearest_file_upwards_is_found(isolated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = isolated / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert dotenv_file.find() == below / ".env"
    (isolated / ".env").touch()
    assert dotenv_file.find() == isolated / ".env"


def test_a_signature_changes_with_the_file(env: Path) -> None:
    assert dotenv_file.fingerprint(env) is None
    env.write_text("A=1\n")
    before = dotenv_file.fingerprint(env)
    assert dotenv_file.fingerprint(env) == before
    env.write_text("A=12\n")
    assert dotenv_file.fingerprint(env) != before


# Reading


def test_a_missing_and_an_empty_file_have_no_values(env: Path) -> None:
    assert dotenv_file.read(env, KEYS) == {}
    env.touch()
    assert dotenv_file.read(env, KEYS) == {}


def test_only_the_keys_asked_for_are_read_as_they_stand(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    env.write_text("ZOHO_DC=${HOME}$x\nOTHER=1\nZOHO_CLIENT_ID=\nexport ZOHO_CLIENT_SECRET='a # b'  # c\n")
    assert dotenv_file.read(env, KEYS) == {"ZOHO_DC": "${HOME}$x", "ZOHO_CLIENT_SECRET": "a # b"}
    assert "ZOHO_DC" not in os.environ


def test_the_last_of_several_lines_counts(env: Path) -> None:
    env.write_text("ZOHO_DC=eu\nZOHO_DC=in\n")
    assert dotenv_file.read(env, KEYS) == {"ZOHO_DC": "in"}


@pytest.mark.parametrize("start", ["\ufeff", "", "\r\n", "\ufeff\r\n\r\n"])
def test_windows_files_are_read(env: Path, start: str) -> None:
    env.write_bytes(f"{start}ZOHO_DC=eu\r\nZOHO_CLIENT_ID=a\r\n".encode())
    assert dotenv_file.read(env, KEYS) == {"ZOHO_DC": "eu", "ZOHO_CLIENT_ID": "a"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"ZOHO_CLIENT_SECRET='{HIDDEN}", 1),
        (f"# c\n\n  \nZOHO_CLIENT_SECRET='{HIDDEN}\nA=1\n", 4),
        ("A=1\r\nZOHO_CLIENT_SE", 2),
        ("A=1\nexport ZOHO_DC\n", 2),
        (f"ZOHO_CLIENT_SECRET='{HIDDEN}\nZOHO_DC=eu'\n", 1),
        (f"ZOHO_CLIENT_SECRET={HIDDEN}\u200b\n", 1),
        (f"OTHER='a\nZOHO_CLIENT_SECRET={HIDDEN}\nX='y'\n", 1),
    ],
)
def test_a_broken_line_of_ours_is_named_and_not_quoted(env: Path, text: str, line: int) -> None:
    env.write_bytes(text.encode())
    with pytest.raises(ConfigurationError, match=rf"Line {line} of .*\.env is broken") as failure:
        dotenv_file.read(env, KEYS)
    assert "KEY=value" in failure.value.hint
    assert not leaks(failure.value, HIDDEN)


def test_a_broken_line_of_somebody_else_is_none_of_our_business(env: Path) -> None:
    env.write_text("# ZOHO_DC='\nOTHER='a $ZOHO_DC\nNAME\n=x\nZOHO_DC=eu\n")
    assert dotenv_file.read(env, KEYS) == {"ZOHO_DC": "eu"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ZOHO_CLIENT_SECRET=é".encode("latin-1"), "is not UTF-8"),
        (f"ZOHO_CLIENT_SECRET={HIDDEN}".encode("utf-16"), "is not UTF-8"),
        (f"ZOHO_CLIENT_SECRET={HIDDEN}".encode() + bytes(100), "zero bytes"),
    ],
)
def test_what_is_not_utf8_text_is_refused_and_left_alone(env: Path, content: bytes, said: str) -> None:
    env.write_bytes(content)
    for act in (lambda: dotenv_file.read(env, KEYS), lambda: dotenv_file.write(env, {"ZOHO_DC": "eu"})):
        with pytest.raises(ConfigurationError, match=said) as failure:
            act()
        assert not leaks(failure.value, HIDDEN)
    assert env.read_bytes() == content


def test_a_folder_is_refused(env: Path) -> None:
    env.mkdir()
    for act in (dotenv_file.check_writable, lambda path: dotenv_file.read(path, KEYS)):
        with pytest.raises(ConfigurationError, match="is a folder, not a file"):
            act(env)
    with pytest.raises(ConfigurationError, match="is a folder"):
        dotenv_file.write(env, {"ZOHO_DC": "eu"})


def test_a_path_through_a_file_cannot_be_read(isolated: Path) -> None:
    (isolated / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        dotenv_file.read(isolated / "file" / ".env", KEYS)


# Writing: values

printable = st.text(st.characters(codec="utf-8")).filter(str.isprintable)
nasty = st.text(alphabet="ab'\"`\\#$ {}=!%;&|<>*~", max_size=12)


@given(st.one_of(printable, nasty), st.sampled_from(["", "ZOHO_DC=old\n", "ZOHO_DC='old' # c\r\nB=1\r\n", "A=1"]))
def test_any_printable_value_comes_back_exactly(value: str, before: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, ".env")
        path.write_bytes(before.encode())
        dotenv_file.write(path, {"ZOHO_DC": value, "ZOHO_CLIENT_SECRET": Secret(value)})
        expected = {"ZOHO_DC": value, "ZOHO_CLIENT_SECRET": value} if value else {}
        assert dotenv_file.read(path, KEYS) == expected


@pytest.mark.parametrize("value", ["a\nEVIL=1", "a\rb", "a\x00b", "tab\tbed", "\u2028", "\ud800", "\x1b[0m", "\u200b"])
def test_a_value_that_is_not_printable_is_refused(env: Path, value: str) -> None:
    env.write_text("A=1\n")
    with pytest.raises(ConfigurationError, match="value for ZOHO_CLIENT_SECRET has a line break") as failure:
        dotenv_file.write(env, {"ZOHO_CLIENT_SECRET": Secret(HIDDEN + value)})
    assert not leaks(failure.value, HIDDEN)
    assert env.read_text() == "A=1\n"


# Writing: everything else in the file

_others = [
    "# a comment\n",
    "# ZOHO_DC=commented out\n",
    "\n",
    "   \n",
    "OTHER=1\n",
    "  INDENTED = 'x # y'  # why\n",
    'export A="b \\" c"\n',
    "MULTI='line one\nline two\n'\n",
    "BARE\n",
    "ZOHO_DCX=not ours\n",
    "OTHER=1\n",
    "= broken ' line\n",
    "UNICODE=ümlaut ✓\n",
    "X=  trailing   \n",
]
_ours = ["ZOHO_DC=us\n", "  ZOHO_DC = us\n", "export ZOHO_DC='us'\n", "export\tZOHO_DC=us # where\n", "ZOHO_DC\n"]


def _without_ours(content: bytes) -> list[bytes]:
    content = content.removeprefix(b"\xef\xbb\xbf")
    marks = (b"ZOHO_DC=", b"ZOHO_DC =", b"ZOHO_DC\n", b"ZOHO_DC\r")
    named = [line.strip(b" \t").removeprefix(b"export").strip(b" \t") for line in content.splitlines(keepends=True)]
    pairs = zip(content.splitlines(keepends=True), named, strict=True)
    return [line for line, name in pairs if not name.startswith(marks)]


@given(
    st.lists(st.sampled_from([*_others, *_ours]), max_size=10),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["in", None, "a 'b' \\ # c"]),
)
def test_every_other_line_stays_byte_for_byte(lines: list[str], crlf: bool, mark: bool, value: str | None) -> None:
    text = ("\ufeff" if mark else "") + "".join(lines)
    before = (text.replace("\n", "\r\n") if crlf else text).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, ".env")
        path.write_bytes(before)
        dotenv_file.write(path, {"ZOHO_DC": value})
        after = path.read_bytes()
        assert _without_ours(after) == _without_ours(before)
        assert after.startswith(b"\xef\xbb\xbf") is mark
        assert dotenv_file.read(path, KEYS) == ({"ZOHO_DC": value} if value else {})
        if before.endswith(b"\r\n"):
            assert after.count(b"\n") == after.count(b"\r\n")


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("A=1", "eu", "A=1\nZOHO_DC=eu\n"),
        ("A=1\r\n", "eu", "A=1\r\nZOHO_DC=eu\r\n"),
        ("\ufeff", "eu", "\ufeffZOHO_DC=eu\n"),
        ("ZOHO_DC=us", "eu", "ZOHO_DC=eu"),
        ("ZOHO_DC=us\nB=1\nZOHO_DC=in\n", "eu", "ZOHO_DC=eu\nB=1\nZOHO_DC=eu\n"),
        ("A=1\n\nexport ZOHO_DC='us' # mine\nB=1\n", "eu", "A=1\n\nexport ZOHO_DC=eu # mine\nB=1\n"),
        ('ZOHO_DC="a \\" # b"  # mine\n', "eu", "ZOHO_DC=eu  # mine\n"),
        ("ZOHO_DC=a#b # mine\n", "c d", "ZOHO_DC='c d' # mine\n"),
        ("ZOHO_DC= # mine\n", "eu", "ZOHO_DC=eu # mine\n"),
        ("ZOHO_DC='us'#mine\n", "eu", "ZOHO_DC=eu\n"),
        ("A=1\n\n  ZOHO_DC=us\nB=1\n", None, "A=1\n\nB=1\n"),
        ("A=1\r\n\r\nZOHO_DC=us\r\nB=1\r\n", None, "A=1\r\n\r\nB=1\r\n"),
        ("ZOHO_DC\nB=1\n", "eu", "ZOHO_DC=eu\nB=1\n"),
        ("ZOHO_DC\nB=1\n", None, "B=1\n"),
        ("ZOHO_DC='eu' # same\n", "eu", "ZOHO_DC='eu' # same\n"),
    ],
)
def test_a_line_is_changed_in_its_place(env: Path, before: str, value: str | None, after: str) -> None:
    env.write_bytes(before.encode())
    dotenv_file.write(env, {"ZOHO_DC": value})
    assert env.read_bytes() == after.encode()


def test_a_quote_that_never_closes_swallows_nothing(env: Path) -> None:
    before = f"OTHER='open {HIDDEN}\nA=1\nZOHO_DC=us\n"
    env.write_text(before)
    with pytest.raises(ConfigurationError, match="quote that never closes") as failure:
        dotenv_file.write(env, {"ZOHO_CLIENT_SECRET": Secret(f"it's {HIDDEN}")})
    assert not leaks(failure.value, HIDDEN)
    assert env.read_text() == before


def test_removing_what_is_not_there_makes_no_file(env: Path) -> None:
    dotenv_file.write(env, {"ZOHO_DC": None})
    assert not env.exists()
    assert list(env.parent.iterdir()) == []


# Writing: the file itself


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
@pytest.mark.parametrize("mode", [None, 0o644, 0o666, 0o640])
def test_the_mode_is_0600_whatever_it_was(env: Path, umask: int, mode: int | None) -> None:
    if mode is not None:
        env.touch()
        env.chmod(mode)
    before = os.umask(umask)
    try:
        dotenv_file.write(env, {"ZOHO_DC": "eu"})
    finally:
        os.umask(before)
    assert env.stat().st_mode & 0o777 == 0o600
    assert env.read_text() == "ZOHO_DC=eu\n"
    assert sorted(path.name for path in env.parent.iterdir()) == [".env"]


def test_a_file_that_stays_the_same_is_only_tightened(env: Path) -> None:
    env.write_text("ZOHO_DC=eu\n")
    env.chmod(0o644)
    inode = env.stat().st_ino
    dotenv_file.write(env, {"ZOHO_DC": "eu"})
    assert (env.stat().st_ino, env.stat().st_mode & 0o777) == (inode, 0o600)


@pytest.mark.parametrize("exists", [True, False])
def test_a_symlink_is_followed(env: Path, isolated: Path, exists: bool) -> None:
    real = isolated / "elsewhere" / "secrets"
    real.parent.mkdir()
    if exists:
        real.write_text("A=1\n")
    env.symlink_to(real)
    dotenv_file.check_writable(env)
    dotenv_file.write(env, {"ZOHO_DC": "eu"})
    assert env.is_symlink()
    assert real.read_text() == ("A=1\n" if exists else "") + "ZOHO_DC=eu\n"
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give a file away")
def test_root_leaves_the_file_to_its_owner(env: Path) -> None:
    env.write_text("A=1\n")
    os.chown(env, 65534, 65534)
    dotenv_file.write(env, {"ZOHO_DC": "eu"})
    assert (env.stat().st_uid, env.stat().st_gid) == (65534, 65534)


def test_checking_changes_nothing(env: Path) -> None:
    dotenv_file.check_writable(env)
    assert list(env.parent.iterdir()) == []
    env.write_text("A=1\n")
    before = dotenv_file.fingerprint(env)
    dotenv_file.check_writable(env)
    assert dotenv_file.fingerprint(env) == before
    assert [path.name for path in env.parent.iterdir()] == [".env"]


def test_a_folder_that_is_not_there_is_named(isolated: Path) -> None:
    for act in (
        dotenv_file.check_writable,
        lambda path: dotenv_file.write(path, {"ZOHO_CLIENT_SECRET": Secret(HIDDEN)}),
    ):
        with pytest.raises(ConfigurationError, match="its folder does not exist") as failure:
            act(isolated / "nowhere" / ".env")
        assert "ZohoSession.from_env(path)" in failure.value.hint
        assert not leaks(failure.value, HIDDEN)


def test_another_writer_that_does_not_end_is_told(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dotenv_file, "LOCK_SECONDS", 0.0)
    with dotenv_file._locked(env), pytest.raises(ConfigurationError, match="another process is writing it"):
        dotenv_file.write(env, {"ZOHO_DC": "eu"})


def test_an_interrupt_while_saving_remembers_nothing(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    env.write_text(f"OLD={HIDDEN}\n")
    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt) as failure:
        dotenv_file.write(env, {"ZOHO_CLIENT_SECRET": Secret(HIDDEN)})
    assert not leaks(failure.value, HIDDEN)
    assert [path.name for path in env.parent.iterdir()] == [".env"]
    assert env.read_text() == f"OLD={HIDDEN}\n"


def test_a_full_disk_leaves_the_old_file(env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    env.write_text(f"OLD={HIDDEN}\n")
    real_open = os.open

    def full(path: object, *arguments: int) -> int:
        return real_open("/dev/full", os.O_WRONLY) if str(path).endswith(".tmp") else real_open(path, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", full)
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    with pytest.raises(ConfigurationError, match="the disk is full") as failure:
        dotenv_file.write(env, {"ZOHO_CLIENT_SECRET": Secret(HIDDEN)})
    assert not leaks(failure.value, HIDDEN)
    assert env.read_text() == f"OLD={HIDDEN}\n"


# A read-only place, and a mounted file


@contextmanager
def nobody() -> Iterator[None]:
    """Without root's right to write everywhere."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        if root:
            os.setresuid(0, 0, 0)


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that another user can look into, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def _refusals(path: Path) -> list[str]:
    told = []
    for act in (
        dotenv_file.check_writable,
        lambda path: dotenv_file.write(path, {"ZOHO_CLIENT_SECRET": Secret(HIDDEN)}),
    ):
        with nobody(), pytest.raises(ConfigurationError) as failure:
            act(path)
        assert not leaks(failure.value, HIDDEN)
        told.append(str(failure.value))
    return told


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
@pytest.mark.parametrize(("mode", "folder_mode"), [(0o666, 0o555), (0o444, 0o777)])
def test_what_is_read_only_is_told_beforehand_and_not_replaced(public: Path, mode: int, folder_mode: int) -> None:
    path = public / ".env"
    path.write_text(f"OLD={HIDDEN}\n")
    path.chmod(mode)
    public.chmod(folder_mode)
    assert (
        _refusals(path)
        == [
            f"{path} cannot be saved: it or its folder is read-only.\n"
            "-> Make the file and its folder writable, or use another file: ZohoSession.from_env(path)."
        ]
        * 2
    )
    assert path.read_text() == f"OLD={HIDDEN}\n"
    assert [each.name for each in public.iterdir()] == [".env"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_an_unreadable_file_is_told(public: Path) -> None:
    path = public / ".env"
    path.write_text(f"OLD={HIDDEN}\n")
    path.chmod(0o000)
    assert (
        _refusals(path)
        == [f"{path} cannot be read (Permission denied).\n-> Make it readable for you, then run again."] * 2
    )


_TRIED = """
import sys
from pathlib import Path
from zoho_magic import ConfigurationError
from zoho_magic.config import dotenv_file
for act in (dotenv_file.check_writable, lambda path: dotenv_file.write(path, {"ZOHO_DC": "eu"})):
    try:
        act(Path(sys.argv[1]))
    except ConfigurationError as error:
        print(error)
"""


def test_a_mounted_file_is_told_beforehand(isolated: Path) -> None:
    source, target = isolated / "source", isolated / ".env"
    source.write_text("A=1\n")
    target.touch()
    namespace = ["unshare", "--mount", "sh", "-c"]
    mount = 'mount --bind "$0" "$1" && '
    try:
        allowed = subprocess.run([*namespace, mount + "true", source, target], capture_output=True, check=False)
    except OSError as error:
        pytest.skip(f"no mount namespaces here: {error}")
    if allowed.returncode != 0:
        pytest.skip(f"mount --bind is not permitted here: {allowed.stderr.decode()}")
    command = [*namespace, mount + '"$2" -c "$3" "$1"', source, target, sys.executable, _TRIED]
    environment = {**os.environ, "PYTHONPATH": ROOT}
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.stdout.count("it is mounted into this container by itself; mount its folder instead") == 2, done.stderr
    assert source.read_text() == "A=1\n"
    assert sorted(path.name for path in isolated.iterdir()) == [".env", "source"]


# Killed, and several at once

_KILLED = """
import os, signal, sys
from pathlib import Path
from zoho_magic import Secret
from zoho_magic.config import dotenv_file

path, old = Path(sys.argv[1]), sys.argv[2]
changes = {"ZOHO_REFRESH_TOKEN": Secret("new" * 2000), "ZOHO_GRANT_CODE": None}

def is_of_the_system(call):
    owner = getattr(call, "__self__", None)
    return getattr(owner, "__name__", "") in ("posix", "fcntl") or type(owner).__module__ == "_io"

def dying_at(step):
    calls = 0
    def watch(frame, event, call):
        nonlocal calls
        if event in ("c_call", "c_return") and is_of_the_system(call):
            calls += 1
            if calls == step:
                os.kill(os.getpid(), signal.SIGKILL)
    return watch

def one(step):
    path.write_bytes(old.encode())
    child = os.fork()
    if child == 0:
        sys.setprofile(dying_at(step))
        dotenv_file.write(path, changes)
        sys.setprofile(None)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0

dotenv_file.write(path, changes)
new = path.read_bytes()
outcomes, step = [], 0
finished = False
while not finished:
    step += 1
    finished = one(step)
    left = path.read_bytes()
    assert left in (old.encode(), new), (step, left[:100])
    outcomes.append(left == new)
assert os.stat(path).st_mode & 0o777 == 0o600 and outcomes[-1]
print(step, outcomes.index(True))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_step_leaves_the_old_file_or_the_new_one(env: Path) -> None:
    old = "# mine\nZOHO_GRANT_CODE=abc\nOTHER='x'\nZOHO_REFRESH_TOKEN=" + "old" * 2000 + "\n"
    env.write_text(old)
    done = run(_KILLED, env, old)
    assert done.returncode == 0, done.stderr
    steps, first_new = map(int, done.stdout.split())
    assert steps > 30, "the process was killed at too few places to mean anything"
    assert 10 < first_new < steps, "old and new must both have been seen"
    dotenv_file.write(env, {"ZOHO_DC": "eu"})
    assert [path.name for path in env.parent.iterdir()] == [".env"], "what killed processes left is swept away"


_WRITER = """
import sys
from pathlib import Path
from zoho_magic.config import dotenv_file
for number in range(25):
    dotenv_file.write(Path(sys.argv[1]), {f"ZOHO_{sys.argv[2]}_{number}": "x"})
"""


def test_two_processes_that_write_at_once_lose_nothing(env: Path) -> None:
    env.write_text("A=1\n")
    environment = {**os.environ, "PYTHONPATH": ROOT}
    command = [sys.executable, "-W", "error", "-c", _WRITER, str(env)]
    writers = [subprocess.Popen([*command, name], env=environment) for name in ("ONE", "TWO")]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    expected = {f"ZOHO_{name}_{number}" for name in ("ONE", "TWO") for number in range(25)}
    assert set(dotenv_file.read(env, frozenset(expected))) == expected
    assert env.read_text().startswith("A=1\n")


def test_threads_that_write_at_once_lose_nothing(env: Path) -> None:
    keys = [f"ZOHO_{number}" for number in range(12)]
    threads = [threading.Thread(target=dotenv_file.write, args=(env, {key: "x"})) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(dotenv_file.read(env, frozenset(keys))) == set(keys)


# Git


@pytest.fixture
def repository(isolated: Path) -> Path:
    if shutil.which("git") is None:
        pytest.skip("no git here")
    subprocess.run(["git", "init", "-q", str(isolated)], check=True)
    return isolated


def test_git_does_not_matter_outside_a_repository(env: Path) -> None:
    assert dotenv_file.git_exposure(env) == ""
    env.touch()
    assert dotenv_file.git_exposure(env) == ""


def test_git_would_take_a_file_that_is_not_ignored(repository: Path, env: Path) -> None:
    env.touch()
    assert dotenv_file.git_exposure(env) == "not ignored"
    (repository / ".gitignore").write_text(".env\n")
    assert dotenv_file.git_exposure(env) == ""


def test_a_tracked_file_is_told_even_when_it_is_ignored(repository: Path, env: Path) -> None:
    env.touch()
    subprocess.run(["git", "-C", str(repository), "add", ".env"], check=True)
    (repository / ".gitignore").write_text(".env\n")
    assert dotenv_file.git_exposure(env) == "tracked"


def test_without_git_there_is_no_warning(repository: Path, env: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env.touch()
    monkeypatch.setenv("PATH", str(repository))
    assert dotenv_file.git_exposure(env) == ""
