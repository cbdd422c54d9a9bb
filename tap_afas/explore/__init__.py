"""`tap-afas-explore`: what there is to sync, before it is synced. The tap imports nothing of it."""
