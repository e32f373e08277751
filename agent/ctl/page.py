"""Asking the collector's JSON interface; what it answers is shown, never obeyed."""

import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

from agent.errors import InputError, LinkError

ANSWER_BYTES_MAX = 64 * 1024 * 1024  # two thousand devices with all their evidence are 4 MB
TIMEOUT_S = 10.0


def ask(url: str, path: str) -> dict[str, Any]:
    """The JSON object at a path of the collector's page; LinkError without an answer, InputError for a bad address."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError("not an http address", where=url, todo="for example http://127.0.0.1:8080")
    secure = parts.scheme == "https"
    kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", quote(path), headers={"Accept": "application/json"})
        answer = connection.getresponse()
        octets = answer.read(ANSWER_BYTES_MAX + 1)
    except (OSError, http.client.HTTPException) as error:
        raise LinkError(str(error) or type(error).__name__, where=url, todo="is the collector running?") from error
    finally:
        connection.close()
    if answer.status == 404:
        raise InputError("the collector does not know it", where=path)
    if answer.status != 200 or len(octets) > ANSWER_BYTES_MAX:
        raise LinkError(f"the collector answers {answer.status}", where=url + path)
    try:
        value = json.loads(octets)
    except ValueError as error:
        raise LinkError("the answer is no JSON", where=url + path) from error
    if not isinstance(value, dict):
        raise LinkError("the answer is no JSON object", where=url + path)
    return value
