"""Names for arrays; numpy's own types cannot tell how its functions mix widths, so only the use is told."""

from typing import Any

from numpy.typing import NDArray

Floats = NDArray[Any]
Ids = NDArray[Any]
Bools = NDArray[Any]
