"""Check the conda recipe: it parses strictly, renders to one package, and has what conda-forge asks for."""

from pathlib import Path

from rattler_build import Stage0Recipe, VariantConfig

ROOT = Path(__file__).parents[1]
(rendered,) = Stage0Recipe.from_file(str(ROOT / "recipe" / "recipe.yaml")).render(VariantConfig())
recipe = rendered.recipe.to_dict()
about = recipe["about"]
assert recipe["build"]["noarch"] == "python", "a pure Python package is noarch"
assert {"homepage", "license", "license_file", "summary"} <= set(about), "about lacks something"
assert all((ROOT / name).is_file() for name in about["license_file"]), "the licence file does not exist"
assert recipe["tests"], "a recipe has a test"
assert recipe["extra"]["recipe-maintainers"], "a recipe has maintainers"
print(f"{recipe['package']['name']} {recipe['package']['version']}: the recipe lints.")
