"""A string that never shows itself."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["MaskedText", "Secret"]


class MaskedText(str):
    """A text whose `repr` is masked, for a header that goes through other people's frames.

    A traceback that shows locals prints the `repr` of a dictionary of headers; the header that is sent is the text.

    Example::

        >>> {"Authorization": MaskedText("Zoho-oauthtoken 1000.abc")}
        {'Authorization': '****'}
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'****'"


class Secret:
    """Holds a string that `repr`, `str`, `format`, `vars`, pickling, `%whos` and debuggers do not show.

    The value lives in a closure, not in an attribute: variable inspectors walk attributes, and a verbose traceback
    prints the `repr` of every argument. It is not a sandbox: any code in the process can call `reveal()`.

    Example::

        >>> token = Secret("1000.abc")
        >>> token
        Secret(****)
        >>> token.reveal()          # prints it: keep this out of a cell's last line
        '1000.abc'
    """

    __slots__ = ("reveal",)
    reveal: Callable[[], str]

    def __init__(self, value: str) -> None:
        object.__setattr__(self, "reveal", lambda: value)

    def __setattr__(self, *_: Any) -> NoReturn:
        raise AttributeError("A Secret is read-only.")

    __delattr__ = __setattr__

    def __repr__(self) -> str:
        return "Secret(****)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(_bytes(self), _bytes(other))

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret would be a fingerprint of it

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A Secret refuses to be pickled.")


def _bytes(secret: Secret) -> bytes:
    # A strict encoder would quote the whole value in its exception.
    return secret.reveal().encode(errors="surrogatepass")
