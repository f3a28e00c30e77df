"""Where devices come from: a suite names one of these files."""
