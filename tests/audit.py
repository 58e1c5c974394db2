"""`python -m tests.audit COMMAND...` runs pip-audit and says what its answer means (`make audit`).

pip-audit calls what it could not ask about no vulnerability: an index without advisories would look like a clean bill.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

CLEAN, VULNERABLE, UNKNOWN = 0, 1, 2
_REMEDY = (
    "This is no clean bill: the index that was asked has no advisories, or cannot be reached. Run `make audit` where "
    "PyPI itself answers, or `make audit AUDIT_SERVICE=osv` where osv.dev does."
)


def judge(document: Mapping[str, Any]) -> tuple[int, list[str]]:
    """The exit code and the lines to show, of what `pip-audit --format json` tells."""
    packages = document["dependencies"]
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    lines = [
        f"{each['name']} {each['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'none'}"
        for each in packages
        for found in each.get("vulns", ())
    ]
    code = VULNERABLE if lines else UNKNOWN if unknown else CLEAN
    if unknown:
        lines.append(f"{len(unknown)} of {len(packages)} packages could not be asked about. {_REMEDY}")
    if code == CLEAN:
        lines.append(f"{len(packages)} packages, none with a known vulnerability.")
    return code, lines


def judge_run(stdout: str, stderr: str) -> tuple[int, list[str]]:
    """The same of a run that may have answered nothing."""
    try:
        return judge(json.loads(stdout))
    except ValueError:
        last = stderr.strip().splitlines()[-1:]
        return UNKNOWN, [*last, f"None of the packages could be asked about. {_REMEDY}"]


def main(command: Sequence[str]) -> int:
    run = subprocess.run(
        [*command, "--format", "json", "--progress-spinner", "off"],
        capture_output=True,
        text=True,
        check=False,
    )
    code, lines = judge_run(run.stdout, run.stderr)
    print("\n".join(lines))  # noqa: T201  the command's answer
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
