"""Every pair of the suite with nothing beside it; see --mig-isolated."""

import pytest


@pytest.mark.isolated
def test_isolated(main):
    main.run()
