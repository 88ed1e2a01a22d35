from typing import TYPE_CHECKING

import pytest

from bench import transport

if TYPE_CHECKING:
    from tests.services.conftest import Broker

pytestmark = [pytest.mark.broker, pytest.mark.embedded]


def test_benchmark_runs_and_names_every_contender(broker: "Broker") -> None:
    result = transport.compare(bootstrap=broker.bootstrap, count=3_000, runs=1)
    assert all(result[name]["per_second"] > 0 for name in ("chunked", "plain", "aiokafka"))
    assert result["chunked_to_plain"] > 1
