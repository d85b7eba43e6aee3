"""What a run was made from, and what all of it cost."""

from dataclasses import replace

import pytest

from fer_core.runs import Run, RunStore, lineage, stored_lineage, with_totals
from fer_core.runs.lineage import sources
from fer_core.runs.summary import RunSummary, summarize
from fer_core.training.ensemble import make_ensemble
from tests.dashboard.runs import make_run


@pytest.fixture
def store(tmp_path) -> RunStore:
    return RunStore(tmp_path)


def trained(store: RunStore, seconds: float, *, start: str = "", teacher: str = "", **changes: int) -> Run:
    """A finished run that took so long, perhaps from another's weights or taught by one."""
    learnt = {"teacher": teacher, "teacher_weight": 0.5} if teacher else {}
    run = make_run(store, n=40, init_from=start, **learnt, **changes)
    run.write_json("environment.json", run.environment() | {"wall_s": seconds})
    return run


def found(store: RunStore) -> dict[str, RunSummary]:
    return {run.id: run for run in with_totals([summarize(run, ()) for run in store.list()])}


def test_a_run_of_its_own_was_made_from_nothing(store):
    run = trained(store, 60)
    made = stored_lineage(run, store)
    assert ([each.id for each in made.runs], made.missing, made.seconds) == ([run.id], (), 60)
    assert made.origin(made.runs[0]) == "random weights"
    pretrained = replace(made.runs[0].spec, architecture_arguments={"weights": "imagenet"})
    assert made.origin(replace(made.runs[0], spec=pretrained)) == "weights of imagenet"
    assert found(store)[run.id].total_s == 60


def test_every_training_counts_once_however_often_it_was_used(store):
    first = trained(store, 100)
    second = trained(store, 20, start=first.id, teacher=first.id)
    third = trained(store, 3, start=second.id, teacher=first.id)
    made = stored_lineage(third, store)
    assert [each.id for each in made.runs] == [first.id, second.id, third.id]
    assert [made.origin(each) for each in made.runs] == [
        "random weights",
        "starts from 1, taught by 1",
        "starts from 2, taught by 1",
    ]
    assert made.seconds == 123
    assert [found(store)[run.id].total_s for run in (first, second, third)] == [100, 120, 123]
    assert found(store)[third.id].fact("wall_s") == 3


def test_an_ensemble_was_made_from_its_members_and_theirs(store):
    first, other = trained(store, 100), trained(store, 50, epochs=21)
    second = trained(store, 20, start=first.id)
    ensemble = make_ensemble([second, other], store)
    made = stored_lineage(ensemble, store)
    assert {each.id for each in made.runs[:-1]} == {first.id, second.id, other.id}
    assert made.runs[-1].id == ensemble.id
    assert made.origin(made.runs[-1]).startswith("averages ")
    assert made.seconds == pytest.approx(170 + ensemble.environment()["wall_s"])


def test_where_a_run_is_gone_the_sum_is_not_known(store):
    first = trained(store, 100)
    second = trained(store, 20, start=first.id, teacher=first.id)
    store.delete(first)
    made = stored_lineage(second, store)
    assert ([each.id for each in made.runs], made.missing, made.seconds) == ([second.id], (first.id,), None)
    assert made.origin(made.runs[0]) == "starts from a run that is gone, taught by a run that is gone"
    assert found(store)[second.id].total_s is None


def test_runs_that_name_each_other_are_told_all_the_same(store):
    first = summarize(trained(store, 100), ())
    second = summarize(trained(store, 20, start=first.id), ())
    looped = replace(first, spec=replace(first.spec, init_from=second.id))
    made = lineage(looped, {first.id: looped, second.id: second}.get)
    assert [each.id for each in made.runs] == [second.id, first.id]


@pytest.mark.parametrize("members", [["what", {"weight": 1.0}], 3, None])
def test_members_that_name_no_run_are_left_out(store, members):
    run = summarize(trained(store, 60), ())
    strange = replace(run, spec=replace(run.spec, architecture_arguments={"members": members}))
    assert sources(strange) == []
    assert with_totals([strange])[0].total_s == 60


def test_of_a_run_that_cannot_be_read_nothing_is_claimed(store):
    run = trained(store, 60)
    (run.path / "spec.json").write_text("{")
    made = stored_lineage(store.get(run.id), store)
    assert made.origin(made.runs[0]) == "what is not known"
    assert sources(made.runs[0]) == []


def test_sources_are_looked_up_by_their_whole_name(store):
    first = trained(store, 100)
    second = trained(store, 20, start=first.id.rsplit("__", 1)[-1])
    assert stored_lineage(second, store).missing == (second.spec.init_from,)
    assert found(store)[second.id].total_s is None


def test_a_summary_by_itself_does_not_know_what_was_spent_before(store):
    first = trained(store, 100)
    assert summarize(first, ()).total_s == 100
    assert summarize(trained(store, 20, start=first.id), ()).total_s is None
