"""The tests: a folder for each of the package's, with its name; here, what is of the whole.

`kit` has what they are made with, `lab` builds and runs guests, `soak` runs for hours by hand.
"""

from pathlib import Path

REPO = Path(__file__).parent.parent
