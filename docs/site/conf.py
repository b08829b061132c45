"""How Sphinx makes the site. `make site` lays its source out as the repository is (tools/website) and calls Sphinx."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

project = "oddemo"
author = "The oddemo authors"
copyright = "The oddemo authors, Apache-2.0"
language = "en_GB"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "website.alt_text",
    "website.docstrings",
]
# What the notebooks stored when they were executed is shown as it is.
nb_execution_mode = "off"
nb_merge_streams = True
# Widgets need a kernel, or a script from a foreign server. The text that is stored beside them needs neither.
nb_ipywidgets_js: dict[str, dict[str, str]] = {}
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
nb_code_prompt_show = "Show the checks"
nb_code_prompt_hide = "Hide the checks"
# `[words](page.md#heading)` as in the repository; a `[ ]` in a list is a box.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

# Docstrings write `code` in single ticks; names that are known become links.
default_role = "py:obj"
autosummary_generate = False
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 80

html_theme = "pydata_sphinx_theme"
html_title = "oddemo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"index": [], "docs/glossary": []}
html_theme_options = {
    "logo": {"text": "oddemo"},
    "navbar_align": "left",
    "header_links_before_dropdown": 7,
    "collapse_navigation": True,
    "navigation_depth": 2,
    "show_toc_level": 1,
    "use_edit_page_button": False,
    "footer_start": ["copyright"],
    "footer_center": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "search_bar_text": "Search",
}
