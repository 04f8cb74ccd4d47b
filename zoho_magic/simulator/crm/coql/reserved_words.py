"""Words that a column cannot have as its name without quotes.

Zoho publishes no list. Its COQL FAQ (Kaizen #171) names `External`; `MANY` holds the key words of SQL and its dialects
that are plausible names of fields, for an org as strict as it could be.
"""

from __future__ import annotations

__all__ = ["reserved_words"]

DOCUMENTED = frozenset({"external"})
SQL = """
abs absolute access action add admin after aggregate all allocate alter analyze any are array asc assertion at
authorization audit avg before begin bigint binary bit blob boolean both breadth by cache call cascade case cast
catalog char character check class clob close cluster collate column comment commit compress condition connect
connection constraint constraints constructor continue convert count create cross cube current cursor cycle data
database date datetime day days deallocate dec decimal declare default deferred delete depth deref desc describe
description destroy deterministic dictionary disconnect distinct do domain double drop dynamic each else end equals
escape event every except exception exclusive exec execute exists explain external false fetch file filter final
first float for foreign format found free full function general get global go goto grant group grouping having help
host hour identified identity ignore immediate increment index indicator initial initialize initially inner inout
input insert int integer intersect interval into is isolation iterate join key keys language large last lateral
leading less level like limit local location lock long map match matched max maxvalue member merge min minus minute
mod mode modifies modify module month names national natural new next no none number numeric object of off offline
old on online only open operation option ordinality out outer output over owner pad parameter partial partition
password path percent period plan position postfix precision prefix preorder prepare preserve primary prior priority
privileges procedure profile public purge range rank raw read reads real recursive reference references referencing
region relative release rename replace resource restrict result return returns revoke role rollback rollup routine
row rows savepoint schema scope scroll search second section select sequence session set sets share size smallint
some source space specific sql stage start state statement static status structure subject sum synonym sysdate
system table tag target temporary terminate text than then time timestamp to today total trailing transaction
translation treat trigger true truncate type uid under union unique unit unknown unnest update usage user using
validate value values varchar variable varying version view week when whenever with without work write year zone
"""
MANY = DOCUMENTED | frozenset(SQL.split())
LISTS = {"documented": DOCUMENTED, "many": MANY}


def reserved_words(option: str) -> frozenset[str]:
    """The words, in lower case, of `Options.coql_reserved_words`."""
    return LISTS[option]
