"""The whole way, from an AFAS environment into a PostgreSQL, and what is the same at both ends.

`python3 run.py try` walks it with Meltano. It uses nothing of the tap but its command.
"""
