"""Transcripts of commands in pages: fenced blocks after a marker, with each command after `$ ` and its output below."""

import os
import re
import subprocess

BLOCK = re.compile(r"(<!-- transcript -->\n```console\n)(.*?)(```)", re.DOTALL)
LIMIT_S = 120
# Parts that differ from run to run.
VOLATILE = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "2026-11-28T10:00:00Z"),
    (re.compile(r"\d\d/\d\d/\d{4} (?:alle )?\d\d:\d\d(?::\d\d)?"), "28/11/2026 alle 10:00"),
    (re.compile(r"\b[0-9a-f]{16,}(?:\.[0-9a-f]{16,})?\b"), "1f2e3d4c…"),
    (re.compile(r"wamid\.[\w=+/-]+"), "wamid.1f2e…"),
    (re.compile(r"\btest\.[0-9a-f]{12}\b"), "test.1f2e3d4c5b6a"),
]


def steady(text):
    """Returns a text with fixed values in place of times and ids."""
    for pattern, instead in VOLATILE:
        text = pattern.sub(instead, text)
    return text


def commands(block):
    """Returns the commands of a block."""
    return [line[2:] for line in block.splitlines() if line.startswith("$ ")]


def replayed(page, setup, folder, variables):
    """Runs the commands of a page in a folder, after the lines of `setup`, and returns the page with their output."""

    def replay(match):
        lines = []
        for command in commands(match[2]):
            done = subprocess.run(
                ["bash", "-c", f"{setup}\n{command}"],
                cwd=folder,
                env={**os.environ, **variables},
                capture_output=True,
                text=True,
                timeout=LIMIT_S,
            )
            lines.append(f"$ {command}\n{steady(done.stdout + done.stderr)}")
        return match[1] + "".join(lines) + match[3]

    return BLOCK.sub(replay, page)
