"""What the tests share: environments, ways to run the tap, and what a run left."""
