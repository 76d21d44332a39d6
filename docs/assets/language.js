// To the same place of the page in the other language.
const there = document.querySelector(".md-header .language");
there?.addEventListener("click", () => (there.hash = location.hash));
