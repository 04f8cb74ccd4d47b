"""The page of the settings: the variables of config/settings.py with what `Credentials` says about each."""

from __future__ import annotations

import dataclasses
import inspect
import re

from .markdown import escaped, table

HEAD = """\
# Settings

Read from the process environment, then from the nearest `.env` upwards from the working directory. A file that you name
(`%zoho --env FILE`, `ZohoSession.from_env(path)`) wins over the environment. Nothing is ever put into `os.environ`.
`%zoho` shows where each value came from. Secrets are shown masked, and live in `.env` (mode 0600) or in the keyring of the
operating system: see [Security](../explanation/security.md).
"""
_DC_SECRETS = (
    "the client's own secret in that data centre, where Zoho's console gave it one; wins over ZOHO_CLIENT_SECRET"
)
_DEBUG = ("`ZOHO_MAGIC_DEBUG`", "1 shows an error with its whole traceback instead of two lines", "", "")


def make() -> str:
    """Every variable: what it is, its default, whether it is a secret."""
    from zoho_magic.config.settings import DC_CLIENT_SECRET_VARS, ENV_VARS, SECRET_FIELDS

    texts, defaults = attribute_texts(), _defaults()
    rows = [
        (f"`{variable}`", escaped(texts.get(field, "")), _shown(defaults.get(field)), "yes" * (field in SECRET_FIELDS))
        for field, variable in ENV_VARS.items()
    ]
    own = "<br>".join(f"`{variable}`" for variable in DC_CLIENT_SECRET_VARS.values())
    rows += [(own, escaped(_DC_SECRETS), "", "yes"), _DEBUG]
    variables = table(("Variable", "What it is", "Default", "Secret"), rows)
    return "\n".join([HEAD, variables, CONFIG, table(("Option", "What it does", "Default"), _config_rows()), TAIL])


def _config_rows() -> list[tuple[str, str, str]]:
    from zoho_magic.notebook.magics import ZohoMagic

    traits = ZohoMagic.class_traits(config=True)
    return [
        (f"`{name}`", escaped(trait.help), f"`{trait.default_value}`")
        for name, trait in sorted(traits.items())
        if trait.help
    ]


def attribute_texts() -> dict[str, str]:
    """Field of `Credentials` -> its line in the docstring."""
    from zoho_magic import Credentials

    section = (inspect.getdoc(Credentials) or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): ((?:.+\n?(?:        .+\n?)*))", section, re.M)
    return {name: " ".join(text.split()).replace("`", "") for name, text in found}


def _defaults() -> dict[str, object]:
    from zoho_magic import Credentials

    return {each.name: each.default for each in dataclasses.fields(Credentials)}


def _shown(default: object) -> str:
    text = ",<br>".join(default) if isinstance(default, tuple) else default
    return str(text) if isinstance(text, str) and text else ""


CONFIG = """\
## For one notebook

IPython's `%config` sets these for the running kernel, as in `%config ZohoMagic.max_wait = 600`.
"""
TAIL = """\
A profile is a second file: `.env.prod` beside `.env` is the profile `prod`, see
[Several accounts](../how-to/several-accounts.md).

"""
