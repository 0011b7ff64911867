"""What reading a damaged file of tensors can raise."""

from __future__ import annotations

import pickle
import struct
import zipfile

TORCH_LOAD_ERRORS = (
    *(OSError, RuntimeError, EOFError, TypeError, ValueError, AttributeError, LookupError),
    *(pickle.UnpicklingError, struct.error, zipfile.BadZipFile),
)
"""What torch.load raises, depending on where the file is damaged."""
