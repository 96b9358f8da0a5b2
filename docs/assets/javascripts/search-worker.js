/* The search worker: loads the engine and the index when the reader reaches for search, and answers the newest query.
 *
 * The theme starts it on every page and speaks to it in messages:
 * 0 SETUP {config, docs, options} -> 1 READY;  2 QUERY text -> 3 RESULT {items}.
 * The finishing step leaves only the settings in search_index.json; `config` says where the rest is. A query of one
 * space says that the reader is about to type. A result also names the script that shows more than the theme does
 * (`box`); one with `failed` says that the index did not load.
 */

/* connect(load, send) -> the handler of messages. load(config) promises the search function; send(message) answers. */
function connect(load, send) {
  let config = null // the settings, from SETUP
  let engine = null // promise of the search function
  let newest = null // the query to answer; null when all are answered
  const respond = data => send({ type: 3, data: engine ? { ...data, box: config.box } : data })

  /* Load once; after a failure the next query tries again */
  const loaded = () => (engine ??= load(config).catch(error => ({ error })))

  const answer = () =>
    loaded().then(search => {
      const query = newest
      newest = null
      if (search.error) console.warn(search.error)
      if (query !== null)
        respond(search.error ? { items: [], failed: true, typed: query } : query.trim() ? search(query) : { items: [] })
      if (search.error) engine = null
    })

  return ({ type, data }) => {
    if (type === 0) {
      config = data.config
      send({ type: 1 })
    } else if (type === 2 && data === "") {
      newest = null
      respond({ items: [] })
    } else if (type === 2) {
      loaded()
      if (newest === null) setTimeout(answer) // behind the keys that are waiting already
      newest = data
    }
  }
}

if (self.importScripts) {
  const load = config => {
    const root = new URL(config.root, self.location.href)
    return fetch(new URL(config.index, root)).then(async response => {
      if (!response.ok) throw new Error(`search index: ${response.status}`)
      const index = await response.json()
      importScripts(new URL(config.engine, root))
      return self.nexusSearch(index)
    })
  }
  const receive = connect(load, message => self.postMessage(message))
  self.addEventListener("message", event => receive(event.data))
}
