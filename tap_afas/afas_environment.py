"""Which AFAS environment is read: where it is, and whether it is the one that answers."""

from __future__ import annotations

import logging
import re
import string
from typing import TYPE_CHECKING, Literal

from tap_afas.inputs import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

logger = logging.getLogger("tap-afas")

EnvironmentType = Literal["production", "test", "accept", "course"]

_HOSTS: dict[EnvironmentType, str] = {
    "production": "rest",
    "test": "resttest",
    "accept": "restaccept",
    "course": "restcursus",
}
_LETTERS: dict[str, EnvironmentType] = {"O": "production", "T": "test", "A": "accept"}
_SETTING = re.compile(r"[A-Za-z]?(\d{5})[A-Za-z]{0,2}", re.ASCII)
# The kind of an environment, its number, and what tells those with one number apart.
_NAME = re.compile(r"[OTA](\d+)([A-Z]+)", re.ASCII | re.IGNORECASE)


class OtherEnvironmentError(InputError):
    """Another environment answered than the settings say."""


def environment_type_of(environment_id: str) -> EnvironmentType | None:
    """The kind of environment that the letter of a name such as O12345AA tells; None where none is known."""
    return _LETTERS.get(environment_id.strip()[:1].upper())


def base_url(environment_id: str, environment_type: EnvironmentType | None) -> str:
    """The root of the REST API, without a slash at its end.

    Args:
        environment_id: The environment's digits, or its whole name.
        environment_type: Its kind; None: what the letter says, else production.
    """
    kind = environment_type or environment_type_of(environment_id) or "production"
    return f"https://{_digits(environment_id)}.{_HOSTS[kind]}.afas.online/ProfitRestServices"


def _digits(environment_id: str) -> str:
    return re.sub(r"\D", "", environment_id)


def environment_problems(environment_id: str | None, environment_type: EnvironmentType | None) -> Iterable[str]:
    """What is wrong with the two settings: sentences that hold no value which isn't known."""
    named = (environment_id or "").strip()
    if not named:
        return
    lettered = environment_type_of(named)
    if not _SETTING.fullmatch(named):
        yield "`environment_id` must be five digits, or a name such as O12345AA."
    elif named[0].isalpha() and lettered is None and environment_type is None:
        yield (
            "The letter of `environment_id` is none of O (production), T (test) and A (accept): set `environment_type`,"
            " or correct it."
        )
    elif environment_type is not None and lettered not in {None, environment_type}:
        yield (
            f"`environment_id` names an environment of the kind {lettered} by its letter, and `environment_type` is"
            f" {environment_type}: correct one of them, or take `environment_type` out."
        )


def check_environment(environment_id: str | None, environment_type: EnvironmentType | None, answered: str) -> None:
    """Check that the environment that answered is the one that the settings name; what they leave open may be any.

    Args:
        environment_id: The setting.
        environment_type: The setting.
        answered: AFAS' name for it (`envid`), such as O12345AA; old versions tell none.

    Raises:
        OtherEnvironmentError: It is another one.
    """
    named = (environment_id or "").strip().upper()
    kind = environment_type or environment_type_of(named)
    if not named and kind is None:
        return
    form = _NAME.fullmatch(answered)
    if form is None:
        logger.info("AFAS tells no name of the environment that answers, by which it could be checked.")
        return
    digits, suffix = form.groups()
    suffix_named = named.lstrip(string.ascii_uppercase).lstrip(string.digits)
    # Which letter an environment for courses has, isn't known.
    right = kind in {None, "course", environment_type_of(answered)} and (
        not named or (digits == _digits(named) and suffix_named in {"", suffix.upper()})
    )
    if not right:
        set_to = " and ".join(
            f"`{name}` {value}"
            for name, value in (("environment_id", named), ("environment_type", environment_type))
            if value
        )
        raise OtherEnvironmentError(
            f"The environment {answered} answers, and the settings say {set_to}: nothing was read. Correct the"
            " settings, or give them the address, and the token or client, of the environment that they name."
        )
