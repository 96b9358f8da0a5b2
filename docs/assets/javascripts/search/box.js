/* What the search box shows beyond the theme's list of results: where to go on when there is none, and why not.
 *
 * nexusBox({ref, items, typed?, nearest?, failed?, errors?, missing?}) draws one answer. The theme has set the count
 * before; its classes give the look, and its arrow keys and Enter find the links.
 */
const LONGEST = 60

/* One way on, as a result of the theme. Enter in the box follows the highest score, so what it may follow has one. */
function way({ href, title, text, score = 0, act }) {
  const link = Object.assign(document.createElement("a"), { href, className: "md-search-result__link", tabIndex: -1 })
  const article = document.createElement("article")
  article.className = "md-search-result__article md-typeset"
  article.dataset.mdScore = score
  const heading = document.createElement("h2"), line = document.createElement("p")
  heading.textContent = title
  line.textContent = text
  article.append(heading, line)
  link.append(article)
  link.addEventListener("click", event => {
    if (act || (!event.isTrusted && !score)) {
      event.preventDefault()
      event.stopPropagation() // the theme would close the box
      if (act) act()
    }
  })
  const item = document.createElement("li")
  item.className = "md-search-result__item"
  item.append(link)
  return item
}

/* Put a query into the box and ask it; the theme passes over one that it has just asked */
function askAgain(query) {
  const box = document.querySelector(searchBox)
  ask(box, query === box.value ? `${query} ` : query)
  box.focus()
}

function waysOf({ typed, nearest, failed, errors, missing }) {
  if (failed) return [way({ href: "", title: "Try again", text: "Load the index once more.", score: 1, act: () => askAgain(typed.trim()) })]
  const ways = []
  if (nearest)
    ways.push(way({ href: `?q=${encodeURIComponent(nearest)}`, title: nearest, text: "Search for this instead.", score: 1, act: () => askAgain(nearest) }))
  if (errors)
    ways.push(way({ href: new URL(errors, searchRoot), title: "All error messages", text: "In one list, word for word, with cause and fix." }))
  if (missing && /[\p{L}\p{N}]/u.test(typed))
    ways.push(way({ href: missing + encodeURIComponent(typed.trim().slice(0, 500)), title: "This is missing", text: "Tell the authors what you searched for." }))
  return ways
}

function count({ typed, failed }) {
  if (failed) return "Search could not be loaded. Check your connection."
  const asked = typed.trim()
  if (!/[\p{L}\p{N}]/u.test(asked)) return "Type a word, or paste a message."
  return `Nothing found for “${asked.length > LONGEST ? `${asked.slice(0, LONGEST)}…` : asked}”`
}

const ways = document.createElement("ol")
ways.className = "md-search-result__list"

self.nexusBox = answer => {
  const meta = answer.ref.firstElementChild
  meta.setAttribute("role", "status") // the count is read aloud, from when the reader reaches for search
  const stuck = !answer.items.length && answer.typed !== undefined
  ways.replaceChildren(...(stuck ? waysOf(answer) : []))
  if (stuck) {
    meta.textContent = count(answer)
    meta.after(ways)
  } else ways.remove()
}
