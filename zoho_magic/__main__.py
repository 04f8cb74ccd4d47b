"""`python -m zoho_magic`: see `notebook.command_line`."""

import sys

from .notebook.command_line import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
