"""One place decides how ids are kept."""

import numpy as np
import pytest
import torch

from wsss_cli.data.label_format import BYTE, WORD, format_of, label_format
from wsss_cli.errors import WsssError


def test_by_the_number_of_classes() -> None:
    assert [label_format(c) for c in (1, 254, 255, 65_534)] == [BYTE, BYTE, WORD, WORD]
    with pytest.raises(WsssError, match="there are 65,535 classes, but a label map can tell 65,534 apart"):
        label_format(65_535)


@pytest.mark.parametrize("form", [BYTE, WORD])
def test_the_type_tells_the_format(form: object) -> None:
    assert isinstance(form, type(BYTE))
    labels = form.tensor(torch.tensor([0, form.ignore]))
    assert labels.tolist() == [0, form.ignore] and labels.numpy().dtype == np.dtype(form.dtype)
    assert format_of(labels) == format_of(labels.numpy()) == form


def test_other_types_count_as_bytes() -> None:
    assert format_of(torch.tensor([1])) == format_of(np.array([1])) == BYTE
