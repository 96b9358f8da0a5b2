/* The sentence of an entry that answers, as HTML: code as code, what matched marked, all else escaped. */
const TEASER = 240
const SENTENCE = /(?<=[.!?:])\s+(?=[\p{Lu}`])|\n/u

const escape = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;")

const isHit = (chunk, terms) => pieces(chunk).some(piece => piece.some(term => terms.has(term)))

/* HTML of a text with <mark> around each chunk that matched; `seen` collects those chunks */
function marked(text, terms, seen) {
  let html = "", at = 0
  for (const { 0: chunk, index } of text.matchAll(CHUNK)) {
    if (!isHit(chunk, terms)) continue
    html += `${escape(text.slice(at, index))}<mark>${escape(chunk)}</mark>`
    at = index + chunk.length
    seen?.add(chunk.toLowerCase())
  }
  return html + escape(text.slice(at))
}

/* A line of an entry: code where its backticks say so */
function line(text, terms, seen) {
  if (text[0] === "\t") return `<code>${marked(text.slice(1), terms, seen)}</code>`
  return text.split("`").map((part, i) => (i % 2 ? part && `<code>${marked(part, terms, seen)}</code>` : marked(part, terms, seen))).join("")
}

/* The sentence with the rarest of the matched words, and what follows it while there is room */
function teaser(text, terms, rarity, seen) {
  const sentences = text.split(SENTENCE).filter(sentence => sentence.trim())
  let best = 0, most = -1
  sentences.forEach((sentence, i) => {
    const found = new Set(chunks(sentence).flatMap(pieces).flat().filter(term => terms.has(term)))
    const worth = [...found].reduce((sum, term) => sum + rarity(term), 0)
    if (worth > most) [best, most] = [i, worth]
  })
  const shown = []
  for (let i = best, size = 0; i < sentences.length && (i === best || size + sentences[i].length < TEASER); i++) {
    const sentence = i === best ? cut(sentences[i], terms) : sentences[i]
    if (i > best && sentence[0] === "\t" !== (shown[0][0] === "\t")) break // prose or code, not both
    shown.push(sentence)
    size += sentence.length
  }
  return shown.map(sentence => line(sentence, terms, seen)).join(" ")
}

/* A sentence that is too long, from a little before its first match; code stays between its backticks */
function cut(sentence, terms) {
  if (sentence.length <= TEASER) return sentence
  const first = [...sentence.matchAll(CHUNK)].find(({ 0: chunk }) => isHit(chunk, terms))?.index ?? 0
  const from = first < 80 ? 0 : sentence.indexOf(" ", first - 60) + 1
  const to = from + TEASER < sentence.length ? sentence.lastIndexOf(" ", from + TEASER) : sentence.length
  const open = text => (text.split("`").length % 2 ? "" : "`")
  const code = sentence[0] === "\t"
  const middle = sentence.slice(from, to > from ? to : from + TEASER)
  const before = code ? "" : open(sentence.slice(0, from))
  return `${code && from ? "\t" : ""}${from ? "… " : ""}${before}${middle}${code ? "" : open(before + middle)}${to < sentence.length ? " …" : ""}`
}
