"""The site is complete: every public name, magic, setting, code and option is on it, and links lead somewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

import zoho_magic
from docs_site import hooks, magics_page, pages, python_pages
from tests.docs.examples import ROOT
from zoho_magic import DATA_CENTRES, ZohoSession
from zoho_magic.error_catalog import CATALOGUE
from zoho_magic.simulator import Options

DOCS = ROOT / "docs"
NOTEBOOK_PAGES = {f"guides/{path.stem}.md" for path in (ROOT / "notebooks").glob("*.ipynb")}
WRITTEN = sorted([ROOT / "README.md", *DOCS.rglob("*.md")])
_LINK = re.compile(r"(!?)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")


@cache
def generated(path: str) -> str:
    return pages.PAGES[path]()


def text_of(page: str) -> str | None:
    """A page of the site, written or made; "" for a notebook, whose headings are its own affair."""
    if page in NOTEBOOK_PAGES:
        return ""
    if page in pages.PAGES:
        return generated(page)
    return (DOCS / page).read_text(encoding="utf-8") if (DOCS / page).is_file() else None


def anchors(text: str) -> set[str]:
    """The ids of a page's headings, as the site makes them."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    explicit = re.findall(r"\{#([\w-]+)\}|id=\"([^\"]+)\"", prose)
    heads = [re.sub(r"[`*]|\{#.*\}", "", head) for head in re.findall(r"^#+ (.+)$", prose, re.M)]
    return {one or other for one, other in explicit} | {_slug(head) for head in heads}


def _slug(head: str) -> str:
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower())


def links(path: Path) -> list[str]:
    prose = re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    found = [one["target"] for one in _LINK.finditer(prose)]
    return [target for target in found if not target.startswith(("http", "mailto:"))]


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_page_and_its_heading(path: Path) -> None:
    broken = []
    for target in links(path):
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        if there.is_file() and there.suffix != ".md":
            continue
        page = str(there.relative_to(DOCS)) if there.is_relative_to(DOCS) else ""
        text = text_of(page) if page else (there.read_text(encoding="utf-8") if there.is_file() else None)
        heading = not anchor or page in python_pages.pages() or (text is not None and anchor in anchors(text))
        if text is None or not heading:
            broken.append(target)
    assert broken == []


def test_there_are_twenty_questions_and_each_has_an_answer() -> None:
    text = (DOCS / "questions.md").read_text(encoding="utf-8")
    questions = re.findall(r"^(\d+)\. (.+(?:\n {3,4}.+)*)", text, re.M)
    assert [int(number) for number, _ in questions] == list(range(1, 21))
    assert all(_LINK.search(question) for _, question in questions)


def test_the_answers_are_at_most_three_clicks_from_the_readme() -> None:
    """README -> questions -> answer."""
    assert "docs/questions.md" in links(ROOT / "README.md")


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = DOCS / "questions.md"
    assert "no-such-heading" not in anchors(page.read_text(encoding="utf-8"))
    assert text_of("how-to/no-such-page.md") is None


def test_every_public_name_is_in_the_reference() -> None:
    text = "".join(generated(f"reference/{group}.md") for group in python_pages.GROUPS)
    shown = set(re.findall(r"^::: (\S+)$", text, re.M))
    methods = {python_pages.METHOD + name for name in dir(ZohoSession) if not name.startswith("_")}
    assert {python_pages.path_of(name) for name in zoho_magic.__all__} | methods == shown


def test_every_magic_and_option_is_on_the_page() -> None:
    text = generated("reference/magics.md")
    for name, parser in magics_page.parsers().items():
        section = text.partition(f"## {name} {{#")[2].partition("\n## ")[0]
        assert section, name
        for action in parser._actions:
            assert action.dest == "help" or (action.option_strings or [action.metavar])[0] in section, (name, action)


def test_every_setting_code_data_centre_and_option_is_on_its_page() -> None:
    from zoho_magic.config.settings import DC_CLIENT_SECRET_VARS, ENV_VARS
    from zoho_magic.notebook.magics import ZohoMagic

    config = ZohoMagic.class_traits(config=True)
    rows = {
        "reference/settings.md": [*ENV_VARS.values(), *DC_CLIENT_SECRET_VARS.values(), "ZOHO_MAGIC_DEBUG", *config],
        "reference/errors.md": [code.partition("@")[0] for code in CATALOGUE],
        "reference/data-centres.md": [*DATA_CENTRES, *(dc.accounts_url for dc in DATA_CENTRES.values())],
        "reference/simulator.md": [name for name, *_ in Options.rows()],
    }
    missing = [(page, name) for page, names in rows.items() for name in names if name not in generated(page)]
    assert missing == []


def test_every_setting_has_a_description() -> None:
    lines = generated("reference/settings.md").splitlines()
    assert [line for line in lines if re.match(r"\| `ZOHO_\w+` \|  \|", line)] == []


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_pictures_exist_and_have_alternative_texts(path: Path) -> None:
    for found in re.finditer(r"!\[([^\]]*)\]\(([^)#]+)", path.read_text(encoding="utf-8")):
        assert len(found[1]) > 20, found[0]
        assert (path.parent / found[2]).is_file(), found[0]


def test_the_readme_has_two_commands_and_says_that_it_is_not_zohos() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^```sh\n(.*?)\n```$", text, re.M | re.S)) == 2
    for page in (text, (DOCS / "index.md").read_text(encoding="utf-8")):
        assert "not a product of Zoho Corporation" in page


def test_no_page_names_a_private_metaphor() -> None:
    words = r"\b(road|roads|mint|minted|desk|errand|fates?|harvest)\b"
    found = {str(path.relative_to(ROOT)): re.findall(words, path.read_text(encoding="utf-8")) for path in WRITTEN}
    assert {path: words for path, words in found.items() if words} == {}


def test_docstrings_become_markdown() -> None:
    pytest.importorskip("griffe")  # it comes with the extra docs
    from docs_site import docstrings

    text = "A.\n\nExample::\n\n    one\n\n====  ====\na     b\n====  ====\n``1``  2\n====  ====\n"
    made = docstrings.to_markdown(text.replace("``1``  2", "1     2"))
    assert "```python\none\n```" in made
    assert "| a | b |\n|---|---|\n| 1 | 2 |" in made


@pytest.mark.parametrize(
    ("html", "problems"),
    [
        ('<a href="https://www.zoho.com">a link is no load</a><img src="x.webp" alt="A form">', 0),
        ('<script src="https://cdn.example/x.js"></script>', 1),
        ("<link href=//fonts.example/css>", 1),
        ('<img src="x.webp" alt="">', 1),
        ('<img src="x.webp">', 1),
    ],
)
def test_a_page_that_needs_the_network_or_has_a_silent_picture_is_refused(html: str, problems: int) -> None:
    assert len(hooks.problems_of(html)) == problems


def test_every_file_that_contributing_names_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:zoho_magic|tests|docs|docs_site|requirements|recipe|\.github)/[\w./-]*)`", text))
    assert len(named) >= 10
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_every_extra_is_on_the_page_about_installing() -> None:
    text = (DOCS / "how-to" / "install.md").read_text(encoding="utf-8")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = project.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = re.findall(r"^([a-z]+) = \[", section, re.M)
    assert len(extras) >= 8
    assert [name for name in extras if f"`{name}`" not in text] == []
