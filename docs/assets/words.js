// What scripts say, in the language of the page, which brings the translations (docs/_site/languages.py).
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}").translations ?? {};

// A text in English, and what stands for <x1/>, <x2/> … in it.
export const say = (english, ...holes) =>
  (words[english] ?? english).replace(/<x(\d)\/>/g, (_, number) => holes[number - 1]);
