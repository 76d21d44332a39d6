// For a reader without network: the pages that he visited since he first used the checker, and the checker. The network
// comes first, so what is shown with a network is what the site says now; without it, what was last shown.
const scope = self.registration.scope;
const kept = () => caches.open(`genmath ${scope}`);
const MARKS = ["etag", "last-modified", "content-length"];
const same = (a, b) => MARKS.every((mark) => a.headers.get(mark) === b.headers.get(mark));

self.oninstall = () => self.skipWaiting();
self.onactivate = (event) => event.waitUntil(self.clients.claim());

self.onfetch = (event) => {
  const { method, url } = event.request;
  if (method === "GET" && url.startsWith(scope)) event.respondWith(answer(event));
};

async function answer(event) {
  const { request } = event;
  const cache = await kept();
  const before = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  try {
    const fresh = await fetch(request);
    if (fresh.ok && !(before && same(before, fresh))) event.waitUntil(keep(cache, request.url, fresh.clone()));
    return fresh;
  } catch (error) {
    if (before) return before;
    if (request.mode !== "navigate") throw error;
    const folder = await cache.match(`${request.url.split(/[?#]/)[0]}/`);
    return folder ? Response.redirect(folder.url) : nothing(cache);
  }
}

// The browser may have no room for it: then it is only not there without network.
async function keep(cache, url, response) {
  try { await cache.put(url.split(/[?#]/)[0], response); } catch { /* see above */ }
}

// A page has started the checker, and names what it and the checker are made of.
self.onmessage = (event) => event.waitUntil((async () => {
  const cache = await kept();
  for (const url of event.data.filter((each) => each.startsWith(scope))) {
    if (await cache.match(url, { ignoreSearch: true })) continue;
    const response = await fetch(url);
    if (response.ok) await keep(cache, url, response);
  }
})());

async function nothing(cache) {
  const pages = (await cache.keys()).map(({ url }) => url).filter((url) => url.endsWith("/"));
  const links = pages.map((url) => `<li><a href="${url}">${url.slice(scope.length) || "Home"}</a>`).join("");
  return new Response(
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>No network</title>
    <h1>No network</h1><p>This page was not visited before. Kept in this browser are:</p><ul>${links}</ul>`,
    { status: 503, headers: { "content-type": "text/html" } },
  );
}
