"""The engine on a study without TensorFlow: what is run, what is kept, what happens when a run fails."""

from __future__ import annotations

import fcntl
import json
from dataclasses import replace

import pytest
import study_trials
from study_trials import TRUE_EFFECT, DrawTrial, Inner, study

from oddemo.errors import OddemoError
from oddemo.study import engine
from oddemo.study.cache import RunCache, run_key
from oddemo.study.design import Condition, Run, Study, as_json, runs_of
from oddemo.study.engine import run_study
from oddemo.study.results import study_result


def test_runs_are_done_once_and_do_not_depend_on_the_number_of_processes(tmp_path):
    told = []
    one = study(seeds=2)
    first = run_study(one, work=tmp_path / "a", jobs=1, on_run=told.append)
    assert [progress.done for progress in told] == list(range(1, 13))
    assert told[-1].seconds_left == 0
    assert told[0].seconds_left > 0
    assert [str(done.run) for done in first] == [str(run) for run in runs_of(one)]

    again = run_study(one, work=tmp_path / "a", jobs=1, on_run=lambda _: pytest.fail("a kept run was done again"))
    assert [done.metrics for done in again] == [done.metrics for done in first]

    more = run_study(study(seeds=3), work=tmp_path / "a", jobs=2, on_run=told.append)
    assert len(told) == 12 + 6
    two = run_study(study(seeds=3), work=tmp_path / "b", jobs=3)
    assert [done.metrics for done in more] == [done.metrics for done in two]
    assert [done.key for done in more] == [done.key for done in two]
    assert not list((tmp_path / "a" / "scratch").glob("*/*"))


def test_no_process_does_more_runs_than_it_may(tmp_path, monkeypatch):
    whole = run_study(study(seeds=2), work=tmp_path / "a")
    assert len(list((tmp_path / "a" / "processes").iterdir())) == 1
    monkeypatch.setattr(engine, "RUNS_OF_A_PROCESS", 5)
    in_parts = run_study(study(seeds=2), work=tmp_path / "b")
    assert len(list((tmp_path / "b" / "processes").iterdir())) == 3  # for 12 runs
    assert [done.metrics for done in in_parts] == [done.metrics for done in whole]


def test_the_effect_is_found_and_nothing_else(tmp_path):
    one = study()
    result = study_result(one, run_study(one, work=tmp_path, jobs=2), {"seeds": [1]})
    json.dumps(result, allow_nan=False)
    assert len(result["runs"]) == 3 * 2 * 5
    found = {(one["name"], one["world"], one["metric"]): one for one in result["comparisons"]}
    for world in ("land", "sea"):
        more = found["more", world, "ap"]
        # The levels spread by 0.2 over seeds; seed by seed the effect stands out all the same.
        assert more["low"] < TRUE_EFFECT < more["high"]
        assert more["low"] > 0
        assert more["high"] - more["low"] < 0.1
        assert more["points"] == pytest.approx(100 * more["point"], abs=0.006)
        assert more["p"] <= more["p_holm"] < 0.05
        assert more["seeds"] == [1, 2, 3, 4, 5]
        assert more["against"] == "plain"
        nothing = found["same", world, "ap"]
        assert nothing["low"] < 0 < nothing["high"]
        # What does not change at all has no spread and no effect.
        still = found["same", world, "twice"]
        assert (still["point"], still["low"], still["high"], still["p_holm"]) == (0, 0, 0, 1)
    wide = next(one for one in result["levels"] if (one["condition"], one["metric"]) == ("more", "ap"))
    assert wide["high"] - wide["low"] > 0.1


def test_a_failing_run_names_itself_and_costs_no_other(tmp_path):
    broken = study(seeds=3, fail_at_seed=2)
    with pytest.raises(OddemoError, match=r"The run \w+, \w+, seed 2 failed(.|\n)*numbers ran out") as refused:
        run_study(broken, work=tmp_path)
    assert "finished runs are kept" in str(refused.value)
    kept = list((tmp_path / "runs").glob("*.json"))
    assert len(kept) >= 6
    mended = run_study(study(seeds=3), work=tmp_path)
    assert len(mended) == 18


def test_a_worker_that_ends_without_a_word_is_told(tmp_path):
    with pytest.raises(OddemoError, match="failed") as refused:
        run_study(study(seeds=2, fail_at_seed=1, end_process=True), work=tmp_path)
    assert "BrokenProcessPool" in str(refused.value)
    assert "drawn.log" in str(refused.value)


def test_two_at_a_time_in_one_folder_are_refused(tmp_path):
    (tmp_path / "scratch").mkdir()
    with (tmp_path / "scratch" / "drawn.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(OddemoError, match="running already"):
            run_study(study(), work=tmp_path)
    with pytest.raises(OddemoError, match="at least one process"):
        run_study(study(), work=tmp_path, jobs=0)


def test_a_damaged_run_is_named(tmp_path):
    one = study(seeds=2)
    done = run_study(one, work=tmp_path)
    cache = RunCache(tmp_path / "runs")
    cache.path(done[0].key).write_text('{"metrics": 3}')
    with pytest.raises(OddemoError, match="not a finished run"):
        run_study(one, work=tmp_path)


def keyed(trial: DrawTrial, *, world: str = "land", seed: int = 1, name: str = "plain", shared: str = "a") -> str:
    return run_key(Run(world, Condition(name, "words", trial), seed), {"pictures": shared})


def test_the_key_is_the_content():
    plain = keyed(DrawTrial())
    assert keyed(DrawTrial(), name="other") == plain
    others = [
        keyed(DrawTrial(effect=0.2)),
        keyed(DrawTrial(noise=Inner(3.0))),
        keyed(DrawTrial(), world="sea"),
        keyed(DrawTrial(), seed=2),
        keyed(DrawTrial(), shared="b"),
    ]
    assert len({plain, *others}) == 6


def test_records_become_json_with_their_names():
    assert as_json(DrawTrial())["noise"] == {"is": "Inner", "scale": 1.0}
    with pytest.raises(OddemoError, match="without content"):
        as_json(DrawTrial(effect=object()))  # type: ignore[arg-type]


def test_impossible_studies_are_refused():
    conditions = study_trials.STUDY.conditions
    for changes, words in (
        ({"conditions": (*conditions, conditions[0])}, "different names"),
        ({"conditions": ()}, "different names"),
        ({"worlds": ()}, "at least one world"),
        ({"seeds": 1}, "too few seeds"),
        ({"name": "a/b"}, "name"),
        ({"conditions": (replace(conditions[0], against="nobody"),)}, "does not have"),
    ):
        with pytest.raises(OddemoError, match=words):
            replace(study_trials.STUDY, **changes)
    with pytest.raises(OddemoError, match="kept by its content"):
        Condition("a", "b", object())  # type: ignore[arg-type]
    assert isinstance(study_trials.STUDY, Study)
