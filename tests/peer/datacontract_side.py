"""The peer's side: runs in its own environment, lints and tests pages with datacontract-cli, and prints what it found.

Standard input: {"lint": [page, ...], "test": [page, ...]}; standard output: one JSON document. Imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import json
import sys

from datacontract.data_contract import DataContract


def main() -> None:
    asked = json.load(sys.stdin)
    complaints: dict[str, list[str]] = {}
    found: dict[str, list[dict[str, object]]] = {}
    with contextlib.redirect_stdout(sys.stderr):
        for page in asked["lint"]:
            run = DataContract(data_contract_file=page).lint()
            complaints[page] = [str(c.reason) for c in run.checks if c.result.value != "passed"]
        for page in asked["test"]:
            run = DataContract(data_contract_file=page).test()
            found[page] = [
                {
                    "kind": c.type,
                    "key": c.key,
                    "column": c.field,
                    "result": c.result.value,
                    "count": (c.diagnostics or {}).get("value"),
                    "reason": c.reason,
                }
                for c in run.checks
            ]
    json.dump({"lint": complaints, "test": found}, sys.stdout)


if __name__ == "__main__":
    main()
