"""Policy files -> policies: the packaged default, the five regions, and whatever the home adds or overrides.

Here: finding, merging and checking the files, with errors that name file and line. Not here: what the keys mean (model).
"""

from __future__ import annotations

import difflib
import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from kinerja_pipeline.policies.model import Policy


class PolicyError(Exception):
    """A policy file is wrong; the message names file, line, what is wrong and what to write instead."""


def load_policies(folder: Path | None = None) -> dict[str, Policy]:
    """Every region's policy by region id: packaged files, then those of `folder` (a home's policies/) merged over them.

    `default.yaml` holds what all regions share; a region's file holds what differs. Mappings merge key by key, lists and
    values replace. Raises PolicyError.
    """
    packaged = Path(str(resources.files("kinerja_pipeline.policies")))
    default: dict[str, Any] = {}
    regions: dict[str, dict[str, Any]] = {}
    origin: dict[str, list[Path]] = {}
    for place in (packaged, *([folder] if folder and folder.is_dir() else [])):
        for path in sorted(place.glob("*.yaml")):
            page = _read(path)
            if path.stem == "default":
                default = merged(default, page)
                continue
            named = str(page.get("region", path.stem))
            regions[named] = merged(regions.get(named, {"region": named}), page)
            origin.setdefault(named, []).append(path)
    return {name: _checked(merged(default, page), origin[name]) for name, page in sorted(regions.items())}


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
        page = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path.name}: not readable as YAML: {error}") from error
    if not isinstance(page, dict):
        raise PolicyError(f"{path.name}: holds no keys; a policy file is a mapping, see default.yaml")
    return page


def _checked(page: dict[str, Any], files: list[Path]) -> Policy:
    try:
        return Policy.model_validate(page)
    except ValidationError as error:
        first = error.errors()[0]
        place = [p for p in first["loc"] if p not in ("decline", "reward")]
        path, line = _where(files, place)
        known = _known_keys(place[:-1])
        near = difflib.get_close_matches(str(place[-1]), known, 1) if first["type"] == "extra_forbidden" and place else []
        hint = f"; did you mean '{near[0]}'?" if near else ""
        problem = "this key is not known" if first["type"] == "extra_forbidden" else first["msg"].removeprefix("Value error, ")
        more = f" ({error.error_count() - 1} more after this one)" if error.error_count() > 1 else ""
        raise PolicyError(f"{path.name}, line {line}: {'.'.join(map(str, place)) or 'policy'}: {problem}{hint}{more}") from None


def _where(files: list[Path], place: list[int | str]) -> tuple[Path, int]:
    """The file and line that states `place`, the last file first; the first file's top when none does."""
    packaged = Path(str(resources.files("kinerja_pipeline.policies"))) / "default.yaml"
    best: tuple[int, Path, int] = (-1, files[0], 1)
    for path in (*reversed(files), packaged):
        node = yaml.compose(path.read_text(encoding="utf-8"))
        depth, line = 0, 1
        for step in place:
            child = _child(node, step)
            if child is None:
                break
            node, line, depth = child[0], child[1], depth + 1
        if depth > best[0]:
            best = (depth, path, line)
    return best[1], best[2]


def _child(node: Any, step: int | str) -> tuple[Any, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    return None


def _known_keys(place: list[int | str]) -> list[str]:
    schema = Policy.model_json_schema()
    definitions = schema["$defs"]
    node: dict[str, Any] = schema
    for step in place:
        node = _resolved(node, definitions)
        if isinstance(step, int):
            node = node.get("items", {})
        else:
            free: dict[str, Any] = node.get("additionalProperties") or next(iter(node.get("patternProperties", {}).values()), {})
            node = node.get("properties", {}).get(step) or free
    return list(_resolved(node, definitions).get("properties", {}))


def _resolved(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    for option in node.get("anyOf", []) + node.get("oneOf", []):
        if "$ref" in option:
            node = option
            break
    return definitions[node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node
