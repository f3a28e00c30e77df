"""One test's life: place, attempt, watch, judge, repeat, tune."""
