"""`python -m tap_afas.explore`, which is `tap-afas-explore`."""

from tap_afas.explore.entry_point import main

main()
