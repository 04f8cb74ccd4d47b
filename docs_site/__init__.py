"""What makes the documentation site from the code: generated pages, docstrings, notebooks and pictures."""
