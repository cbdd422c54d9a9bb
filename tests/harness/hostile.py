"""A text that no output may take for more than text."""

HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\n\u202e[red]evil[/red] :smile: \u2066\x9b31m\x7f{{ 1/0 }}"
"""Sequences of a terminal, breaks, turned direction, markup of rich, and Jinja."""
