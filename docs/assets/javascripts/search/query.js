/* What a reader means: operators taken out, and of a pasted error message what is the same for everybody. */

const LONG = 20_000
const LAST_LINE = /(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Warning|Violation|DoesNotExist|Exit|Timeout|Failed|Failure|Refused|Denied|Interrupt|Returned)\b:? |\b(?:[a-z_]\w*\.)+[A-Z]\w+: /g
const NOISE = [
  /\b(?:[a-z_]\w*\.)+(?=[A-Z]\w*(?:Error|Exception|Warning|Violation|DoesNotExist)\b)/g, // the module of an exception
  /\bFile "[^"]*", line \d+(?:, in \S+)?/g, // a frame of a traceback
  /\bline \d+(?: column \d+)?(?: \(char \d+\))?/g,
  /(?:\b[A-Za-z]:\\|~\/|(?<![\w/])\/(?:usr|home|app|var|opt|tmp|root|Users|srv|etc|code|site-packages|mnt|private)\/)[^\s"'`,;)>]*/g, // files
  /(?<!\S)\S*\/site-packages\/\S*/g, // from its first letter on, or a long text without spaces costs its square
  /\b(?:at )?0x[0-9a-f]+\b/gi,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,27}\b/gi, // a UUID
  /\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b/gi, // a hash
  /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/g,
  /\b\d\d:\d\d:\d\d(?:[.,]\d+)?/g,
  /\b\d{1,3}(?:\.\d{1,3}){3}\b/g, // an address
]
const OPERATOR = /(^|\s)([+-])(?=[\p{L}\p{N}_])([^\s"]+)/gu
const PHRASE = /(^|\s)([+-]?)["“„]([^"“”„]+)["“”](?=\s|$)/g // a telephone types curly ones
const FEW = 3 // words beside a phrase; more are a message: relation "shop item" does not exist

/* {text, must, not, phrases} of what was typed. A long text is a paste, and "KeyError: …" a message: what looks like an
 * operator there is none. */
function parse(typed) {
  const must = [], not = [], phrases = []
  let text = typed.slice(-LONG).replace(/[\u0000-\u001f\u007f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, " ").trim()
  if (text.length < 120) {
    const beside = text.replace(PHRASE, " ")
    const isMessage = /[:=](\s|$)/.test(beside)
    const quotesNames = isMessage || chunks(beside).length > FEW
    text = text.replace(PHRASE, (all, before, sign, words) => {
      if (!sign && (quotesNames || chunks(words).length < 2)) return all
      if (sign === "-") return not.push(words), " "
      phrases.push(words)
      return ` ${words} `
    })
    text = text.replace(OPERATOR, (all, before, sign, word) => {
      if (isMessage) return all
      if (sign === "+") must.push(word)
      else if (word.length > 2 && chunks(text).length < 9) not.push(word)
      else return all
      return sign === "+" ? ` ${word} ` : " "
    })
  }
  return { text: essence(text), must, not, phrases }
}

/* A traceback is found by its last line; a message by its words without paths, addresses and times */
function essence(text) {
  if (/Traceback \(most recent call last\)|\bFile "[^"]+", line \d+/.test(text)) {
    const heads = [...text.matchAll(LAST_LINE)]
    if (heads.length) text = text.slice(heads.at(-1).index)
  }
  const calm = NOISE.reduce((rest, noise) => rest.replace(noise, " "), text)
  return chunks(calm).length ? calm : text
}
