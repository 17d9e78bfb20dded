"""Sizes and processors of the bundles, and the table of docs/bundles.md.

A size is in kB, a thousand bytes, rounded up. Lambda counts both: the zip is uploaded and loaded, and the program unpacked.
"""

import io
import zipfile
from dataclasses import dataclass

from support.paths import ROOT

PAGE = ROOT / "docs" / "bundles.md"
ARCHITECTURES = ("x86_64", "arm64")
PROGRAM = "bootstrap"
NOT_MEASURED = "–"

# The first bytes of an ELF file, and the field `e_machine`.
ELF = b"\x7fELF"
MACHINE = slice(18, 20)
MACHINES = {62: "x86_64", 183: "arm64"}


@dataclass(frozen=True)
class Size:
    """The size of a bundle."""

    program: int
    zip: int


@dataclass(frozen=True)
class Row:
    """A line of the table. `sizes` lacks an architecture that was never built."""

    sizes: dict
    budget: int


def kilobytes(count):
    return -(-count // 1000)


def size_of(program):
    """Returns the size of a bundle with this program, compressed as `sam deploy` does it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr(PROGRAM, program)
    return Size(kilobytes(len(program)), kilobytes(len(packed.getvalue())))


def architecture_of(program):
    """Returns the processor that a program is built for, or `None` if it is no program of Linux."""
    if not program.startswith(ELF):
        return None
    return MACHINES.get(int.from_bytes(program[MACHINE], "little"))


def number(cell):
    return int(cell.replace(",", ""))


def table(text=None):
    """Returns the table of the page as {function: row}."""
    text = PAGE.read_text(encoding="utf-8") if text is None else text
    rows = {}
    for line in text.splitlines():
        if not line.startswith("| `"):
            continue
        name, *cells, budget = [cell.strip() for cell in line.strip("|").split("|")]
        pairs = zip(ARCHITECTURES, cells[::2], cells[1::2], strict=True)
        sizes = {one: Size(number(program), number(packed)) for one, program, packed in pairs if packed != NOT_MEASURED}
        rows[name.strip("`")] = Row(sizes, number(budget))
    return rows


def printed(rows):
    """Returns the lines of a table, in the form that the page has."""
    lines = ["| bundle | x86_64, program | x86_64, zip | arm64, program | arm64, zip | budget of the zip |", "|---|---|---|---|---|---|"]
    for name, row in rows.items():
        sizes = [row.sizes.get(one) for one in ARCHITECTURES]
        cells = [cell for one in sizes for cell in ((f"{one.program:,}", f"{one.zip:,}") if one else (NOT_MEASURED,) * 2)]
        lines.append(f"| `{name}` | {' | '.join(cells)} | {row.budget:,} |")
    return "\n".join(lines)


def over_budget(sizes):
    """Returns a sentence for each bundle whose zip exceeds its budget."""
    rows = table()
    return [f"{name}: {one.zip:,} kB, budget {rows[name].budget:,} kB" for name, one in sizes.items() if one.zip > rows[name].budget]
