// "Check it yourself": an editor for every element with data-check. Its value is the derivation that the cell
// stands in place of, vae.elbo; without one the cell is a file of its own, perhaps the answer to an exercise, which
// data-exercise names. Nothing is loaded before a reader first comes to an editor or, of late, came to one, and nothing
// else runs what he wrote than his own key or click.
import { find, onBuilt } from "../folds.js";

onBuilt(async (piece) => {
  const places = [...piece.querySelectorAll("[data-check]")];
  if (!places.length) return;
  const { furnish } = await import("./places.js");
  places.forEach(furnish);
});
const brought = new URLSearchParams(location.hash.slice(1)).get("edit");
if (brought) find(brought); // it may be folded away, and is furnished when it is built
