"""COQL, Zoho's query language: text in, a model of it out, and text again with nothing changed but what was inserted.

No network, no metadata. `parser` reads by `grammar.lark`, `query` holds and completes, `conditions` is the tree of a
`where` clause, `parameters` binds values.
"""
