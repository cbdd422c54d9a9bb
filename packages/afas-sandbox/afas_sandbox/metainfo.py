"""What `/metainfo` tells of an environment and of each of its GetConnectors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from afas_sandbox.model import Connector
    from afas_sandbox.options import Options
    from afas_sandbox.refusals import Language

_UPDATE_CONNECTORS = (("FbSubscription", "Subscription", "Abonnement"), ("KnAddress", "Address", "Adres"))


def environment(connectors: Iterable[Connector], options: Options, language: Language) -> bytes:
    """The body of `/metainfo`."""
    told: dict[str, Any] = {
        "updateConnectors": [
            {"id": connector_id, "description": dutch if language == "nl" else english}
            for connector_id, english, dutch in _UPDATE_CONNECTORS
        ],
        "getConnectors": [
            {"id": connector.id, "description": _description(connector, language)} for connector in connectors
        ],
    }
    if not options.old_metainfo:
        told["customConnectors"] = []
        told["info"] = {
            "envid": options.environment,
            "appName": options.app_name,
            "group": options.group,
            "tokenExpiry": options.expires,
        }
    return _json(told)


def connector_fields(connector: Connector, language: Language) -> bytes:
    """The body of `/metainfo/get/{id}`."""
    fields = [
        {
            "id": field.id,
            "fieldId": f"U{number:03}",
            "dataType": field.data_type,
            "label": field.label_nl if language == "nl" else field.label_en,
            "length": field.length,
            "controlType": field.control_type,
            "decimals": field.decimals,
            "decimalsFieldId": "",
        }
        for number, field in enumerate(connector.fields, start=1)
    ]
    return _json({"name": connector.id, "description": _description(connector, language), "fields": fields})


def _description(connector: Connector, language: Language) -> str:
    return connector.description_nl if language == "nl" else connector.description_en


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
