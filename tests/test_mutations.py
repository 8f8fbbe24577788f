"""The mutations of `make mutations` still apply to the code. Running them takes minutes."""

import re

import pytest

from tests.mutations import PACKAGE, ROOT, Mutation, mutate
from tests.mutations.table import MUTATIONS


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[x.guard for x in MUTATIONS])
def test_a_mutation_applies_and_its_test_exists(mutation: Mutation) -> None:
    whole = (PACKAGE / mutation.file).read_text()
    assert mutate(whole, mutation) != whole
    file, _, name = mutation.test.partition("::")
    function = re.escape(name.partition("[")[0])
    assert re.search(rf"^(async )?def {function}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_mutations_have_unique_guards() -> None:
    assert len(MUTATIONS) >= 12
    assert len({x.guard for x in MUTATIONS}) == len(MUTATIONS)
