"""What the ledger of dead workers remembers: which batch, which photograph, how often."""

from __future__ import annotations

from ovxai_convert.on_ray.ledger import MOST_DEATHS, Ledger


def test_a_batch_is_new_until_it_is_begun_again() -> None:
    ledger = Ledger()
    assert ledger.begin("a") is None
    assert ledger.begin("b") is None
    assert ledger.begin("a") == {}


def test_what_is_ended_is_forgotten() -> None:
    ledger = Ledger()
    ledger.begin("a")
    ledger.end("a")
    assert ledger.begin("a") is None


def test_deaths_are_those_of_the_photograph_that_the_worker_was_at() -> None:
    ledger = Ledger()
    ledger.begin("a")
    ledger.begin("a")
    ledger.come_to("a", 0)
    ledger.come_to("a", 3)
    assert ledger.begin("a") == {3: 1}
    ledger.come_to("a", 2)
    assert ledger.begin("a") == {2: 1, 3: 1}
    ledger.come_to("a", 3)
    assert ledger.begin("a") == {2: 1, 3: MOST_DEATHS}


def test_a_death_at_nothing_is_no_photographs() -> None:
    ledger = Ledger()
    for _ in range(2):
        ledger.begin("a")
    assert ledger.begin("a") == {}


def test_a_ledger_that_was_lost_goes_on() -> None:
    ledger = Ledger()
    ledger.come_to("a", 1)
    assert ledger.begin("a") == {1: 1}
