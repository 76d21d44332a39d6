"""One manner: the order of arguments, what is given by name only, and one word for one thing."""

from __future__ import annotations

import inspect

import pytest

from tests.valid_calls import public

SIGNATURES = {
    name: [p for p in inspect.signature(thing).parameters.values() if p.name != "self"]
    for name, thing in public()
}

# What stands in this order where it is positional; those of one line in any.
ORDER = (
    {"model", "score", "energy", "critic", "discriminator", "gan"},
    {
        "shape",
        "n",
        "x",
        "x0",
        "x_t",
        "z",
        "noise",
        "predicted",
        "eps",
        "eps_hat",
        "samples",
        "real",
        "fake",
    },
    {"t", "s", "h", "alpha", "sigma"},
    {"schedule", "path"},
    {"sampler", "solver"},
)
RANK = {word: rank for rank, words in enumerate(ORDER) for word in words}

OTHER_ORDER = {
    "ddpm.add_noise": "in the order of use: the data and the step, then what is added",
    **{
        f"paths.{name}": "a function of t; x says only what shape and dtype the answer fits"
        for name in (
            "Path.coefficients",
            "Path.derivatives",
            "Path.forward_sde",
            "Schedule.coefficients",
        )
    },
    "sde.linear_sde_moments": "the path is the equation, t how far it is solved",
    "sde.probability_flow_velocity": "the score is its value at (x, t), not a model",
    "sde.reverse_drift": "the score is its value at (x, t), not a model",
}

# What is not said for what is.
SYNONYMS = {
    said: word
    for word, others in {
        "model": "net network fn field vector_field velocity_fn",
        "score": "score_fn score_model score_network",
        "x": "data images inputs",
        "x0": "x_0 x_start clean",
        "t": "time times timestep timesteps tau",
        "s": "t_prev prev_t previous",
        "n": "n_samples num_samples count_samples size_n",
        "batch": "batch_size n_batch",
        "steps": "num_steps n_steps nsteps num_timesteps n_iter num_iter max_iter iters",
        "repeats": "n_repeats inner_steps n_corrector",
        "noise": "noises randn gaussian z_noise",
        "eps": "epsilon_hat noise_true",
        "eps_hat": "noise_pred pred_noise predicted_noise eps_pred eps_theta",
        "start": "init initial x_init x_T t0 t_start",
        "end": "stop final t1 t_end",
        "generator": "rng gen random_state",
        "prior": "base base_dist prior_dist terminal",
        "prediction": "prediction_type parameterization param objective",
        "weight": "w loss_weight weighting",
        "x_weights": "a",
        "y_weights": "b",
        "weights": "probs mixture_weights ws",
        "spread": "sigma_noise noise_scale jitter",
        "std": "stddev std_dev scale",
        "variance": "var variances variance_type",
        "log_var": "logvar log_variance",
        "tolerance": "tol",
        "trajectory": "return_trajectory return_all",
        "callback": "on_step hook",
        "threshold": "clip clip_value clamp",
        "solver": "integrator",
        "path": "interpolant scheduler",
        "schedule": "noise_schedule betas",
        "probe": "probes hutchinson_noise",
        "classes": "num_classes n_classes",
        "components": "n_components num_components",
    }.items()
    for said in others.split()
}

ANOTHER_WORD = {
    "cnf.log_prob:base": "what normalizing flows call the density at their other end",
    "ddpm.sample:x_T": "the letter of the paper's algorithm, which has no other start",
    "nets.MLP:time": "a flag, whether there is a t",
    **{
        f"wasserstein.{name}:{letter}": "the letters of the literature for the two marginals"
        for name in ("sinkhorn", "sinkhorn_divergence", "transport_plan", "wasserstein")
        for letter in "ab"
    },
    "samplers.DDIM.between:data": "coefficients of the data, for `genmath.ddim` alone",
}
ANOTHER_GENERATOR = {"gan.GAN": "its network, which carries noise to data"}


def out_of_order(names: list[str]) -> bool:
    ranks = [RANK[name] for name in names if name in RANK]
    return ranks != sorted(ranks)


def positional(name: str) -> list[str]:
    return [p.name for p in SIGNATURES[name] if p.kind is not p.KEYWORD_ONLY]


def test_the_model_comes_first_then_the_data_then_the_time() -> None:
    assert {name for name in SIGNATURES if out_of_order(positional(name))} == set(OTHER_ORDER)


def test_a_generator_is_given_by_name() -> None:
    found = {name for name in SIGNATURES if "generator" in positional(name)}
    assert found == set(ANOTHER_GENERATOR)


def test_one_thing_has_one_word() -> None:
    found = {
        f"{name}:{p.name}": SYNONYMS[p.name]
        for name, signature in SIGNATURES.items()
        for p in signature
        if p.name in SYNONYMS
    }
    assert set(found) == set(ANOTHER_WORD), found


def test_no_word_is_forbidden_and_asked_for() -> None:
    assert not SYNONYMS.keys() & set(SYNONYMS.values())
    assert not SYNONYMS.keys() & RANK.keys()


@pytest.mark.parametrize(
    ("names", "wrong"),
    [
        (["model", "x0", "t", "schedule"], False),
        (["x", "t", "other", "path"], False),
        (["x", "model"], True),
        (["t", "x"], True),
        (["model", "schedule", "x0"], True),
    ],
)
def test_an_order_is_seen(names: list[str], wrong: bool) -> None:
    assert out_of_order(names) == wrong
