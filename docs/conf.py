"""How Sphinx makes the site; `make docs` calls it, with warnings as errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest_mighetero

sys.path.insert(0, str(Path(__file__).parent))

project = "pytest-mighetero"
release = version = pytest_mighetero.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]

root_doc = "index"
html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = html_show_sphinx = False

# Most indented blocks are a terminal's; what has a language says it.
highlight_language = "none"
smartquotes = False  # -- begins an option
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
napoleon_use_ivar = True
