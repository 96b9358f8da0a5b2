/* A query as slots: one for each thing that is asked for, with all the terms that may stand for it.
 *
 * {worth, missing, terms: Map {term: how well it stands for it, 0 to 1}}. "worth" is what finding it is worth, by how
 * rare it is; "missing" is the word to show when a page has none of the terms.
 */
const PARTLY = 0.3 // a part of an identifier, beside the whole
const ALONE = 0.8 // the same when no text has the whole
const INFLECTED = 0.6 // another form of the word
const NAMED = 0.4 // the words of a concept's name, beside the concept
const LIGHT = 0.4 // a number among words, the class of an exception beside its message
const CLASS = /(Error|Exception|Warning|Violation)$/
const MOST_SLOTS = 24, MOST_TYPOS = 6
const LONGEST_PAIR = 40 // letters of two words written in one; a longer one is a key or a hash

function slotsOf(text, index) {
  const { uses, written, names, rarity } = index
  const row = [], slots = new Map() // the first word of a slot -> the slot
  for (const chunk of chunks(text))
    for (const [whole, ...parts] of pieces(chunk)) {
      if (slots.has(whole)) continue
      const light = NUMBER.test(whole) || CLASS.test(chunk)
      const slot = { light, missing: whole, terms: new Map([[whole, 1]]) }
      for (const part of parts) slot.terms.set(part, uses.has(whole) ? PARTLY : ALONE)
      slots.set(whole, slot)
    }
  for (const chunk of chunks(text)) row.push(...simple(chunk))
  const content = [...slots.keys()].filter(word => !STOP.has(word))
  if (content.length) for (const word of slots.keys()) if (STOP.has(word)) slots.delete(word)

  let typos = 0
  for (const [word, slot] of slots) {
    for (const other of index.forms.get(stem(word)) ?? []) if (!slot.terms.has(other)) slot.terms.set(other, INFLECTED)
    if (written.has(word) || NUMBER.test(word) || word.length < 4 || slot.terms.size > 1) continue
    const two = halves(word, written)
    for (const half of two) slot.terms.set(half, ALONE)
    if (!two.length && typos++ < MOST_TYPOS)
      for (const [other, distance] of index.similar(word)) slot.terms.set(other, distance > 1 ? 0.6 : 0.9)
  }
  row.forEach((word, i) => {
    const both = word + row[i + 1]
    if (i + 1 < row.length && !STOP.has(word) && both.length > 4 && written.has(both)) slots.get(word)?.terms.set(both, 1)
  })
  named(row, names, (concept, start, end) => {
    const words = row.slice(start, end).filter(word => slots.has(word))
    if (!words.length) return
    slots.get(words[0]).terms.set(concept, 1)
    if (words.length > 1) for (const word of words) for (const [term, fit] of slots.get(word).terms) if (term[0] !== CONCEPT) slots.get(word).terms.set(term, fit * NAMED)
    for (const word of words.slice(1)) slots.get(word).light = true
  })
  return weighed([...slots.values()], content.length, uses, rarity)
}

/* Of a long text the rarest words; numbers and names of classes count less among words */
function weighed(slots, size, uses, rarity) {
  for (const slot of slots) {
    const known = [...slot.terms.keys()].filter(term => uses.has(term))
    slot.known = known.length > 0
    slot.worth = (known.length ? Math.max(...known.map(term => rarity(term) * slot.terms.get(term))) : 6) * (slot.light && size > 2 ? LIGHT : 1)
  }
  if (size > 3) slots = slots.filter(slot => slot.known || !NUMBER.test(slot.missing))
  if (slots.length <= MOST_SLOTS) return slots
  return slots.filter(slot => slot.known).sort((a, b) => b.worth - a.worth).slice(0, MOST_SLOTS)
}

/* "racecondition" -> race, condition, when both are words of the site */
function halves(word, written) {
  if (word.length > LONGEST_PAIR) return []
  for (let at = 3; at < word.length - 2; at++) {
    const pair = [word.slice(0, at), fold(word.slice(at))]
    if (pair.every(half => written.has(half) && !STOP.has(half))) return pair
  }
  return []
}
