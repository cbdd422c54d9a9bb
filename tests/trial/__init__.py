"""The whole way, from an AFAS environment into a PostgreSQL, and what is the same at both ends.

`python3 run.py try` walks it with Meltano; tests walk it too, or pipe the tap into the target themselves:

```python
def test_it(sandbox: Sandbox, database: Database) -> None:
    sandbox.load(dataset(scale=0.01, now=amsterdam()))
    first = run_tap(settings_of(sandbox))
    load(first.output, database, hard_delete=True)
    sandbox.change(updates=5)
    second = run_tap(settings_of(sandbox), state=first.state)
    load(second.output, database, hard_delete=True)
    assert database.rows("Profit_Debtor") == ...
```
"""
