/* Holds the search index back until the reader searches.
 *
 * The theme fetches search/search_index.json on every page load and hands it to its worker at once. The finishing step
 * leaves only the settings there ("stub"), writes the index under a name that changes with its content, and puts this
 * worker between the theme's page script and the theme's own worker. Messages are the theme's:
 * 0 SETUP {config, docs, options} -> 1 READY;  2 QUERY text -> 3 RESULT {items}.
 */
"use strict"

let setup = null // the SETUP message, until the index is loaded
let engine = null // promise: the theme's worker is set up with the whole index

function load({ config, options }) {
  const root = new URL(config.root, self.location.href)
  return fetch(new URL(config.index, root))
    .then(response => {
      if (!response.ok) throw new Error(`search index: ${response.status}`)
      return response.json()
    })
    .then(index => {
      importScripts(new URL(config.engine, root))
      forward({ type: 0, data: { config, docs: index.docs, options } })
    })
}

/* The theme's worker listens on the same scope: give it the message as if it came from the page */
function forward(data) {
  self.dispatchEvent(new MessageEvent("message", { data }))
}

self.addEventListener("message", event => {
  if (!event.isTrusted) return // ours, on its way to the theme's worker
  event.stopImmediatePropagation()
  const { type, data } = event.data
  if (type === 0) {
    setup = data
    self.postMessage({ type: 1 })
  } else if (type === 2 && !data.trim()) {
    self.postMessage({ type: 3, data: { items: [] } })
  } else {
    engine ??= load(setup)
    engine.then(
      () => forward(event.data),
      error => {
        console.warn(error)
        engine = null // the next key tries again
        self.postMessage({ type: 3, data: { items: [] } })
      }
    )
  }
})
