"""One manner: the order of arguments, what is given by name only, and one word for one thing."""

from __future__ import annotations

import inspect
import re

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
        "x_weights": "a w_x weights_x",
        "y_weights": "b w_y weights_y",
        "real": "logit_data scores_data x_real",
        "fake": "logit_made made generated x_fake",
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

# One word that means another thing; no word stands here because a book writes it so.
ANOTHER_WORD = {
    "nets.MLP:time": "a flag, whether there is a t",
    **dict.fromkeys(("attention.rope:base", "attention.sinusoids:base"), "of powers, the rates"),
    **dict.fromkeys(
        ("attention.modulate:scale", "attention.adaln_branch:scale"), "a factor less one, of adaLN"
    ),
    **{
        f"guidance.{name}:scale": "of guidance, 0 without a condition and 1 with it"
        for name in ("ClassifierGuided", "Guided", "guide")
    },
    **{
        f"latent.LatentDiffusion.{name}:scale": "of guidance, as there"
        for name in ("img2img", "inpaint", "sample")
    },
}
ANOTHER_GENERATOR = {"gan.GAN": "its network, which carries noise to data"}


def out_of_order(names: list[str]) -> bool:
    ranks = [RANK[name] for name in names if name in RANK]
    return ranks != sorted(ranks)


def positional(name: str) -> list[str]:
    return [p.name for p in SIGNATURES[name] if p.kind is not p.KEYWORD_ONLY]


def test_the_model_comes_first_then_the_data_then_the_time() -> None:
    assert not {name for name in SIGNATURES if out_of_order(positional(name))}


def test_a_generator_is_given_by_name() -> None:
    found = {name for name in SIGNATURES if "generator" in positional(name)}
    assert found == set(ANOTHER_GENERATOR)


def test_a_loss_draws_the_times_it_is_not_given() -> None:
    """Who has a path or a schedule can: t is a keyword, as noise and generator are."""
    losses = {name for name in SIGNATURES if re.fullmatch(r"\w+\.\w+_loss", name)}
    timed = {
        name for name in losses if {"path", "schedule", "t"} & {p.name for p in SIGNATURES[name]}
    }
    few = {f"consistency.{kind}_loss" for kind in ("distillation", "training", "mean_flow", "dmd")}
    assert timed == {"ddpm.denoising_loss", "edm.edm_loss", "flow_matching.cfm_loss"} | few
    for name in timed:
        given = {p.name: p for p in SIGNATURES[name]}
        for argument in ("t", "noise", "generator"):
            assert given[argument].kind is given[argument].KEYWORD_ONLY, (name, argument)
            assert given[argument].default is None, (name, argument)


def test_a_loss_has_its_weight_inside_and_so_has_a_penalty_which_must_be_told() -> None:
    for name, signature in SIGNATURES.items():
        given = {p.name: p for p in signature}
        if name.endswith("_penalty"):
            (weight,) = given.keys() & {"weight", "gamma"}
            assert given[weight].kind is given[weight].KEYWORD_ONLY, name
            assert given[weight].default is given[weight].empty, name
        elif "weight" in given:
            assert given["weight"].kind is given["weight"].KEYWORD_ONLY, name
            assert given["weight"].default in (1.0, None), name


def test_distances_have_one_default_power() -> None:
    powers = {name: p.default for name, s in SIGNATURES.items() for p in s if p.name == "p"}
    distances = {name for name in powers if name.startswith("wasserstein.")}
    assert len(distances) == 5
    assert {powers[name] for name in distances} == {2.0}


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
