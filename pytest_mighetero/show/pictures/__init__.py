"""Pictures of runs, as SVG: one file per kind, all of them drawings of ``svg``."""
