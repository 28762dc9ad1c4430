"""Policy files -> policies: the packaged default, the five regions, and whatever the home adds or overrides.

Here: finding, merging and checking the files, with errors that name file and line. Not here: what the keys mean.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kinerja_pipeline.contracts.pages import PageError, line_of, read_page
from kinerja_pipeline.policies.model import Policy


class PolicyError(Exception):
    """A policy file is wrong; the message names file, line, what is wrong and what to write instead."""


def load_policies(folder: Path | None = None) -> dict[str, Policy]:
    """Every region's policy by region id: packaged files, then those of `folder` (a home's policies/) merged over them.

    `default.yaml` holds what all regions share; a region's file holds what differs. Mappings merge key by key, lists
    and values replace. Raises PolicyError.
    """
    packaged = Path(str(resources.files("kinerja_pipeline.policies")))
    default: dict[str, Any] = {}
    shared: list[Path] = []
    regions: dict[str, dict[str, Any]] = {}
    origin: dict[str, list[Path]] = {}
    for place in (packaged, *([folder] if folder and folder.is_dir() else [])):
        for path in sorted(place.glob("*.yaml")):
            page = _read(path)
            if path.stem == "default":
                default = merged(default, page)
                shared.append(path)
                continue
            named = str(page.get("region", path.stem))
            regions[named] = merged(regions.get(named, {"region": named}), page)
            origin.setdefault(named, []).append(path)
    return {name: _checked(merged(default, page), [*shared, *origin[name]]) for name, page in sorted(regions.items())}


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid on `under`: mappings merge key by key, everything else replaces."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def policy_version(policy: Policy) -> str:
    """The stated version with a fingerprint of everything the policy says: '2026.1+3f2a9c1b'."""
    text = json.dumps(policy.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
    return f"{policy.version}+{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_page(path)
    except PageError as error:
        raise PolicyError(str(error)) from error


def _checked(page: dict[str, Any], files: list[Path]) -> Policy:
    try:
        return Policy.model_validate(page)
    except ValidationError as error:
        first = error.errors()[0]
        # A follow-up rule's kind stands in the location like a key: follow_up, <name>, decline, <key>.
        place = [p for i, p in enumerate(first["loc"]) if not (i == 2 and first["loc"][0] == "follow_up")]
        path, line = _where(files, place)
        known = _known_keys(place[:-1])
        near = (
            difflib.get_close_matches(str(place[-1]), known, 1) if first["type"] == "extra_forbidden" and place else []
        )
        hint = f"; did you mean '{near[0]}'?" if near else ""
        problem = (
            "this key is not known"
            if first["type"] == "extra_forbidden"
            else first["msg"].removeprefix("Value error, ")
        )
        more = f" ({error.error_count() - 1} more after this one)" if error.error_count() > 1 else ""
        raise PolicyError(
            f"{path.name}, line {line}: {'.'.join(map(str, place)) or 'policy'}: {problem}{hint}{more}"
        ) from None


def _where(files: list[Path], place: list[int | str]) -> tuple[Path, int]:
    """The file and line that states `place`, the last file first; the last file's top when none does."""
    best: tuple[int, Path, int] = (-1, files[-1], 1)
    for path in reversed(files):
        line, depth = line_of(path, place)
        if depth > best[0]:
            best = (depth, path, line)
    return best[1], best[2]


def _known_keys(place: list[int | str]) -> list[str]:
    schema = Policy.model_json_schema()
    definitions = schema["$defs"]
    node: dict[str, Any] = schema
    for step in place:
        node = _resolved(node, definitions)
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            free: dict[str, Any] = node.get("additionalProperties") or next(
                iter(node.get("patternProperties", {}).values()), {}
            )
            node = node.get("properties", {}).get(step) or free
    return list(_resolved(node, definitions).get("properties", {}))


def _resolved(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    options = [o for o in node.get("anyOf", []) + node.get("oneOf", []) if "$ref" in o] or [node]
    found: list[dict[str, Any]] = [definitions[o["$ref"].rsplit("/", 1)[1]] if "$ref" in o else o for o in options]
    if len(found) == 1:
        return found[0]
    # One of several kinds (follow-up rules): what any of them knows may have been meant.
    return {"properties": {key: value for option in found for key, value in option.get("properties", {}).items()}}
