"""Policy files -> policies: the packaged default, the five regions, and whatever the home adds or overrides.

Here: finding, merging and checking the files, with errors that name file and line. Not here: what the keys mean.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kinerja_pipeline.contracts.pages import PageError, line_of, read_page
from kinerja_pipeline.policies.dated import UNDATED, Policies
from kinerja_pipeline.policies.model import Policy

DEFAULT = "default"
MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
Place = Sequence[str | int]
"""Where in a policy: the keys and list positions from the top."""


class PolicyError(Exception):
    """A policy file is wrong; the message names file, line, what is wrong and what to write instead."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a policy file, as one line for people."""

    path: Path
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """One file as read: whose it is (`default` is everybody's) and from which month on it holds (None: always)."""

    path: Path
    name: str
    since: str | None
    page: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Layers:
    """The files that one version of a region's policy is merged from, the lowest first."""

    region: str
    since: str | None
    files: tuple[PolicyFile, ...]

    def policy(self) -> Policy | list[Problem]:
        """The merged policy, or everything that is wrong with it."""
        page: dict[str, Any] = {"region": self.region}
        for file in self.files:
            page = merged(page, file.page)
        try:
            return Policy.model_validate(page)
        except ValidationError as error:
            return [self.problem(*_explained(e, page)) for e in error.errors()]

    def misdated_rounds(self, policy: Policy, before: Sequence[Policy]) -> list[Problem]:
        """The appraisal rounds of this version that an earlier one lets count in another month (they would count in
        both), and those that are new here but count in a month before this version holds (they would never count)."""
        declared = {name: held.period for each in before for name, held in each.appraisal.rounds.items()}
        problems = []
        for name, held in policy.appraisal.rounds.items():
            place, first = ["appraisal", "rounds", name, "period"], declared.get(name, held.period)
            if held.period != first:
                text = f"the round counts in {first}; a later version cannot move it: give the round a name of its own"
                problems.append(self.problem(place, text))
            elif self.since and name not in declared and held.period < self.since:
                text = f"the round counts in {held.period}, before this file holds; write it in {self.region}.yaml"
                problems.append(self.problem(place, text))
        return problems

    def problem(self, place: Place, text: str) -> Problem:
        """A problem at `place`, with the file and line that state it."""
        path, line = _where([f.path for f in self.files], place)
        return Problem(path, f"{path.name}, line {line}: {'.'.join(map(str, place)) or 'policy'}: {text}")


def load_policies(folder: Path | None = None) -> Policies:
    """Every region's policy by region id: packaged files, then those of `folder` (a home's policies/) merged over them.

    `default.yaml` holds what all regions share; a region's file holds what differs. Mappings merge key by key, lists
    and values replace. `manokwari@2026-04.yaml` is merged over `manokwari.yaml` from April 2026 on. Raises PolicyError.
    """
    files, problems = read_policy_files(folder)
    _raise_first(problems)
    undated: dict[str, Policy] = {}
    later: dict[str, list[tuple[str, Policy]]] = {}
    for layers in layers_of(files):
        policy = layers.policy()
        if isinstance(policy, list):
            _raise_first(policy)
            continue
        before = [undated[layers.region], *(p for _, p in later.get(layers.region, ()))] if layers.since else []
        _raise_first(layers.misdated_rounds(policy, before))
        if layers.since is None:
            undated[layers.region] = policy
        else:
            later.setdefault(layers.region, []).append((layers.since, policy))
    return Policies(undated, {region: tuple(versions) for region, versions in later.items()})


def read_policy_files(folder: Path | None, extra: Path | None = None) -> tuple[list[PolicyFile], list[Problem]]:
    """The files in the order in which they are laid on each other, and what is wrong with each of them alone.

    `extra` is one more file, laid on the others of its name unless it is among them.
    """
    packaged = Path(str(resources.files("kinerja_pipeline.policies")))
    paths = [p for place in (packaged, folder) if place and place.is_dir() for p in sorted(place.glob("*.yaml"))]
    if extra is not None and extra.resolve() not in {p.resolve() for p in paths}:
        paths.append(extra)
    files: list[PolicyFile] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            file = _read(path)
        except PolicyError as error:
            problems.append(Problem(path, str(error)))
            continue
        problems += _misplaced(file)
        files.append(file)
    known = {f.name for f in files if f.since is None}
    for file in files:
        if file.name not in known:
            near = near_word(file.name, known)
            text = f"{file.path.name}: there is no {file.name}.yaml that it could change{near}; write that file first"
            problems.append(Problem(file.path, text))
    return files, problems


