/* Between Zensical's search box and our worker. The box asks and is answered in other messages than Material's:
 * 0 SETUP {items} -> 1 READY;  2 QUERY {input} -> 3 RESULT {items: [{id, matches}], pagination}; 4 says that search failed.
 * An id is the place of the entry in the index that the box has loaded itself.
 */
"use strict"

const ROOT = new URL("../../", self.location.href) // this file lies in assets/javascripts
const places = new Map() // address -> id
let inner = null // our worker

const address = location => new URL(location, ROOT).href
const typed = input => (typeof input === "string" ? input.replace(/&(amp|lt|gt);/g, (_, name) => ({ amp: "&", lt: "<", gt: ">" })[name]) : "")

/* Material's box shows the page above its sections, whichever fits best */
const isPage = ({ location }) => !location.includes("#")

function answer({ items, failed }) {
  if (failed) return { type: 4 }
  const entries = items.flatMap(group => [...group.filter(isPage), ...group.filter(entry => !isPage(entry))])
  const ids = entries.map(({ location }) => places.get(address(location))).filter(id => id !== undefined)
  const data = { items: ids.map(id => ({ id, matches: [] })), query: { values: [] }, pagination: { total: ids.length } }
  return { type: 3, data }
}

async function connect({ items }) {
  items.forEach(({ location }, id) => places.set(address(location), id))
  const settings = await fetch(new URL("search/search_index.json", ROOT)).then(response => response.json())
  inner = new Worker(new URL("search-worker.js", self.location.href))
  inner.onmessage = ({ data: { type, data } }) => self.postMessage(type === 3 ? answer(data) : { type })
  inner.onerror = () => self.postMessage({ type: 4 })
  inner.postMessage({ type: 0, data: { ...settings, options: { suggest: false } } })
}

self.onmessage = ({ data: { type, data } }) => {
  if (type === 0) connect(data).catch(() => self.postMessage({ type: 4 }))
  else if (type === 2) inner.postMessage({ type, data: typed(data.input) })
}
