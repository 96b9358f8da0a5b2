/* The terms of a query, each with its weight. */
const PARTLY = 0.4 // a part of an identifier, beside the whole
const ALONE = 0.8 // the same when no text has the whole
const NAMED = 0.3 // the words of a concept's name, beside the concept
const COUNTED = 0.5 // a number among words
const MOST_TERMS = 28

/* Map {term: weight}: identifiers and their parts, two words written as one and one word as two, names of concepts */
function weigh(text, { uses, written, names, rarity }) {
  const all = new Map(), row = []
  const put = (term, weight) => term && all.set(term, Math.max(weight, all.get(term) ?? 0))
  for (const chunk of chunks(text)) {
    row.push(...simple(chunk))
    for (const [whole, ...parts] of pieces(chunk)) {
      put(whole, 1)
      for (const part of parts) put(part, uses.has(whole) ? PARTLY : ALONE)
    }
  }
  row.forEach((word, i) => {
    const both = word + row[i + 1]
    if (i + 1 < row.length && !STOP.has(word) && both.length > 4 && written.has(both)) put(both, 1)
    if (!uses.has(word) && word.length > 6) for (const half of halves(word, written)) put(half, ALONE)
  })
  named(row, names, (concept, start, end) => {
    for (let i = start; i < end; i++) if (all.get(row[i]) === 1) all.set(row[i], NAMED)
    put(concept, 1)
  })
  return chosen(all, uses, rarity)
}

/* Without stop words, unless there is nothing else; without numbers that say nothing; of a long text the rarest words */
function chosen(all, uses, rarity) {
  const content = new Map([...all].filter(([term]) => !STOP.has(term)))
  const terms = content.size ? content : all
  const words = [...terms.keys()].filter(term => term[0] !== CONCEPT)
  for (const term of words)
    if (NUMBER.test(term) && words.length > 3) uses.has(term) ? terms.set(term, COUNTED) : terms.delete(term)
  if (terms.size <= MOST_TERMS) return terms
  const rarest = [...terms].filter(([term]) => uses.has(term)).sort(([a], [b]) => rarity(b) - rarity(a))
  return new Map((rarest.length ? rarest : [...terms]).slice(0, MOST_TERMS))
}

/* "racecondition" -> race, condition, when both are words of the site */
function halves(word, written) {
  for (let at = 3; at < word.length - 2; at++) {
    const pair = [word.slice(0, at), fold(word.slice(at))]
    if (pair.every(half => written.has(half) && !STOP.has(half))) return pair
  }
  return []
}
