"""Every pair of the suite, measured beside backgrounds on the other instances."""


def test_heterogeneous(background, main):
    main.run()
