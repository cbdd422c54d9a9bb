"""All that is printed: cleaned in one place of secrets, control characters, forged lines and length.

RECORD messages are no print: nothing here sees them.
"""

from __future__ import annotations

import copy
import logging
import re
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

from tap_afas.known_secrets import SECRETS

if TYPE_CHECKING:
    from types import TracebackType

_MOST_LETTERS = 1900
"""Of a message; with what stands before it, a line has no more than 2,000."""
_LONGEST_NAME = 64
# More than is shown: of a secret at the cut, enough is seen to know it.
_LOOKED_AT = 20_000
_MOST_LINES = 400
# AFAS' own tokens, plain or in base64, whosever they are.
_TOKEN = re.compile(r"<token>.{0,500}?</token>|PHRva2Vu[A-Za-z0-9+/_=-]{16,}", re.IGNORECASE | re.DOTALL)
_MOST_CAUSES = 8


def sanitized(text: str, most: int | None = _MOST_LETTERS) -> str:
    """A text as one line that holds no secret, no sign that moves a cursor or turns a direction, and no more letters.

    Args:
        text: What is to be printed.
        most: Letters; None: however many.
    """
    looked_at = text if most is None else text[: max(_LOOKED_AT, most)]
    line = _TOKEN.sub("…", SECRETS.hide(looked_at))
    if not line.isprintable():
        line = "".join(
            letter if letter.isprintable() else " " if letter.isspace() else "\N{REPLACEMENT CHARACTER}"
            for letter in line
        )
    return line if most is None or len(line) <= most else f"{line[: most - 1]}…"


def sanitized_lines(error: BaseException) -> str:
    """A traceback; each line is indented, so that none can be taken for one of the log."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    # A secret can be split over lines.
    if SECRETS.are_in("".join(lines)):
        lines = SECRETS.hide("\n".join(lines)).splitlines()
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES // 2 : -_MOST_LINES // 2] = ["…"]
    return "\n".join(f"    {sanitized(line)}" for line in lines)


def _stand_in(error: BaseException, depth: int = 0) -> BaseException:
    """An exception of the same name whose text is cleaned, and so are those that it came from."""
    kind = type(type(error).__name__, (Exception,), {"__module__": type(error).__module__})
    stand_in: BaseException = kind(sanitized(str(error)))
    if depth < _MOST_CAUSES:
        cause, context = error.__cause__, error.__context__
        stand_in.__cause__ = cause and _stand_in(cause, depth + 1).with_traceback(cause.__traceback__)
        stand_in.__context__ = context and _stand_in(context, depth + 1).with_traceback(context.__traceback__)
    return stand_in


def _cleaned(content: Any) -> Any:
    if isinstance(content, str):
        return sanitized(content)
    if isinstance(content, dict):
        return {_cleaned(name): _cleaned(value) for name, value in content.items()}
    return [_cleaned(one) for one in content] if isinstance(content, list | tuple) else content


_OWN_FIELDS = frozenset(logging.makeLogRecord({}).__dict__)


class SanitizingFormatter(logging.Formatter):
    """Has another formatter write what has been cleaned.

    Args:
        inner: The formatter.
    """

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self.inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """A record as the inner formatter writes it."""
        shown = copy.copy(record)
        for name in record.__dict__.keys() - _OWN_FIELDS:
            setattr(shown, name, _cleaned(getattr(record, name)))
        shown.name = sanitized(record.name, _LONGEST_NAME)
        # The SDK's own formatter wants the arguments of its metrics as they are: names and numbers.
        if record.msg != "METRIC: %s":
            # The last line is JSON, which no machine reads where it is cut.
            most = None if hasattr(record, "exit_code") else _MOST_LETTERS
            shown.msg, shown.args = sanitized(record.getMessage(), most), ()
        if record.exc_info and record.exc_info[1] is not None:
            kind, error, frames = record.exc_info
            shown.exc_text = sanitized_lines(error)
            shown.exc_info = (kind, _stand_in(error), frames)
        shown.stack_info = record.stack_info and sanitized(record.stack_info)
        return self.inner.format(shown)


def _is_told(record: logging.LogRecord) -> bool:
    # Its lines hold URLs, and with them keys of rows.
    return not record.name.startswith("urllib3")


def sanitize_logs() -> None:
    """Have all handlers that there are write what has been cleaned, whatever is set up for them."""
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        if not isinstance(handler.formatter, SanitizingFormatter):
            handler.setFormatter(SanitizingFormatter(handler.formatter or logging.Formatter()))
            handler.addFilter(_is_told)


def sanitize_tracebacks() -> None:
    """Have tracebacks that Python writes by itself cleaned; and none that tells of a log that can't be written."""
    logging.raiseExceptions = False

    def written(kind: type[BaseException], error: BaseException | None, _: TracebackType | None) -> None:
        sys.stderr.write(f"{sanitized_lines(error or kind())}\n")

    sys.excepthook = written
    threading.excepthook = lambda told: written(told.exc_type, told.exc_value, told.exc_traceback)
