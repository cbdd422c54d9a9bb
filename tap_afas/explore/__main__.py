"""`python -m tap_afas.explore`, which is `tap-afas-explore`."""

from tap_afas.explore.command import main

main()
