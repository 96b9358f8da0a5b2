/* The sentence of an entry that answers, as HTML: code as code, what matched marked, all else escaped. */
const TEASER = 240
const SENTENCE = /(?:`[^`\n]*`|[^`\n]|`)+?(?:[.!?](?=\s+[\p{Lu}`])|$)/gmu

const escape = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;")

/* matcher(terms) -> the terms of a chunk that are among `terms`; the answers are kept while one query is drawn */
function matcher(terms) {
  const kept = new Map()
  return chunk => {
    let found = kept.get(chunk)
    if (!found) kept.set(chunk, (found = known(chunk).terms.filter(term => terms.has(term))))
    return found
  }
}

/* HTML of a text with <mark> around each chunk that matched; `seen` collects those chunks */
function marked(text, match, seen) {
  let html = "", at = 0
  for (const { 0: chunk, index } of text.matchAll(CHUNK)) {
    if (!match(chunk).length) continue
    html += `${escape(text.slice(at, index))}<mark>${escape(chunk)}</mark>`
    at = index + chunk.length
    seen.add(chunk.toLowerCase())
  }
  return html + escape(text.slice(at))
}

/* A line of an entry: code behind a tab and between backticks */
function line(text, match, seen) {
  const code = part => part && `<code>${marked(part, match, seen)}</code>`
  if (text[0] === "\t") return code(text.slice(1))
  return text.split("`").map((part, i) => (i % 2 ? code(part) : marked(part, match, seen))).join("")
}

/* The sentences of a text with their chunks; a text that is shown once is likely to be shown for the next key too */
const split = new Map()
function sentencesOf(text) {
  if (!split.has(text)) {
    const sentences = (text.match(SENTENCE) ?? [""]).map(sentence => sentence.replace(/^ +/, ""))
    split.set(text, sentences.map(sentence => [sentence, chunks(sentence)]))
  }
  return split.get(text)
}

/* The sentence with the message that was searched, or with the rarest of the matched words; and what follows it while there is room */
function teaser(text, match, rarity, seen, message) {
  const sentences = sentencesOf(text)
  let best = 0, most = -1
  sentences.forEach(([sentence, words], i) => {
    const found = new Set()
    for (const word of words) for (const term of match(word)) found.add(term)
    let worth = message && sentence.includes(message) ? Infinity : 0
    for (const term of found) worth += rarity(term)
    if (worth > most) [best, most] = [i, worth]
  })
  const shown = [cut(sentences[best][0], match)]
  for (let i = best + 1, size = shown[0].length; (size += sentences[i]?.[0].length) < TEASER; i++) {
    if ((sentences[i][0][0] === "\t") !== (shown[0][0] === "\t")) break // prose or code, not both
    shown.push(sentences[i][0])
  }
  return shown.map(sentence => line(sentence, match, seen)).join(" ")
}

/* A sentence that is too long, from a little before its first match; code stays between its backticks */
function cut(sentence, match) {
  if (sentence.length <= TEASER) return sentence
  const first = [...sentence.matchAll(CHUNK)].find(({ 0: chunk }) => match(chunk).length)?.index ?? 0
  const from = first < 80 ? 0 : sentence.indexOf(" ", first - 60) + 1
  const space = sentence.lastIndexOf(" ", from + TEASER)
  const to = from + TEASER >= sentence.length ? sentence.length : space > from ? space : from + TEASER
  const within = text => (text.split("`").length % 2 ? "" : "`") // a backtick where the text breaks off in code
  const middle = sentence.slice(from, to), before = within(sentence.slice(0, from))
  const ends = sentence[0] === "\t" ? [from ? "\t" : "", ""] : [before, within(before + middle)]
  return `${ends[0]}${from ? "… " : ""}${middle}${ends[1]}${to < sentence.length ? " …" : ""}`
}
