/* From documents to pages: a page counts with its best sections, and with the question or message most like the query. */
const SECTIONS = [1, 0.5, 0.3, 0.2, 0.1, 0.1] // how much the best, the second best, … section of a page counts
const LIKE = { question: 1.5, message: 2.5, listed: 1.2 } // beside the sections of the best page, which count 1
const MOST_TYPOS = 6

/* The documents that hold a term of the query; `last` is a word that may still be growing */
function find({ mini, written }, weights, last) {
  const list = [...weights.keys()]
  const unknown = list.filter(term => !written.has(term) && term.length > 3 && !NUMBER.test(term) && term[0] !== CONCEPT)
  const typos = new Set(unknown.slice(0, MOST_TYPOS))
  return mini.search(list.join(" "), {
    tokenize: () => list,
    boost: BOOST,
    boostTerm: term => weights.get(term),
    prefix: term => term[0] !== CONCEPT && term.length > 1 && (term === last || (typos.has(term) && term.length > 4)),
    fuzzy: term => typos.has(term) && (term.length < 5 ? 1 : 2),
    weights: { prefix: 0.3, fuzzy: 0.5 },
  })
}

/* Pages, best first: {url, score, share, entries: Map {entry: {score, terms}}, covered, like} */
function rank(found, weights, { documents, rarity, weightOf }) {
  const groups = new Map()
  const worth = terms => terms.reduce((sum, term) => sum + weights.get(term) * rarity(term), 0)
  const total = worth([...weights.keys()])
  for (const hit of found) {
    const document = documents[hit.id]
    if (!groups.has(document.url)) groups.set(document.url, emptyGroup(document.url))
    const page = groups.get(document.url)
    const asked = worth(hit.queryTerms) / total
    let score = hit.score * (document.entry.boost ?? 1)
    if (document.kind === "section") {
      page.scores.push(score)
      hit.queryTerms.forEach(term => page.covered.add(term))
    } else {
      // both ways, so that neither a long line nor a short one wins by its length
      const said = Math.min(1, weightOf(hit.terms) / document.weight)
      const like = LIKE[document.kind] * asked * said
      if (like > page.like) Object.assign(page, { like, by: document.kind })
      if (asked > 0.5) hit.queryTerms.forEach(term => page.covered.add(term))
      score *= asked * said
    }
    if (document.kind !== "question") keep(page.entries, document.entry, score, hit.terms)
  }
  for (const page of groups.values()) {
    page.share = worth([...page.covered]) / total
    page.scores.sort((a, b) => b - a)
    page.sections = page.share ** 2 * page.scores.reduce((sum, score, i) => sum + score * (SECTIONS[i] ?? 0), 0)
  }
  const most = Math.max(...[...groups.values()].map(page => page.sections)) || 1
  for (const page of groups.values()) page.score = page.sections / most + page.like
  return [...groups.values()].sort((a, b) => b.score - a.score)
}

const emptyGroup = url => ({ url, entries: new Map(), scores: [], covered: new Set(), like: 0, by: "section" })

/* The best score of an entry, and all terms that it was found by */
function keep(entries, entry, score, terms) {
  const before = entries.get(entry)
  if (!before) entries.set(entry, { score, terms: new Set(terms) })
  else {
    before.score = Math.max(before.score, score)
    terms.forEach(term => before.terms.add(term))
  }
}
