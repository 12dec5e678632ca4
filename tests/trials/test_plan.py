"""A plan is read or refused in one sentence, and names the same trials every time."""

from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from digitnet.errors import UsageError
from digitnet.presets import PRESETS
from digitnet.trials.plan import Plan

GRID = """
preset = "blog"
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
preset = "blog"
seeds = [4, 9]
[[variant]]
name = "one layer / small"
filters = [8]
[[variant]]
name = "two layers"
filters = [8, 16]
learning_rate = 0.001
"""
RANGE = "[range]\nlearning_rate = { low = 1e-4, high = 1e-2, log = true }\n"


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
        ("[grid]\nsteps = [5, 5]", "expected different values, found two with the same folder name"),
        ("[grid]\ndata = ['sets/a', 'sets-A']", "expected different values, found two with the same folder name"),
        ("[grid]\nsteps = [0]", "steps: expected a whole number of at least 1, found 0"),
        ("grid = 3", "expected a list of values to try"),
        ("", "expected a [grid], [[variant]]s or a [range], found none"),
        (LISTED + "[grid]\nsteps = [1]", "found [grid] and [variant]"),
        ("seeds = 0\n[grid]\nsteps = [1]", "seeds: expected a number of seeds"),
        ("seeds = [1, 1]\n[grid]\nsteps = [1]", "seeds: expected a number of seeds"),
        ("seeds = 'few'\n[grid]\nsteps = [1]", "seeds: expected a number of seeds"),
        ("[grid]\nseed = [1, 2]", "[grid]: expected fields other than the seed, found a seed"),
        ("preset = 'blogg'\n[grid]\nsteps = [1]", "There is no preset 'blogg'. Did you mean 'blog'?"),
        ("sedes = 3\n[grid]\nsteps = [1]", "there is no key 'sedes' in such a plan. Did you mean 'seeds'?"),
        ("[base]\nstep = 3\n[grid]\nsteps = [1]", "[base]: there is no field 'step'. Did you mean 'steps'?"),
        ("compare = [['steps=1', 'steps=3']]\n[grid]\nsteps = [1, 2]", "there is no variant 'steps=3'"),
        ("compare = [['steps=1', 'steps=1']]\n[grid]\nsteps = [1, 2]", "expected pairs of two variants"),
        ("compare = 'all'\n[grid]\nsteps = [1, 2]", "expected pairs of two variants"),
        ("[[variant]]\nsteps = 3", "[[variant]]: expected a unique name, found None"),
        ("[[variant]]\nname = 'a'\n[[variant]]\nname = 'a'", "expected a unique name, found 'a'"),
        ("variant = 3", "[[variant]]"),
        ("[[variant]]\nname = 'a b'\n[[variant]]\nname = 'A-b'", "expected a unique name, found 'A-b'"),
        ("[[variant]]\nname = '..'", "expected a unique name, found '..'"),
        ("this is no TOML", "plan: "),
        ("range = 3", "expected a [range] of fields, found 3. Add one, such as: learning_rate = {"),
        ("trials = 0\n" + RANGE, "trials: expected a whole number of at least 1, found 0"),
        ("trials = true\n" + RANGE, "trials: expected a whole number of at least 1, found True"),
        (
            "[range]\nhidden = { low = 0, high = 4, step = 2 }",
            "trials: expected at most 3, the number of combinations in the ranges",
        ),
        ("prune = 1\n" + RANGE, "prune: expected true or false, found 1"),
        ("seed = -1\n" + RANGE, "seed: seed: expected a whole number of at least 0, found -1"),
        ("trails = 3\n" + RANGE, "there is no key 'trails' in such a plan. Did you mean 'trials'?"),
        ("preset = 'blogg'\n" + RANGE, "There is no preset 'blogg'. Did you mean 'blog'?"),
        ("[base]\nstep = 3\n" + RANGE, "[base]: there is no field 'step'. Did you mean 'steps'?"),
        ("[base]\nseed = 3\n" + RANGE, "[base]: expected fields other than the seed, found a seed"),
        ("[base]\nvalidate_every = 0\n" + RANGE, "prune: expected validations before the last step"),
        ("[base]\nsteps = 80\n" + RANGE, "found validate_every = 86 and steps = 80"),
        ("[grid]\nsteps = [1, 2]\n" + RANGE, "found [grid] and [range]"),
        ("seeds = 3\n" + RANGE, "there is no key 'seeds' in such a plan. Did you mean 'seed'?"),
        ("[range]\nfilterz = { choices = [[1], [2]] }", "no field 'filterz'. Did you mean 'filters'?"),
        (
            "[range]\nseed = { low = 0, high = 9 }",
            "found seed. The best of many seeds is luck",
        ),
        ("[range]\ndata = { choices = ['a', 'b'] }", "Accuracies on different data can't be compared"),
        ("[range]\nhidden = 3", "[range] hidden: expected { low = ..., high = ... } or { choices = [...] }"),
        ("[range]\nhidden = { lo = 1, high = 3 }", "hidden: there is no key 'lo' in a range. Did you mean 'low'?"),
        ("[range]\nhidden = { high = 3 }", "[range] hidden: expected low and high, or choices, found high = 3"),
        ("[range]\nhidden = {}", "expected low and high, or choices, found an empty range"),
        ("[range]\nhidden = { low = 9, high = 3 }", "expected a low below its high, found low = 9, high = 3"),
        ("[range]\nhidden = { low = 3, high = 3 }", "a single value belongs in [base]"),
        ("[range]\nhidden = { low = 0.5, high = 3 }", "expected whole numbers, found low = 0.5, high = 3"),
        ("[range]\nhidden = { low = 0, high = true }", "expected whole numbers"),
        ("[range]\nhidden = { low = 0, high = 9, log = true }", "expected a low above 0 where log = true"),
        ("[range]\nhidden = { low = 1, high = 9, log = 1 }", "expected log = true or log = false"),
        (
            "[range]\nhidden = { low = 1, high = 9, step = 2, log = true }",
            "expected a step or log = true, found both",
        ),
        ("[range]\nhidden = { low = 1, high = 9, step = 0 }", "expected a step above 0, found step = 0"),
        ("[range]\nhidden = { low = 1, high = 9, step = -2 }", "expected a step above 0, found step = -2"),
        ("[range]\nhidden = { low = 0, high = 250, step = 64 }", "The last one that is reached is 192"),
        ("[range]\nhidden = { low = -1, high = 9 }", "hidden: expected a whole number of at least 0, found -1"),
        ("[range]\nkernel_size = { low = 3, high = 7 }", "kernel_size: expected an odd number, found 4"),
        ("[range]\nwarmup = { low = 0.5, high = 1.5 }", "warmup: expected a fraction from 0 to 1, found 1.5"),
        ("[range]\nwarmup = { low = 0.0, high = inf }", "numbers of at most 2 to the power of 53"),
        ("[range]\nwarmup = { low = nan, high = 1 }", "numbers of at most 2 to the power of 53"),
        ("[range]\nwarmup = { low = 'a', high = 1 }", "found low = 'a', high = 1"),
        (
            "[range]\nschedule = { low = 1, high = 2 }",
            "{ choices = [...] }, as this field is not a number",
        ),
        ("[range]\nschedule = { choices = [] }", "expected a list of two or more different choices, found []"),
        ("[range]\nschedule = { choices = ['linear'] }", "a list of two or more different choices"),
        ("[range]\nhidden = { choices = [1, 1] }", "a list of two or more different choices, found [1, 1]"),
        ("[range]\nhidden = { choices = [1, -1] }", "hidden: expected a whole number of at least 0, found -1"),
        ("[range]\nhidden = { choices = [1, 2], low = 0 }", "expected choices alone, or low and high"),
        ("[range]\nfilters = { choices = [[8], [8.5]] }", "filters: expected a list of whole numbers"),
    ],
)
def test_a_bad_plan_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=r"^plan: ") as caught:
        Plan.from_toml(text)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["steps", "name", "low", "high", "step", "log", "choices", "x"]), inner)
    ),
    max_leaves=8,
)
GRID_TABLE, RANGE_TABLE = {"grid": {"steps": [1, 2]}}, {"range": {"hidden": {"low": 0, "high": 99}}}


