"""A Secret shows itself to nobody who did not ask."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import json
import pickle
import pprint
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.secret_scan import leaks
from zoho_magic import Secret

TEXT = "S3C" + "R3T-value"


@pytest.fixture
def secret() -> Secret:
    return Secret(TEXT)


def test_it_gives_the_value_to_whoever_asks(secret: Secret) -> None:
    assert secret.reveal() == TEXT


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        ascii,
        lambda secret: f"{secret} {secret!r} {secret!s:>30}",
        lambda secret: f"{secret:>30}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031  # a way people still format
        lambda secret: "{} {!r}".format(secret, secret),  # noqa: UP032
        lambda secret: str([secret, {"k": secret}, (secret,)]),
        pprint.pformat,
        dir,
        lambda secret: inspect.getmembers(secret, lambda member: not callable(member)),
        lambda secret: [getattr(secret, name) for name in Secret.__slots__],
        lambda secret: secret.__getstate__() if hasattr(secret, "__getstate__") else "",
    ],
)
def test_no_way_of_showing_it_shows_it(secret: Secret, show: object) -> None:
    assert TEXT not in str(show(secret))  # type: ignore[operator]


def test_it_has_no_dict_to_look_into(secret: Secret) -> None:
    with pytest.raises(TypeError):
        vars(secret)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_it_refuses_to_be_pickled(secret: Secret, protocol: int) -> None:
    with pytest.raises(TypeError, match="refuses to be pickled") as refusal:
        pickle.dumps({"inside": secret}, protocol)
    assert not leaks(refusal.value, TEXT)


def test_json_refuses_it_without_quoting_it(secret: Secret) -> None:
    with pytest.raises(TypeError) as refusal:
        json.dumps({"token": secret})
    assert TEXT not in str(refusal.value)


def test_copies_are_the_same_object(secret: Secret) -> None:
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_it_survives_asdict_masked(secret: Secret) -> None:
    holder = dataclasses.make_dataclass("Holder", ["token"])(secret)
    assert TEXT not in repr(holder) + repr(dataclasses.asdict(holder))


def test_it_cannot_be_changed(secret: Secret) -> None:
    with pytest.raises(AttributeError, match="read-only"):
        secret.reveal = lambda: "other"
    with pytest.raises(AttributeError, match="read-only"):
        del secret.reveal
    assert secret.reveal() == TEXT


def test_it_is_compared_by_value_and_only_with_its_kind(secret: Secret) -> None:
    assert secret == Secret(TEXT)
    assert secret != Secret(TEXT + "x")
    assert secret != TEXT


def test_it_has_no_hash_to_recognise_it_by(secret: Secret) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(secret)


def test_an_empty_one_is_false() -> None:
    assert not Secret("")
    assert Secret("x")


@given(st.text(alphabet=st.characters(codec=None)), st.text())
def test_any_two_texts_compare_without_an_error_that_quotes_them(left: str, right: str) -> None:
    assert (Secret(left) == Secret(right)) is (left == right)
    assert Secret(left + "\ud800") == Secret(left + "\ud800")


def test_a_verbose_traceback_shows_it_masked(secret: Secret) -> None:
    def fails(token: Secret) -> None:
        raise ValueError(f"{token}")

    with pytest.raises(ValueError, match=r"\*\*\*\*") as failure:
        fails(secret)
    lines = traceback.TracebackException.from_exception(failure.value, capture_locals=True).format()
    # The test's own line names the value; the frame that got only the Secret is the last one.
    assert TEXT not in "".join(lines).split("in fails")[-1]


def test_the_search_for_leaks_finds_what_is_there() -> None:
    namespace = {"__file__": "elsewhere.py", "Secret": Secret}
    code = compile(
        "def plain(token):\n raise ValueError('no')\n"
        "def quoted(token):\n raise ValueError(token)\n"
        "def behind(token):\n try: quoted(token)\n except ValueError: token = None; raise KeyError from None\n"
        "def deep(token):\n held = [{'request': (b'secret=' + token.encode(),)}]; token = None; raise ValueError\n"
        "def wrapped(token):\n token = Secret(token); raise ValueError(token)\n",
        "elsewhere.py",
        "exec",
    )
    exec(code, namespace)
    for name in ("plain", "quoted", "behind", "deep"):
        with pytest.raises((ValueError, KeyError)) as failure:
            namespace[name](TEXT)
        assert leaks(failure.value, TEXT), name
    with pytest.raises(ValueError, match=r"\*") as failure:
        namespace["wrapped"](TEXT)
    assert not leaks(failure.value, TEXT)
