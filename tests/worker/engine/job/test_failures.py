"""How failures are told: memory that ran out, errors of ours, and all others."""

import psutil
import pytest
import torch

from recede.contract.errors import InvalidInput
from recede_worker.core.device.memory import is_out_of_memory
from recede_worker.engine.job.failures import failure_of, peak_bytes
from tests.worker.engine.claimed_job import SMALL

CPU = torch.device("cpu")


def no_memory() -> RuntimeError:
    """What torch itself raises for more memory than any machine has."""
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    return caught.value


def test_memory_that_ran_out_names_batch_size_peak_and_a_way_out():
    error = no_memory()
    assert is_out_of_memory(error)
    told = failure_of(error, CPU, SMALL)
    assert told["code"] == "out_of_memory"
    assert f"batch size of {SMALL.batch_size};" in told["message"]
    assert f"{peak_bytes(CPU) / 2**30:.1f} GiB" in told["message"]
    assert "batch size of 64" in told["hint"]
    assert "Traceback" not in told["message"]


def test_the_batch_size_that_is_proposed_can_be_shared():
    spec = SMALL.model_copy(update={"batch_size": 15, "processes": 3})
    assert "batch size of 6," in failure_of(MemoryError(), CPU, spec)["hint"]


def test_the_peak_grows_with_what_is_held():
    before = peak_bytes(CPU)
    held = psutil.Process().memory_info().rss
    block = torch.ones(before - held + (64 << 20), dtype=torch.uint8)
    assert peak_bytes(CPU) > before
    assert block.all()


def test_our_own_errors_keep_their_words_and_others_their_type():
    told = failure_of(InvalidInput("No.", field="epochs", hint="Yes."), CPU, SMALL)
    assert told == {
        "code": "invalid_input",
        "message": "No.",
        "field": "epochs",
        "hint": "Yes.",
    }
    assert failure_of(KeyError("k"), CPU, SMALL)["message"] == "KeyError: 'k'"
