"""A dict that numpy.save pickled, as several released codes keep their tags, read without running code.

numpy's own loader runs whatever a pickle asks for (allow_pickle).  Here it may only ask for numpy's arrays, numbers and
dtypes; everything else is refused by name.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from wsss_cli.errors import WsssError
from wsss_cli.sound import open_file

_ARRAY, _NUMBER, _BUFFER = np.zeros(1).__reduce__()[0], np.float64(0).__reduce__()[0], np.zeros(1).__reduce_ex__(5)[0]
ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): lambda text, encoding="latin1": text.encode("latin1"),  # bytes, in protocols up to 2
    ("collections", "OrderedDict"): OrderedDict,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _ARRAY for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): _NUMBER for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _BUFFER for core in ("core", "_core")},
}
"""What a pickle may ask for; numpy.core became numpy._core in numpy 2."""


def read_npy_dict(path: Path) -> dict[Any, Any]:
    """The dict in a .npy file made by numpy.save(path, {...}).

    Raises WsssError naming the file: missing, damaged, no dict, or a pickle that asks for more than arrays.
    """
    try:
        with open_file(path) as file:
            value = _value(file)
    except WsssError:
        raise
    except OSError as error:
        raise WsssError(f"{path} cannot be read: {error.strerror or error}", "check the path and its rights") from error
    except _RefusedError as error:
        raise WsssError(
            f"{path} is a pickle that runs code when it is read: it asks for {error}",
            "load it where you trust it, and save a dict of plain arrays",
        ) from error
    except Exception as error:  # a damaged pickle raises whatever its bytes lead to
        text = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise WsssError(f"{path} is damaged or no .npy file: {text}", "copy or download it again") from error
    if not isinstance(value, dict):
        raise WsssError(f"{path} holds no dict but {type(value).__name__}", "save it with numpy.save(path, {id: ...})")
    return value


def _value(file: IO[bytes]) -> Any:
    version = npy.read_magic(file)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(file)
    if not dtype.hasobject:
        return np.empty(0, dtype)  # an array of numbers is not what is wanted
    array = _Unpickler(file, encoding="latin1").load()  # latin1: pickles of Python 2
    return array.reshape(shape).item() if shape == () else array


class _RefusedError(Exception):
    """A pickle asks for a class or function that is not allowed."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise _RefusedError(f"{module}.{name}")
        return ALLOWED[module, name]
