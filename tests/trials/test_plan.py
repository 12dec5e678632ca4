"""A plan is read or refused in one sentence, and names the same trials every time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitnet.errors import UsageError
from digitnet.presets import PRESETS
from digitnet.trials.plan import Plan

GRID = """
title = "Layers"
seeds = 3
compare = [["filters=16-32 kernel_size=3", "filters=16 kernel_size=5"]]
[base]
steps = 100
[grid]
filters = [[16], [16, 32]]
kernel_size = [3, 5]
"""
LISTED = """
seeds = [4, 9]
[[variant]]
name = "one layer / small"
filters = [8]
[[variant]]
name = "two layers"
filters = [8, 16]
learning_rate = 0.001
"""


def test_a_grid_is_every_combination_with_the_bases_fields() -> None:
    plan = Plan.from_toml(GRID)
    assert [variant.name for variant in plan.variants] == [
        "filters=16 kernel_size=3",
        "filters=16 kernel_size=5",
        "filters=16-32 kernel_size=3",
        "filters=16-32 kernel_size=5",
    ]
    assert plan.trial_count == len(list(plan.trials())) == 12
    assert {trial.config.optimisation.steps for trial in plan.trials()} == {100}
    assert {
        (t.config.model.blog.filters, t.config.model.blog.kernel_size, t.config.seed) for t in plan.trials()
    } == {(filters, size, seed) for filters in ((16,), (16, 32)) for size in (3, 5) for seed in range(3)}
    assert plan.pairs == (("filters=16-32 kernel_size=3", "filters=16 kernel_size=5"),)


def test_listed_variants_have_their_names_and_are_compared_with_the_first() -> None:
    plan = Plan.from_toml(LISTED)
    assert plan.seeds == (4, 9)
    assert plan.pairs == (("two layers", "one layer / small"),)
    assert plan.variants[1].config.optimisation.learning_rate == 0.001
    assert plan.variants[0].config.optimisation.learning_rate == PRESETS["blog"].optimisation.learning_rate


def test_all_variants_have_a_seed_before_any_has_the_next() -> None:
    assert [trial.seed for trial in Plan.from_toml(GRID).trials()] == [0] * 4 + [1] * 4 + [2] * 4


def test_every_trial_has_a_folder_of_its_own_that_any_disk_takes() -> None:
    names = [trial.name for text in (GRID, LISTED) for trial in Plan.from_toml(text).trials()]
    assert len(set(names)) == len(names)
    assert "one-layer---small/seed-4" in names
    assert all(name.count("/") == 1 and " " not in name for name in names)


def test_the_number_of_a_million_trials_is_known_without_making_them() -> None:
    numbers = ", ".join(map(str, range(1, 1001)))
    plan = Plan.from_toml(f"seeds = 10\n[grid]\nsteps = [{numbers}]\nbatch_size = [{numbers}]")
    assert plan.trial_count == 10_000_000
    assert "variants" not in vars(plan)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[grid]\nfilterz = [[16]]", "there is no field 'filterz'. Did you mean 'filters'?"),
        ("[grid]\nsteps = []", "steps: expected a list of values to try, found []"),
        ("[grid]\nsteps = 100", "steps: expected a list of values to try, found 100"),
        ("[grid]\nsteps = [5, 5]", "expected different values, found two whose folders would be one"),
        ("[grid]\ndata = ['sets/a', 'sets-A']", "expected different values, found two whose folders would be one"),
        ("[grid]\nsteps = [0]", "--steps: expected a whole number of at least 1, found 0"),
        ("grid = 3", "expected a list of values to try"),
        ("", "expected a [grid] or [[variant]]s, found neither"),
        (LISTED + "[grid]\nsteps = [1]", "found both"),
        ("seeds = 0\n[grid]\nsteps = [1]", "seeds: expected how many"),
        ("seeds = [1, 1]\n[grid]\nsteps = [1]", "seeds: expected how many"),
        ("seeds = 'few'\n[grid]\nsteps = [1]", "seeds: expected how many"),
        ("[grid]\nseed = [1, 2]", "[grid]: expected fields other than the seed, found a seed"),
        ("preset = 'blogg'\n[grid]\nsteps = [1]", "There is no preset 'blogg'. Did you mean 'blog'?"),
        ("sedes = 3\n[grid]\nsteps = [1]", "there is no key 'sedes' in a plan. Did you mean 'seeds'?"),
        ("[base]\nstep = 3\n[grid]\nsteps = [1]", "[base]: there is no field 'step'. Did you mean 'steps'?"),
        ("compare = [['steps=1', 'steps=3']]\n[grid]\nsteps = [1, 2]", "there is no variant 'steps=3'"),
        ("compare = [['steps=1', 'steps=1']]\n[grid]\nsteps = [1, 2]", "expected pairs of two variants"),
        ("compare = 'all'\n[grid]\nsteps = [1, 2]", "expected pairs of two variants"),
        ("[[variant]]\nsteps = 3", "[[variant]]: expected a name of its own, found None"),
        ("[[variant]]\nname = 'a'\n[[variant]]\nname = 'a'", "expected a name of its own, found 'a'"),
        ("variant = 3", "[[variant]]"),
        ("[[variant]]\nname = 'a b'\n[[variant]]\nname = 'A-b'", "expected a name of its own, found 'A-b'"),
        ("[[variant]]\nname = '..'", "expected a name of its own, found '..'"),
        ("this is no TOML", "plan: "),
    ],
)
def test_a_bad_plan_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=r"^plan: ") as caught:
        Plan.from_toml(text)
    assert sentence in str(caught.value)


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["steps", "name", "x"]), inner),
    max_leaves=8,
), st.sampled_from(["seeds", "grid", "variant", "compare", "base", "preset", "title"]))  # fmt: skip
def test_whatever_a_key_holds_it_is_read_or_refused_in_a_sentence(value: object, key: str) -> None:
    import tomli_w

    try:
        text = tomli_w.dumps({"grid": {"steps": [1, 2]}, **{key: value}})
    except TypeError:  # TOML has no null
        return
    try:
        assert Plan.from_toml(text).trial_count >= 1
    except UsageError as refusal:
        assert str(refusal).startswith("plan: ")
