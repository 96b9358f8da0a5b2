/* Small repairs of the theme that need the page to run. The finishing step appends this to the theme's script.
 * document$ emits on every page, also after instant navigation. */

/* Name the tool bars that the theme adds to code blocks, so that no two landmarks are alike; let the keyboard reach a
 * table that scrolls */
document$.subscribe(() => {
  const content = document.querySelector("[data-md-component=content]")
  if (!content) return
  const wide = new ResizeObserver(tables =>
    tables.forEach(({ target }) => (target.tabIndex = target.scrollWidth > target.clientWidth ? 0 : -1))
  )
  const repair = () => {
    content
      .querySelectorAll("nav.md-code__nav")
      .forEach((bar, index) => bar.setAttribute("aria-label", `Code block ${index + 1}`))
    content.querySelectorAll(".md-typeset__scrollwrap").forEach(table => wide.observe(table))
  }
  repair()
  new MutationObserver(repair).observe(content, { childList: true, subtree: true })
})

/* The theme searches on keyup only: a text pasted or dropped with the mouse would not be searched */
document.addEventListener("input", event => {
  if (event.target.matches("[data-md-component=search-query]") && /Paste|Drop|Cut/.test(event.inputType || ""))
    event.target.dispatchEvent(new Event("keyup"))
})

/* Start fetching the index when the reader reaches for search, not when the page loads */
document.addEventListener("focusin", function reach(event) {
  if (!event.target.matches("[data-md-component=search-query]")) return
  document.removeEventListener("focusin", reach)
  const root = new URL(JSON.parse(document.getElementById("__config").textContent).base + "/", location)
  fetch(new URL("search/search_index.json", root))
    .then(response => response.json())
    .then(({ config }) => fetch(new URL(config.index, root)))
    .catch(() => {}) // the worker fetches again and reports
})
