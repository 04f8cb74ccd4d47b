"""Use an installed wheel as a new user would: the magics in a fresh shell, on the simulator."""

from importlib.metadata import version
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell

import zoho_magic

HERE = Path.cwd().resolve()
assert HERE in Path(zoho_magic.__file__).resolve().parents, f"{zoho_magic.__file__} is not the installed wheel"
assert version("zoho_magic") == zoho_magic.__version__, "the wheel has another version than the package"

shell = InteractiveShell.instance()


def run(cell: str) -> object:
    """The value of a cell; its error, if it has one, ends this script."""
    done = shell.run_cell(cell, store_history=False)
    done.raise_error()
    return done.result


run("%load_ext zoho_magic")
run("%zoho_demo --rows 300")
run("%zoho")
assert run("leads = %zoho_pull Leads\nlen(leads)"), "no leads came"
assert run("%zoho_coql select Last_Name from Leads limit 3") is not None
run("fixed = leads[['id', 'Company']].head(2)")
run("%zoho_push Leads fixed --update")
run("%zoho_demo --stop")
print(f"zoho_magic {zoho_magic.__version__} works from its wheel.")
