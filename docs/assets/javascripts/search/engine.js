/* nexusSearch({config, docs}) -> search(typed): what the theme's list of results is drawn from. */
const MOST_PAGES = 12, MOST_SECTIONS = 3, MOST_MARKS = 8, MOST_MISSING = 5
const FAINT = 0.05 // a page with less than this share of the best page's score is no result

self.nexusSearch = function ({ config, docs }) {
  const index = createIndex({ config, docs })
  const shown = { errors: config.errors, missing: config.missing }

  /* {items, typed, nearest?}: groups of sections, the page among them, in the theme's shape; title and text are HTML */
  return function search(typed) {
    const query = parse(typed)
    const slots = slotsOf(query.text, index)
    const last = /[\p{L}\p{N}_]$/u.test(typed) ? pieces(chunks(query.text).at(-1) ?? "")[0]?.[0] : ""
    const found = filtered(find(index, slots, last), query, index)
    const pages = rank(found, slots, chunks(query.text).length, index).filter((page, i, all) => page.score > all[0].score * FAINT)
    const match = matcher(index.shown(found.flatMap(({ terms }) => terms)))
    const items = pages.slice(0, MOST_PAGES).map(page => item(page, slots, match, !query.not.length, index))
    return items.length ? { ...shown, typed, items } : { ...shown, typed, items, nearest: nearest(query, typed, index) }
  }
}

/* Keep what has every +word and "phrase" and no -word. A page whose title has a -word goes as a whole. */
function filtered(found, { must, not, phrases }, index) {
  const { documents, pages } = index
  const wanted = phrases.map(flat), unwanted = not.map(flat)
  if (wanted.length || unwanted.length)
    found = found.filter(({ id }) => {
      const { url, title = "", text = "", question = "", message = "" } = documents[id]
      const says = flat(`${title}\n${text}\n${question}\n${message}`), name = flat(pages.get(url).title)
      return wanted.every(phrase => says.includes(phrase)) && !unwanted.some(word => says.includes(word) || name.includes(word))
    })
  for (const word of must.flatMap(chunks).flatMap(simple)) {
    const having = new Set(found.filter(({ terms }) => terms.some(term => term.startsWith(word))).map(({ id }) => documents[id].url))
    found = found.filter(({ id }) => having.has(documents[id].url))
  }
  return found
}

/* Words in a row, for phrases: " select related " */
const flat = text => ` ${chunks(text).flatMap(simple).join(" ")} `

/* A page and its best sections, best first. The theme shows the first, folds the rest, and takes the entry without
 * a fragment for the page. */
function item(page, slots, match, any, { pages, rarity }) {
  const article = pages.get(page.url)
  const { entry: explains, message } = (page.said > page.asked && page.explains) || {} // before what only uses its words
  const order = ([a, { score: x }], [b, { score: y }]) => (b === explains) - (a === explains) || y - x
  const hits = [...page.entries].sort(order).slice(0, MOST_SECTIONS)
  const missing = slots.length > MOST_MISSING ? [] : slots.filter(slot => !page.covered.has(slot)).map(slot => slot.missing)
  const result = hits.map(([entry], i) => view(entry, match, page.score * 0.9 ** i, missing, rarity, entry === explains ? message : undefined))
  const at = result.findIndex(entry => entry.location === article.location)
  const [own] = at < 0 ? [view({ ...article, text: any ? article.text : "" }, match, 0, [], rarity)] : result.splice(at, 1)
  // found by a question: the answer is the page, more than any section of it
  if (!result.length || page.asked > Math.max(page.said, 1)) result.unshift({ ...own, score: page.score * 1.001 })
  else result.splice(at < 0 ? result.length : at, 0, own)
  return result
}

function view({ location, title, text }, match, score, missing, rarity, message) {
  const seen = new Set()
  const heading = marked(title, match, seen), sentence = teaser(text, match, rarity, seen, message)
  const marks = [...seen].filter(word => word.length > 2 && !NUMBER.test(word)).slice(0, MOST_MARKS)
  return {
    location,
    title: heading,
    text: sentence && `<p>${sentence}</p>`,
    score,
    terms: Object.fromEntries([...marks.map(word => [word, true]), ...missing.map(word => [word, false])]),
  }
}

/* What to search in place of a query that found nothing: the same without its operators, or with its words as the
 * site spells the most similar ones. Undefined when nothing is similar. */
function nearest({ text, must, not, phrases }, typed, { written, similar }) {
  if (must.length + not.length + phrases.length) {
    const plain = chunks(typed).join(" ")
    if (plain !== typed.trim()) return plain
  }
  const words = chunks(text).slice(0, 8).map(word => {
    const whole = simple(word)[0]
    return written.has(whole) || STOP.has(whole) ? word : similar(whole, Math.max(2, Math.min(4, Math.floor(whole.length / 3))))[0]?.[0]
  })
  return words.some(Boolean) ? words.filter(Boolean).join(" ") : undefined
}
