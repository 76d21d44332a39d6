"""Recipes that learn codes or features: their stages, and the figures they give."""

import math

import pytest
import torch

from genmath.contrastive import linear_probe, nt_xent
from genmath.train import fit, load, recipe
from genmath.train.data import Batch

CODES = {"width": 4, "codes": 6, "layers": 1, "batch": 32, "average": 0.0, "rate": 1e-2}
VIEWS = {"width": 8, "layers": 1, "batch": 32, "labels": 200}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_vqvae_has_two_stages_of_which_the_second_leaves_the_first():
    one = recipe("vqvae").changed({"steps": 60, **CODES})
    seen = []

    def look(model, step):
        if step in (29, 59):
            seen.append({name: w.clone() for name, w in model.state_dict().items()})

    object.__setattr__(one, "after", look)
    done = fit(one)
    still = {name for name in seen[0] if torch.equal(seen[0][name], seen[1][name])}
    assert still == {name for name in seen[0] if name.startswith("first.")}
    assert sum(done.losses[25:30]) < 0.8 * sum(done.losses[:5])
    assert sum(done.losses[55:]) < sum(done.losses[30:35])


def test_the_figures_of_a_vqvae():
    done = fit(recipe("vqvae").changed({"steps": 40, **CODES}))
    with torch.no_grad():
        found = done.recipe.evaluate(done.model, done.data, rng())
        made = done.recipe.sample(done.model, done.data.event, 5, rng())
    assert made.shape == (5, 1, 8, 8)
    assert 1 <= found["perplexity"] <= 6
    tokens = done.model.first.encode(done.data.test.x)
    assert tokens.shape[1:] == (4, 4)
    assert found["bits a token"] == pytest.approx(
        -done.model.log_prior(tokens).mean().item() / 16 / math.log(2), rel=1e-4
    )
    away = done.model.first.decode(tokens) - done.data.test.x
    assert found["error"] == pytest.approx(away.square().mean().sqrt().item())


def test_the_first_codes_are_at_examples():
    one, data = recipe("vqvae").changed(CODES), load("digits")
    model = one.build(data.event, rng())
    before = model.first.quantizer.table.clone()
    one.before(model, 1, data, rng())
    assert torch.equal(model.first.quantizer.table, before)
    one.before(model, 0, data, rng())
    z = model.first.encoder(data.batch(256, one.seed).x).movedim(1, -1).flatten(0, 2)
    away = torch.cdist(model.first.quantizer.table, z).amin(1)
    assert away.max() < 0.5 * torch.cdist(before, z).amin(1).max()


def test_simclr_learns_and_reads_off_what_it_learned():
    done = fit(recipe("simclr").changed({"steps": 40, **VIEWS}))
    assert sum(done.losses[-5:]) < 0.95 * sum(done.losses[:5])
    with torch.no_grad():
        found = done.recipe.evaluate(done.model, done.data, rng())
    seen, held = done.data.batch(200, 0), done.data.test
    pixels = linear_probe(seen.x[:100].flatten(1), seen.y[:100])
    assert found["pixels, 100 labels"] == pixels.accuracy(held.x.flatten(1), held.y)
    assert 0.15 < found["features, 200 labels"] <= 1  # by chance 0.1


def test_without_classes_simclr_has_its_loss_alone():
    data = load("shapes")
    one = recipe("simclr").changed(VIEWS)
    with torch.no_grad():
        found = one.evaluate(one.build(data.event, rng()), data, rng())
    assert set(found) == {"loss"}


def test_a_row_of_simclr_begins_with_the_picture_that_the_rest_is_near():
    one, data = recipe("simclr").changed(VIEWS), load("digits")
    model = one.build(data.event, rng()).eval()
    one.before(model, 0, data, rng())
    with torch.no_grad():
        rows = one.sample(model, data.event, 9, rng()).reshape(3, 3, 1, 8, 8)
        assert torch.equal(rows[:, 0], model.album[:3])
        features = torch.nn.functional.normalize(model[0](rows.flatten(0, 1)), dim=1).unflatten(
            0, (3, 3)
        )
    alike = (features[:, :1] * features).sum(-1)
    assert (alike[:, 0] >= alike[:, 1] - 1e-6).all()
    assert (alike[:, 1] >= alike[:, 2] - 1e-6).all()


def test_the_two_views_are_drawn_apart():
    one = recipe("simclr").changed(VIEWS)
    data = load("digits")
    model = one.build(data.event, rng())
    batch, generator = Batch(data.batch(32, 0).x), rng(3)
    one_view, other = one.view(batch.x, generator), one.view(batch.x, generator)
    with torch.no_grad():
        expected = nt_xent(model(one_view), model(other), temperature=one.temperature)
        assert one.loss(model, batch, rng(3)) == expected
    assert (one_view - other).abs().mean() > 0.1