def layers_of(files: Iterable[PolicyFile]) -> Iterator[Layers]:
    """The versions of every region, by region and start."""
    ordered = sorted(files, key=lambda f: f.since or "")
    shared = [f for f in ordered if f.name == DEFAULT]
    for region in sorted({f.name for f in ordered if f.name != DEFAULT and f.since is None}):
        own = [f for f in ordered if f.name == region]
        for start in [None, *sorted({f.since for f in (*shared, *own) if f.since})]:
            begun = (f for f in (*shared, *own) if not f.since or (start and f.since <= start))
            yield Layers(region, start, tuple(begun))


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid on `under`: mappings merge key by key, everything else replaces."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


def policy_version(policy: Policy) -> str:
    """The stated version with a fingerprint of everything that the policy says of figures: '2026.1+3f2a9c1b'. Another
    wording of a promise, another address, another time at which figures are published or papers thrown away, must not
    look like another rule."""
    silent, timing = ("promises", "contacts", "retention"), {"restating", "most_months_unasked"}
    said = policy.model_dump(mode="json", exclude={**dict.fromkeys(silent, True), "periods": timing})
    text = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return f"{policy.version}+{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _raise_first(problems: Sequence[Problem]) -> None:
    if problems:
        more = f" ({len(problems) - 1} more after this one)" if len(problems) > 1 else ""
        raise PolicyError(f"{problems[0]}{more}")


def _read(path: Path) -> PolicyFile:
    try:
        page = read_page(path)
    except PageError as error:
        raise PolicyError(str(error)) from error
    name, at, since = path.stem.partition("@")
    if at and not MONTH.fullmatch(since):
        raise PolicyError(
            f"{path.name}: '{since}' is not a month; a file that holds from a month on is called {name}@2026-04.yaml"
        )
    named = name if name == DEFAULT else str(page.get("region", name))
    return PolicyFile(path, named, since or None, page)


def _misplaced(file: PolicyFile) -> Iterator[Problem]:
    for key in UNDATED if file.since else ():
        if key in file.page:
            line, _ = line_of(file.path, [key])
            text = f"{key} cannot change from a month on; write it in {file.name}.yaml"
            yield Problem(file.path, f"{file.path.name}, line {line}: {text}")


def _explained(error: Any, page: dict[str, Any]) -> tuple[list[str | int], str]:
    # A follow-up rule's kind stands in the location like a key: follow_up, <name>, decline, <key>.
    place = [p for i, p in enumerate(error["loc"]) if not (i == 2 and error["loc"][0] == "follow_up")]
    if error["type"] == "extra_forbidden" and place:
        return place, f"this key is not known{near_word(str(place[-1]), _known_keys(place[:-1]))}"
    if error["type"] == "missing" and place[0] == "indicators" and len(place) == 3:
        near = near_word(str(place[1]), [name for name in page["indicators"] if name != place[1]])
        return place, f"is missing, and no other file declares this indicator{near}"
    return place, error["msg"].removeprefix("Value error, ")


def near_word(word: str, known: Iterable[str]) -> str:
    """The suggestion that follows a complaint about an unknown word; empty when none is near."""
    near = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean '{near[0]}'?" if near else ""


def _where(files: Sequence[Path], place: Place) -> tuple[Path, int]:
    """The file and line that states `place`, the last file first; the last file's top when none does."""
    best: tuple[int, Path, int] = (-1, files[-1], 1)
    for path in reversed(files):
        line, depth = line_of(path, place)
        if depth > best[0]:
            best = (depth, path, line)
    return best[1], best[2]


def _known_keys(place: Place) -> list[str]:
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
