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

/* Search. The theme asks its worker on keyup only, so a text pasted or dropped with the mouse would not be searched.
 * The worker loads the index when it is sent a space: when the reader reaches for the box, not when the page loads. */
const searchBox = "[data-md-component=search-query]"
const searchRoot = new URL(JSON.parse(document.getElementById("__config").textContent).base.replace(/\/?$/, "/"), location)
const searchSays = text => (document.querySelector(".md-search-result__meta").textContent = `Search ${text}`)
const ask = (box, ...values) =>
  values.forEach(value => {
    box.value = value
    box.dispatchEvent(new Event("keyup"))
  })
document.addEventListener("input", ({ target, inputType }) => {
  if (target.matches(searchBox) && /Paste|Drop|Cut/.test(inputType)) ask(target, target.value)
})
document.addEventListener("focusin", ({ target }) => {
  if (!target.matches(searchBox)) return
  if (!target.value) ask(target, " ", "")
  setTimeout(() => searchAnswer || searchSays("could not be loaded. Reload the page to try again."), 9000)
})

/* On a slow line the reader types before the index is there; the theme would go on to say "Type to start searching" */
const sayLoading = ({ target }) => {
  if (searchReady || !searchAnswer || !target.matches?.(searchBox)) return
  if (target.value.trim() && target.value !== searchAnswer.typed) searchSays("is being loaded …")
}
document.addEventListener("keyup", sayLoading, true) // true: what `ask` sends does not bubble

/* With its first answer to a reader, the worker names the script that shows more than the theme does */
let searchAnswer, searchReady, searchScript
component$.subscribe(answer => {
  if (!answer.items) return
  searchAnswer = answer
  searchReady ||= "typed" in answer && !answer.failed
  if (self.nexusBox) nexusBox(answer)
  else if (answer.box && !searchScript) {
    searchScript = document.createElement("script")
    searchScript.src = new URL(answer.box, searchRoot)
    searchScript.onload = () => nexusBox(searchAnswer)
    searchScript.onerror = () => (searchScript = null) // the next key tries again
    document.head.append(searchScript)
  }
})
