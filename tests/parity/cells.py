"""What is compared and what is allowed: a cell of a table of the page, and the tables themselves."""

from dataclasses import dataclass

import numpy as np

# Where both sides compute the same thing.
ALLOWED = 0.005
# Where both draw: so many standard errors of the difference of the means.
ERRORS = 3


@dataclass(frozen=True)
class Cell:
    """The worker's number of a row and a column of the page, its difference to the other side's, and the largest that is no fault."""

    section: str
    row: str
    column: str
    ours: float
    difference: float
    allowed: float
    form: str = "{ours:.4f} ({difference:+.4f})"

    @property
    def is_fault(self):
        # Not a number is one, too.
        return not abs(self.difference) <= self.allowed

    def __str__(self):
        return self.form.format(ours=self.ours, difference=self.difference)

    def line(self):
        return f"{self.section}, {self.column}, {self.row}: {self}, allowed {self.allowed:.2g}"


def noise(ours, theirs):
    """So many standard errors of the difference of the means of two independent samples, or of one with a number."""
    squares = [values.var(ddof=1) / len(values) for values in (np.asarray(ours), np.asarray(theirs)) if len(values) > 1]
    return ERRORS * float(np.sqrt(sum(squares)))


def matrix(cells, section):
    """A section's cells as a Markdown table, rows and columns in the order in which they came."""
    cells = [cell for cell in cells if cell.section == section]
    rows, columns = (list(dict.fromkeys(names)) for names in zip(*((cell.row, cell.column) for cell in cells)))
    found = {(cell.row, cell.column): f"{cell}{' **!**' if cell.is_fault else ''}" for cell in cells}
    lines = ["| | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {row} | " + " | ".join(found.get((row, column), "") for column in columns) + " |" for row in rows]
    return "\n".join(lines)
