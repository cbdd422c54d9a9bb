"""`python -m tap_afas`, which is `tap-afas`."""

from tap_afas.tap import main

main()
