"""The settings: each name, kind and default is a contract."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from tap_afas.config_validation import config_problems
from tap_afas.connection import make_client
from tap_afas.discovery import ConnectorPatterns
from tap_afas.settings import SCHEMA, FilterCondition, Settings, StreamSettings, normalized
from tap_afas.tap import TapAfas

DATA = "5A" * 32
WHO = {"token": DATA}
WHERE = {"environment_id": "12345"}
NEEDED = {**WHO, **WHERE}


def _errors(**given: Any) -> list[str]:
    return config_problems(normalized(given), SCHEMA)


def test_the_contract() -> None:
    known = {
        name: (setting.get("default"), setting.get("secret", False)) for name, setting in SCHEMA["properties"].items()
    }
    assert {
        name: what for name, what in known.items() if not name.startswith(("stream_map", "flattening", "faker"))
    } == {
        "environment_id": (None, False),
        "environment_type": (None, False),
        "base_url": (None, False),
        "token": (None, True),
        "client_id": (None, True),
        "client_secret": (None, True),
        "client_certificate": (None, False),
        "client_certificate_key": (None, False),
        "connectors": (["*"], False),
        "streams": ({}, False),
        "start_date": (None, False),
        "page_size": (None, False),
        "max_parallel_requests": (4, False),
        "overlap_seconds": (300, False),
        "timezone": ("Europe/Amsterdam", False),
        "language": ("en-us", False),
        "integration_id": (None, False),
        "request_timeout": (930, False),
        "max_retry_wait": (600, False),
        "full_refresh_every": (None, False),
        "emit_activate_version_messages": (True, False),
        "accept_environment": (None, False),
    }
    assert all(setting.get("description") for setting in SCHEMA["properties"].values())


KINDS = {
    "array": {"array"},
    "object": {"object"},
    "integer": {"integer"},
    "boolean": {"boolean"},
    "string": {"string"},
    "options": {"string"},
    "date_iso8601": {"string"},
}


def test_meltano_declares_the_same_settings() -> None:
    project = yaml.safe_load(pathlib.Path(__file__).parents[2].joinpath("meltano.yml").read_text("utf-8"))
    declared = {setting["name"]: setting for setting in project["plugins"]["extractors"][0]["settings"]}
    TapAfas.append_builtin_config(SCHEMA)
    assert declared.keys() == SCHEMA["properties"].keys()
    for name, setting in declared.items():
        schema = SCHEMA["properties"][name]
        kinds = {schema["type"]} if isinstance(schema["type"], str) else set(schema["type"])
        assert KINDS[setting["kind"]] & kinds, name
        assert setting.get("sensitive", False) == schema.get("secret", False), name
        if setting["kind"] == "options":
            assert [option["value"] for option in setting["options"]] == schema["enum"]


@pytest.mark.parametrize(
    ("config", "url"),
    [
        ({"environment_id": "12345"}, "https://12345.rest.afas.online/ProfitRestServices"),
        ({"environment_id": 12345}, "https://12345.rest.afas.online/ProfitRestServices"),
        ({"environment_id": " O12345AA "}, "https://12345.rest.afas.online/ProfitRestServices"),
        ({"environment_id": "T12345AA"}, "https://12345.resttest.afas.online/ProfitRestServices"),
        ({"environment_id": "a12345"}, "https://12345.restaccept.afas.online/ProfitRestServices"),
        (
            {"environment_id": "C12345AA", "environment_type": "course"},
            "https://12345.restcursus.afas.online/ProfitRestServices",
        ),
        (
            {"environment_id": "T12345AA", "environment_type": "test"},
            "https://12345.resttest.afas.online/ProfitRestServices",
        ),
        (
            {"environment_id": "12345", "environment_type": "accept"},
            "https://12345.restaccept.afas.online/ProfitRestServices",
        ),
        (
            {"environment_id": "12345", "environment_type": "course"},
            "https://12345.restcursus.afas.online/ProfitRestServices",
        ),
        ({"base_url": "https://afas.example/ProfitRestServices/"}, "https://afas.example/ProfitRestServices"),
        ({"base_url": "http://127.0.0.1:8080/ProfitRestServices"}, "http://127.0.0.1:8080/ProfitRestServices"),
        ({"base_url": "http://localhost/x", **WHERE}, "http://localhost/x"),
        ({"base_url": "http://[::1]:8080/x"}, "http://[::1]:8080/x"),
    ],
)
def test_hosts(config: dict[str, Any], url: str) -> None:
    assert _errors(**WHO, **config) == []
    assert Settings.from_config(normalized(config)).base_url == url


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({**WHERE}, "No credentials: set `token`, or `client_id` and `client_secret`."),
        ({**NEEDED, "client_id": "x"}, "Both `token` and `client_id` are set"),
        ({**WHERE, "client_id": "x"}, "`client_id` is set, but not `client_secret`"),
        ({**WHERE, "client_secret": "x"}, "`client_secret` is set, but not `client_id`"),
        ({**WHERE, "token": "nonsense"}, "`token` is not an AFAS token"),
        ({**WHERE, "token": 7}, "`token` must be text."),
        ({**WHERE, "token": ["x"]}, "`token` must be text."),
        ({**WHO}, "No environment: set `environment_id`"),
        (
            {**WHO, "environment_id": "T12345AA", "environment_type": "production"},
            "of the kind test by its letter, and `environment_type` is production",
        ),
        ({**WHO, "environment_id": "O12345AA", "environment_type": "course"}, "of the kind production by its letter"),
        ({**WHO, "environment_id": "C12345AA"}, "set `environment_type`"),
        ({**WHO, "base_url": "https://x", "environment_id": "twelve"}, "`environment_id` must be five digits"),
        ({**WHO, "environment_id": "1234"}, "`environment_id` must be five digits"),
        ({**WHO, "environment_id": "12345.evil.example"}, "`environment_id` must be five digits"),
        ({**WHO, "environment_id": "١٢٣٤٥"}, "`environment_id` must be five digits"),
        (
            {**NEEDED, "environment_type": "prod"},
            "`environment_type` must be one of: production, test, accept, course.",
        ),
        ({**WHO, "base_url": "http://afas.example/x"}, "`base_url` must begin with https"),
        ({**WHO, "base_url": "ftp://afas.example"}, "`base_url` is not a URL"),
        ({**WHO, "base_url": "afas.example"}, "`base_url` is not a URL"),
        ({**WHO, "base_url": "https://a b/x"}, "`base_url` is not a URL"),
        ({**WHO, "base_url": "https://[x/y"}, "`base_url` is not a URL"),
        ({**WHO, "base_url": "https://x:y/z"}, "`base_url` is not a URL"),
        ({**WHO, "base_url": "https://u:p@x/y"}, "hold no user name"),
        ({**WHO, "base_url": "https://x/y?a=b"}, "hold no user name, `?` or `#`"),
        ({**NEEDED, "timezone": "Mars/Olympus"}, "`timezone`"),
        ({**NEEDED, "start_date": "gisteren"}, "`start_date`"),
        ({**NEEDED, "connectors": []}, "`connectors` is empty"),
        ({**NEEDED, "connectors": "Profit_*"}, "`connectors` must be a list."),
        ({**NEEDED, "page_size": 0}, "`page_size` must be at least 1."),
        ({**NEEDED, "page_size": 1e18}, "A setting can't be read: Expected `int | null`"),
        ({**NEEDED, "page_size": "many"}, "`page_size` must be a whole number."),
        ({**NEEDED, "max_parallel_requests": 9}, "`max_parallel_requests` must be at most 8."),
        ({**NEEDED, "overlap_seconds": -1}, "`overlap_seconds` must be at least 0."),
        ({**NEEDED, "language": "Dutch"}, "`language` must be written otherwise"),
        ({**NEEDED, "integration_id": "x\r\nHost: y"}, "`integration_id` must be plain"),
        ({**NEEDED, "flattening_enabled": True}, "`flattening_enabled` is set, but not `flattening_max_depth`"),
        ({**NEEDED, "tokens": "x"}, "`tokens` is not a setting. Did you mean `token`?"),
        ({**NEEDED, "streams": {"A": {"primary_key": ["x"]}}}, "`primary_key` is not a setting of `streams.A`."),
        ({**NEEDED, "streams": {"A": {"primary_keys": "x"}}}, "`streams.A.primary_keys` must be a list."),
        ({**NEEDED, "streams": {"A": {"primary_keys": ["x", "x"]}}}, "must be a list without repetitions."),
        ({**NEEDED, "streams": {"A": {"types": {"x": "text"}}}}, "`streams.A.types.x` must be one of: string, integer"),
        ({**NEEDED, "streams": {"A": {"filter": [{"field": "x"}]}}}, "`streams.A.filter.0` lacks operator."),
        (
            {**NEEDED, "streams": {"A": {"filter": [{"field": "x", "operator": "~"}]}}},
            "`streams.A.filter.0.operator` must be one of: =, !=",
        ),
        (
            {**NEEDED, "streams": {"A": {"filter": [[{"field": "x", "operator": "=", "value": {}}]]}}},
            "`streams.A.filter.0.0.value` must be text or a number or a whole number or true or false.",
        ),
    ],
)
def test_what_is_wrong(config: dict[str, Any], sentence: str) -> None:
    errors = _errors(**config)
    assert any(sentence in error for error in errors), errors
    assert all(error.endswith((".", "]", "?")) for error in errors)


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert len(_errors(environment_id="1", timezone="x", start_date="y")) == 4


@given(st.recursive(st.none() | st.integers() | st.just("zz-secret-zz"), lambda inner: st.lists(inner, max_size=2) |
       st.dictionaries(st.sampled_from(["A", "filter", "types", "field", "value"]), inner, max_size=2), max_leaves=6),
       st.sampled_from(sorted(SCHEMA["properties"])))  # fmt: skip
def test_complaints_hold_no_values(value: Any, name: str) -> None:
    assert "zz-secret-zz" not in " ".join(_errors(**{**NEEDED, name: value}))


def test_the_client_that_is_meant() -> None:
    config = {**WHERE, "client_id": "a", "client_secret": "b", "integration_id": "1_2", "request_timeout": 7}
    config |= {"max_parallel_requests": 2, "max_retry_wait": 3, "language": "nl-nl"}
    made = make_client(Settings.from_config(config))
    assert made.limits.max_parallel_requests == 2
    assert (made.limits.request_timeout, made.limits.max_retry_wait) == (7, 3)
    assert made._transport._session.headers["Accept-Language"] == "nl-nl"
    assert made._transport._session.headers["IntegrationId"] == "1_2"
    assert str(made._transport._session.headers["User-Agent"]).startswith("tap-afas/")
    assert made._credentials._url == "https://12345.rest.afas.online/ProfitRestServices/oauth/token"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("patterns", "taken"),
    [
        (["*"], {"Profit_A", "Profit_B", "Eigen-X"}),
        (["Profit_*"], {"Profit_A", "Profit_B"}),
        (["profit_a"], {"Profit_A"}),
        (["!Profit_*"], {"Eigen-X"}),
        (["Profit_*", "!*_B"], {"Profit_A"}),
        (["Profit_?", "Eigen*"], {"Profit_A", "Profit_B", "Eigen-X"}),
        (["Nothing*"], set()),
    ],
)
def test_which_connectors(patterns: list[str], taken: set[str]) -> None:
    choice = ConnectorPatterns(tuple(patterns))
    assert {name for name in ("Profit_A", "Profit_B", "Eigen-X") if choice.match(name)} == taken


def test_names_that_nobody_bears() -> None:
    assert ConnectorPatterns(("A", "b", "C*", "!D")).unmatched_names(["a", "B"]) == ["D"]


@pytest.mark.parametrize(
    ("stream", "config", "fields", "size"),
    [
        ({}, {}, 10, 15_000),
        ({}, {}, 1, 50_000),
        ({}, {}, 7, 21_428),
        ({}, {}, 200_000, 1),
        ({}, {}, 0, 50_000),
        ({}, {"page_size": 99}, 10, 99),
        ({"page_size": 5}, {"page_size": 99}, 10, 5),
        ({"page_size": 5.0}, {}, 10, 5),
    ],
)
def test_rows_a_request(stream: dict[str, Any], config: dict[str, Any], fields: int, size: int) -> None:
    settings = Settings.from_config({**config, "streams": {"A": stream}})
    assert settings.page_size_for(settings.stream("A"), fields) == size


def test_as_set() -> None:
    unset = StreamSettings()
    assert Settings().stream("A") == unset
    assert (unset.primary_keys, unset.replication_key, unset.page_size) == (UNSET, UNSET, UNSET)
    streams = {"A": {"primary_keys": [], "replication_key": None, "filter": [{"field": "x", "operator": "empty"}]}}
    stream = Settings.from_config({"streams": streams}).stream("A")
    assert (stream.primary_keys, stream.replication_key) == ((), None)
    assert stream.filter == (FilterCondition("x", "empty"),)


def test_defaults_are_what_the_schema_says() -> None:
    config: dict[str, Any] = dict(NEEDED)
    assert config_problems(config, SCHEMA) == []
    assert config.keys() > NEEDED.keys()
    assert Settings.from_config(config) == Settings.from_config(NEEDED)


def test_no_secret_is_shown() -> None:
    assert DATA not in f"{Settings(token=DATA)} {Settings(token=DATA)!r}"
