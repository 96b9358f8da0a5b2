/* From documents to pages: a page counts with its best sections, and with the question or message most like the query. */
const SECTIONS = [1, 0.5, 0.3, 0.2, 0.1, 0.1] // how much the best, the second best, … section of a page counts
const LIKE = { question: 1.5, message: 2.5, listed: 1.2 } // beside the sections of the best page, which count 1
const WHOLE = 1 // added where a message is there word for word, before one that only resembles it
const MORE = [1, 0.3, 0.15] // how much the question most like the query counts, the second, the third
const SURE = 3 // of so many words we say whether they are a message; fewer are likely to be only about one
const TOPIC = 1.5 // that many places of a page speak of it, beside its best sections
const OFTEN = 2 // in so many places a word counts half of what it counts in any number
const CERTAIN = 1 // the query is this message, so the list has it too
const BEHIND = 0.97 // the list of messages, beside the page that explains one

/* The documents that hold a term of the query; `last` is a word that may still be growing */
function find({ mini }, slots, last) {
  const weights = new Map()
  for (const { light, terms } of slots)
    for (const [term, fit] of terms) weights.set(term, Math.max(weights.get(term) ?? 0, light ? fit * LIGHT : fit))
  const list = [...weights.keys()]
  const unknown = new Set(slots.filter(slot => !slot.known && slot.missing.length > 4).map(slot => slot.missing))
  return mini.search(list.join(" "), {
    tokenize: () => list,
    boost: BOOST,
    boostTerm: term => weights.get(term),
    prefix: term => term.length > 1 && (term === last || unknown.has(term)),
    weights: { prefix: 0.4, fuzzy: 0 },
  })
}

/* Pages for a query of `length` words, best first: {url, score, entries: Map {entry: {score}}, covered: Map {slot: fit}, asked,
 * said, explains} */
function rank(found, slots, length, { documents, weightOf }) {
  const groups = new Map(), slotsBy = new Map(), sure = Math.min(1, length / SURE)
  for (const slot of slots) for (const term of slot.terms.keys()) slotsBy.set(term, [...(slotsBy.get(term) ?? []), slot])
  const total = slots.reduce((sum, { worth }) => sum + worth, 0)
  const share = covered => [...covered].reduce((sum, [{ worth }, fit]) => sum + worth * fit, 0) / total
  const cover = (terms, covered) => {
    for (const term of terms)
      for (const slot of slotsBy.get(term)) covered.set(slot, Math.max(covered.get(slot) ?? 0, slot.terms.get(term)))
    return covered
  }
  for (const hit of found) {
    const document = documents[hit.id]
    if (!groups.has(document.url)) groups.set(document.url, emptyGroup(document.url))
    const page = groups.get(document.url)
    const here = cover(hit.queryTerms, new Map())
    if (document.kind !== "listed") for (const [slot, fit] of here) page.places.set(slot, (page.places.get(slot) ?? 0) + fit)
    let score = hit.score * (document.entry.boost ?? 1)
    if (document.kind === "section") {
      page.scores.push(score)
      cover(hit.queryTerms, page.covered)
    } else {
      // both ways, so that neither a long line nor a short one wins by its length
      const asked = share(here)
      const said = Math.min(1, weightOf(hit.terms) / document.weight)
      const likes = page.likes[document.kind]
      if (document.kind !== "question" && asked * said > Math.max(0, ...likes)) page.explains = document
      likes.push(asked * said)
      if (asked > 0.5) cover(hit.queryTerms, page.covered)
      score *= asked * said
    }
    if (document.kind !== "question") keep(page.entries, document.entry, score)
  }
  for (const page of groups.values()) {
    page.topic = TOPIC * share(new Map([...page.places].map(([slot, times]) => [slot, times / (times + OFTEN)])))
    page.sections = share(page.covered) * weightedSum(page.scores, SECTIONS)
    const { question, message, listed } = page.likes
    page.asked = LIKE.question * weightedSum(question, MORE)
    const same = Math.max(0, ...message)
    page.said = sure * Math.max(LIKE.message * same + (same > 0.97 ? WHOLE : 0), LIKE.listed * Math.max(0, ...listed))
  }
  const most = Math.max(...[...groups.values()].map(page => page.sections)) || 1
  for (const page of groups.values()) page.score = page.sections / most + page.topic + Math.max(page.asked, page.said)
  return behind([...groups.values()]).sort((a, b) => b.score - a.score)
}

/* Put the list of messages behind the page that explains the message, however much of it is in the list */
function behind(pages) {
  const list = pages.find(page => page.likes.listed.length)
  const best = pages.filter(page => page.likes.message.length).sort((a, b) => b.said - a.said)[0]
  if (list && best && list.said > list.asked) list.score = Math.min(list.score, best.score * BEHIND)
  if (list && best?.said > CERTAIN) list.score = Math.max(list.score, best.score * BEHIND)
  return pages
}

const emptyGroup = url => ({ url, entries: new Map(), scores: [], covered: new Map(), places: new Map(), likes: { question: [], message: [], listed: [] } })

const weightedSum = (scores, weights) => scores.sort((a, b) => b - a).reduce((sum, score, i) => sum + score * (weights[i] ?? 0), 0)

/* The best score of an entry */
const keep = (entries, entry, score) => entries.set(entry, { score: Math.max(entries.get(entry)?.score ?? 0, score) })