@given(
    ANYTHING,
    st.sampled_from(
        [(GRID_TABLE, key) for key in ("seeds", "grid", "variant", "compare", "base", "preset", "title")]
        + [(RANGE_TABLE, key) for key in ("prune", "trials", "seed", "range", "base")]
    ),
)
def test_whatever_a_key_holds_it_is_read_or_refused_in_a_sentence(
    value: object, place: tuple[dict[str, object], str]
) -> None:
    check_read_or_refused({**place[0], place[1]: value})


@given(ANYTHING, st.sampled_from(["hidden", "warmup", "filters", "data", "schedule"]))
def test_whatever_a_range_holds_it_is_read_or_refused_in_a_sentence(value: object, field: str) -> None:
    check_read_or_refused({"range": {field: value}, "trials": 1})


def check_read_or_refused(content: dict[str, object]) -> None:
    try:
        text = tomli_w.dumps(content)
    except TypeError:  # TOML has no null
        return
    try:
        assert Plan.from_toml(text).trial_count >= 1
    except UsageError as refusal:
        assert str(refusal).startswith("plan: ")


def test_ranges_become_values_of_their_fields() -> None:
    plan = Plan.from_toml(
        'preset = "blog"\n'
        + RANGE
        + "hidden = { low = 0, high = 256, step = 64 }\nwarmup = { low = 0, high = 1, step = 0.1 }\n"
        + "filters = { choices = [[8, 16], [16, 32]] }\nschedule = { choices = ['linear', 'cosine'] }"
    )
    fields = {"learning_rate": 0.001, "hidden": 64, "warmup": 0.3, "filters": [8, 16], "schedule": "linear"}
    trial = plan.sample("trial-007", fields)
    assert trial.config == plan.start.replace(**{**fields, "filters": (8, 16)})
    assert (plan.trial_count, plan.seeds, plan.prune) == (40, (0,), True)
    assert plan.start_fields == {
        "learning_rate": 0.0005,
        "hidden": 256,
        "warmup": 0.0,
        "filters": [16, 32],
        "schedule": "constant",
    }
    assert plan.is_start(plan.start_fields)
    assert not plan.is_start(fields)


def test_title_comparisons_and_number_of_trials_make_no_other_plan() -> None:
    first = Plan.from_toml("title = 'a'\ntrials = 3\n" + RANGE)
    assert first == Plan.from_toml("title = 'b'\ntrials = 4 # more\n" + RANGE)
    for other in ("seed = 1\n" + RANGE, "prune = false\n" + RANGE, RANGE.replace("1e-4", "1e-3")):
        assert first != Plan.from_toml(other)
    assert Plan.from_toml(LISTED) == Plan.from_toml("title = 'b'\ncompare = []\n" + LISTED)
    assert Plan.from_toml(LISTED) != Plan.from_toml(LISTED.replace("0.001", "0.002"))


def test_the_shipped_plans_are_plans() -> None:
    plans = {path.stem: Plan.from_file(path) for path in Path(__file__).parents[2].glob("plans/*.toml")}
    assert [name for name, plan in plans.items() if plan.ranges] == ["search-blog"]
    assert plans["search-blog"].trial_count == 24
