"""Adds up the results of several test programs and says, last, `N passed, N failed`.

    test_summary.py [--must-run] SUITES

SUITES has one line per suite, tab-separated: name, exit status, seconds, result file. The result
file is the XML that pytest and GoogleTest both write; `-` means that the program is one test by
itself and its exit status the result. Exit status 1 when anything failed or nothing ran.

With --must-run a skipped test is a failure too, unless its reason starts with `expected:` (or
pytest was told that the test fails: xfail). A suite that ran no test is always a failure.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

EXPECTED = "expected:"


def skip_reason(skipped):
    """The reason of a skip. GoogleTest puts `file:line` and sometimes `Skipped` in front of it."""
    message = skipped.get("message") or skipped.text or ""
    lines = [line.strip() for line in message.splitlines()]
    lines = [line for line in lines if line and line != "Skipped"]
    if len(lines) > 1 and re.search(r":\d+$", lines[0]):
        lines = lines[1:]
    return " ".join(lines) or "no reason given"


def read_results(path):
    """(passed, names of failures, [(name, reason)] of skips) of one result file."""
    passed, failures, skips = 0, [], []
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(name)
        elif skipped is not None:
            reason = skip_reason(skipped)
            if skipped.get("type") == "pytest.xfail":
                reason = f"{EXPECTED} to fail: {reason}"
            skips.append((name, reason))
        elif case.get("status") != "notrun":
            passed += 1
    return passed, failures, skips


def judge(status, result_file, must_run):
    """(passed, problems, skips that are all right) of one suite."""
    if result_file == "-":
        return (1, [], []) if status == 0 else (0, [f"exit status {status}"], [])
    try:
        passed, problems, skips = read_results(result_file)
    except (OSError, ElementTree.ParseError):
        return 0, [f"died without a result, exit status {status}"], []
    if must_run:
        problems += [f"{name} did not run: {reason}" for name, reason in skips if not reason.startswith(EXPECTED)]
        skips = [(name, reason) for name, reason in skips if reason.startswith(EXPECTED)]
    if not passed and not problems:
        problems.append("ran no test")
    if status != 0 and not problems:
        problems.append(f"exit status {status}, although no test failed")
    return passed, problems, skips


def main(arguments):
    must_run = "--must-run" in arguments
    suites = pathlib.Path(arguments[-1]).read_text().splitlines()
    total_passed, total_failed, total_skipped = 0, 0, 0
    for suite in suites:
        name, status, seconds, result_file = suite.split("\t")
        passed, problems, skips = judge(int(status), result_file, must_run)
        print(f"{name:32} {passed:5} passed {len(problems):4} failed {len(skips):4} skipped {int(seconds):5} s")
        for problem in problems:
            print(f"    FAILED {problem}")
        total_passed += passed
        total_failed += len(problems)
        total_skipped += len(skips)
    skipped = f", {total_skipped} skipped" if total_skipped else ""
    print(f"{total_passed} passed, {total_failed} failed{skipped}")
    return 1 if total_failed or not total_passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
