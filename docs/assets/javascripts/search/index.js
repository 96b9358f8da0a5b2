/* The index of a site: one document for each section, question and message.
 *
 * An entry is {location, title, text, boost?, questions?, messages?, listed?}, the first one of a page being the page
 * itself. Questions lead to their page and are never shown. A message is found in the section that explains it and,
 * with less weight, in the section where it is `listed`.
 */
const BOOST = { title: 2, page: 3, text: 1, question: 2, message: 2 }
const FIELDS = Object.keys(BOOST)

const pageOf = location => location.split("#")[0]

function documentsOf(entries) {
  const documents = [], pages = new Map(), places = new Map(entries.map(entry => [entry.location, entry]))
  const add = (kind, entry, fields) =>
    documents.push({ id: documents.length, kind, entry, url: pageOf(entry.location), ...fields })
  for (const entry of entries) {
    const url = pageOf(entry.location)
    if (!pages.has(url)) pages.set(url, entry)
    add("section", entry, { title: entry.title, text: entry.text, page: pages.get(url).title })
    for (const question of entry.questions ?? []) add("question", entry, { question })
    for (const message of entry.messages ?? []) {
      add("message", entry, { message })
      const list = places.get(entry.listed)
      if (!list) continue
      add("listed", list, { message })
      list.text += `\n\`${message}\``
    }
  }
  return { documents, pages }
}

/* All that a query asks of the index */
function createIndex({ config, docs }) {
  const names = conceptsOf(config.synonyms ?? [])
  const { documents, pages } = documentsOf(docs)
  const uses = new Map() // term -> number of documents
  const written = new Set() // terms of reviewed text: none of them is a misspelling
  const mini = new MiniSearch({
    fields: FIELDS,
    extractField: (document, field) => (field === "id" ? document.id : document.words[field]),
    stringifyField: terms => terms,
    tokenize: terms => terms,
    processTerm: term => term,
  })
  for (const document of documents) {
    document.words = {}
    for (const field of FIELDS) {
      if (!document[field]) continue
      const terms = termsOf(document[field], names)
      // a third of a text is stop words: the titles and questions suffice for a query that has nothing else
      document.words[field] = field === "text" ? terms.filter(term => !STOP.has(term)) : terms
    }
    const terms = new Set(Object.values(document.words).flat())
    for (const term of terms) {
      uses.set(term, (uses.get(term) ?? 0) + 1)
      if (document.kind !== "question") written.add(term)
    }
    if (document.kind !== "section") document.terms = [...terms]
    mini.add(document)
    delete document.words
  }
  // what several readers write alike is no slip either
  for (const [term, times] of uses) if (times > 1) written.add(term)

  const rarity = term => Math.log(1 + documents.length / (uses.get(term) ?? 0.5))
  const weightOf = terms => terms.reduce((sum, term) => sum + (STOP.has(term) ? 0.1 : rarity(term)), 0)
  for (const document of documents) if (document.terms) document.weight = weightOf(document.terms)
  const forms = new Map() // stem -> words of the site
  for (const word of uses.keys()) {
    const root = stem(word)
    if (root) forms.set(root, [...(forms.get(root) ?? []), word])
  }
  // what to mark in a text: a concept stands there as one of its names
  const oneWord = (config.synonyms ?? []).map(group => group.map(name => chunks(name)).filter(name => name.length === 1))
  const shown = terms =>
    new Set(terms.flatMap(term => (term[0] === CONCEPT ? oneWord[term.slice(1)].flat().flatMap(simple) : term)))
  return { shown, documents, pages, names, mini, uses, written, rarity, weightOf, forms, similar: speller(written, uses) }
}
