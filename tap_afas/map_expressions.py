"""Expressions of stream maps: they are the user's, may raise anything, and may hold a salt that no log is to have."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from singer_sdk.mapper import (
    MAPPER_ALIAS_OPTION,
    MAPPER_ELSE_OPTION,
    MAPPER_FILTER_OPTION,
    MAPPER_KEY_PROPERTIES_OPTION,
    MAPPER_SOURCE_OPTION,
    NULL_STRING,
)

from tap_afas.inputs import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from singer_sdk.mapper import CustomStreamMap

_NO_EXPRESSIONS = {MAPPER_ALIAS_OPTION, MAPPER_ELSE_OPTION, MAPPER_KEY_PROPERTIES_OPTION, MAPPER_SOURCE_OPTION}
_LONGEST_VALUE = 80


class MapError(InputError):
    """`stream_maps` can't be applied as it was meant."""


def map_problems(maps: Any) -> Iterable[str]:
    """What in `stream_maps` is of no form that maps have: sentences that hold no value."""
    if not isinstance(maps, dict | None):
        yield "`stream_maps` must be an object."
        return
    for key, definition in (maps or {}).items():
        if definition is None or definition == NULL_STRING:
            continue
        if not isinstance(definition, dict):
            yield f"`stream_maps.{key}` must be `{NULL_STRING}`" + (
                "." if key == MAPPER_ELSE_OPTION else ", or an object of fields and expressions."
            )
            continue
        for field, made in definition.items():
            if field == MAPPER_KEY_PROPERTIES_OPTION:
                right = made is None or (isinstance(made, list) and all(isinstance(name, str) for name in made))
                expected = "a list of fields"
            elif field == MAPPER_ELSE_OPTION:
                right, expected = made in {None, NULL_STRING}, f"`{NULL_STRING}`"
            else:
                right, expected = isinstance(made, str | None), f"an expression (text), or `{NULL_STRING}`"
            if not right:
                yield f"`stream_maps.{key}.{field}` must be {expected}."


def check_expressions(maps: Mapping[str, Any]) -> None:
    """Check that the expressions can be read: the SDK's words would quote them.

    Raises:
        MapError: One can't.
    """
    for key, definition in maps.items():
        named = definition if isinstance(definition, dict) else {}
        for field, made in named.items():
            if not isinstance(made, str) or made == NULL_STRING or field in _NO_EXPRESSIONS:
                continue
            try:
                (only,) = ast.parse(made).body
                readable = isinstance(only, ast.Expr)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                readable = False
            if not readable:
                raise MapError(f"{key}: the expression of {field} in `stream_maps` is none that Python can read.")


def without_texts(expression: str) -> str:
    """An expression with `…` for each text in it: one of them may be a salt."""
    return ast.unparse(_Texts().visit(ast.parse(expression, mode="eval")))


class _Texts(ast.NodeTransformer):
    """Takes texts out of expressions."""

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Name("…") if isinstance(node.value, str | bytes) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:  # noqa: ARG002 - as Python calls it
        return ast.Name("…")


def tell_failures(stream_map: CustomStreamMap, stream: str, masked: Collection[str]) -> None:
    """Have a map that fails on a row say where.

    Args:
        stream_map: The map.
        stream: The stream's name.
        masked: Fields whose values aren't told.
    """
    evaluate = stream_map._eval  # noqa: SLF001 - nothing public tells which field it is at
    key = stream_map.raw_key_properties or ()

    def row(record: Mapping[str, Any]) -> str:
        values = (f"{name} = {'…' if name in masked else str(record.get(name))[:_LONGEST_VALUE]}" for name in key)
        return f"the row with {', '.join(values)}" if key else "a row (its connector has no key to name it by)"

    def evaluated(expr: str, expr_parsed: ast.Expr, record: dict[str, Any], property_name: str | None) -> Any:
        try:
            made: Any = evaluate(expr, expr_parsed, record, property_name)
        except Exception as error:  # noqa: BLE001 - expressions are the user's and may raise anything
            # Its words may quote values.
            kind = type(error.__cause__ or error).__name__
        else:
            if made is None and property_name in (stream_map.transformed_key_properties or ()):
                raise MapError(
                    f"{stream}: `stream_maps` leaves the key field {property_name} empty on {row(record)}:"
                    f" `{without_texts(expr)}`. A target can't hold an empty key: correct the expression, or take"
                    " another key."
                )
            return made
        raise MapError(
            f"{stream}: `stream_maps` fails on {row(record)}: {property_name or MAPPER_FILTER_OPTION} ends in {kind}:"
            f" `{without_texts(expr)}`. Correct the expression; for a field that may be empty:"
            " `… if … is not None else None`."
        )

    stream_map._eval = evaluated  # type: ignore[method-assign]  # noqa: SLF001 - likewise
