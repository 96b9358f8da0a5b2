/* From text to the terms that are indexed and searched, the same for both.
 *
 * "Job.objects.select_related" -> job, object, selectrelated, select, related: an identifier as a whole, written in one
 * whatever joins it, and its parts. Every name of a concept of synonyms.txt also yields the concept's own term, "§12".
 */
const CHUNK = /[\p{L}\p{N}_]+(?:['’.\-/+:@][\p{L}\p{N}_]+)*(?:[+#]+(?![\p{L}\p{N}]))?/gu
const JOINT = /[.\-/+:@]/
const PART = /_+|(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u
const VERSION = /^\d+(\.\d+)+$/
const NUMBER = /^\d/
const CONCEPT = "§"

const STOP = new Set(
  ("a after all already also always am an and another any anyone are as at be because been before being both but by " +
    "can cannot cant could did didnt do does doesnt doing dont during each even ever for from get gets getting give " +
    "given gives go goes going got had has have having he help her here hers his how i id if im in instead into is isnt " +
    "it its ive just keep keeps know let like make makes making many may me might more most much must my need needs " +
    "never no not now of off on one only or other our out over own please pls same see should show shows so some " +
    "somebody someone something still such take than that the their them then there these they thing this those " +
    "through to too under up us use used uses using very want was way we were what when where which while who whose " +
    "why will with without wont work working works would wouldnt you your").split(" ")
)

/* One spelling for plurals and for British and American words; it need not be a word, only the same on both sides */
function fold(word) {
  if (word.length < 4 || NUMBER.test(word)) return word
  word = word.replace(/ies$/, "y").replace(/(ch|sh|ss|x|z)es$/, "$1").replace(/(ss|us|is)$|s$/, "$1")
  if (word.length < 6) return word
  return word
    .replace(/is(e[dr]?|ing|ation|able)$/, "iz$1")
    .replace(/ll(ed|ing|er)$/, "l$1")
    .replace(/our(ed|ing|al|ful)?$/, "or$1")
}

/* What the forms of a word have in common: test for testing, migrat for migrations; "" for what has no forms */
function stem(word) {
  if (word.length < 4 || word[0] === CONCEPT || NUMBER.test(word)) return ""
  const root = word.replace(/(?:ment|ness|ing|ed|ion|ly|e|or|er|able|al)$/, "").replace(/(?:ion|ment|e)$/, "").replace(/([^aeiouls])\1$/, "$1")
  return root.length > 2 ? root : word
}

const lower = text => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()

/* What is known of a chunk: a site has some ten thousand different ones, a query adds a few.
 *
 *   pieces   each piece as its whole and its parts: "a.fooBar" -> [["a"], ["foobar", "foo", "bar"]]
 *   row      the wholes as they stand in a row: ["a", "foobar"]
 *   terms    all of them */
const kept = new Map()

function known(chunk) {
  let found = kept.get(chunk)
  if (!found) {
    found = analysed(chunk.replace(/['’]s$/, "").replace(/['’]/g, ""))
    found.terms = found.pieces.flat()
    if (kept.size < 100_000) kept.set(chunk, found)
  }
  return found
}

function analysed(text) {
  if (VERSION.test(text) || /[+#]$/.test(text)) return { pieces: [[lower(text)]], row: [lower(text)] }
  const found = []
  for (const piece of text.split(JOINT)) {
    const whole = fold(lower(piece.replace(/_/g, "")))
    const parts = piece.split(PART).filter(part => part.length > 1)
    if (whole) found.push(parts.length < 2 ? [whole] : [whole, ...parts.map(part => fold(lower(part)))])
  }
  const row = found.map(([whole]) => whole)
  if (row.length > 1 && row.length < 4 && !/[.:@]/.test(text)) found.push([row.join("")]) // CI/CD, n+1, docker-compose
  return { pieces: found, row }
}

const chunks = text => text.match(CHUNK) ?? []
const pieces = chunk => known(chunk).pieces
const simple = chunk => known(chunk).row

/* The names of concepts, by their first word: Map {first: [{rest, term}]} */
function conceptsOf(synonyms) {
  const names = new Map()
  synonyms.forEach((group, number) =>
    group.forEach(name => {
      const [first, ...rest] = chunks(name).flatMap(simple)
      if (!first) return
      if (!names.has(first)) names.set(first, [])
      names.get(first).push({ rest, term: CONCEPT + number })
    })
  )
  return names
}

/* Call `use(term, start, end)` for each concept named in a row of words; `end` is behind its last word */
function named(row, names, use) {
  for (let start = 0; start < row.length; start++)
    for (const { rest, term } of names.get(row[start]) ?? [])
      if (rest.every((word, i) => row[start + 1 + i] === word)) use(term, start, start + 1 + rest.length)
}

/* All terms of a text, as MiniSearch indexes them */
function termsOf(text, names) {
  const terms = [], row = []
  for (const chunk of chunks(text)) {
    const found = known(chunk)
    for (const word of found.row) row.push(word)
    for (const term of found.terms) terms.push(term)
  }
  named(row, names, term => terms.push(term))
  return terms
}
