/* Where the site is opened as files, a browser starts no worker and fetches nothing. This stands in for the worker: the
 * same answers from the page itself, with the engine and the index loaded as scripts. It comes before the theme. */
self.Worker = class extends EventTarget {
  constructor(address) {
    super()
    const script = (path, root) =>
      new Promise((loaded, fail) => {
        const element = document.createElement("script")
        element.src = new URL(path, root)
        element.onload = loaded
        element.onerror = () => fail(new Error(`${path} did not load`))
        document.head.append(element)
      })
    const load = async config => {
      const root = new URL(config.root, new URL(address, location))
      await Promise.all([script(config.engine, root), script(config.index, root)])
      return nexusSearch(nexusIndex)
    }
    this.receive = connect(load, data => this.dispatchEvent(new MessageEvent("message", { data })))
  }
  postMessage(message) {
    setTimeout(() => this.receive(message)) // as late as a worker's answer: the theme is not listening yet
  }
}
