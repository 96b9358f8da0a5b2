/* The words of the site that a misspelt one may mean. */

/* speller(words, uses) -> (word, most) => [[word, distance]], best first: at most 3 with the least distance, at most `most` */
function speller(words, uses) {
  const known = [...words].filter(word => word.length > 2 && word[0] !== CONCEPT && !NUMBER.test(word))
  const masks = known.map(letters)
  return (word, most = word.length < 5 ? 1 : 2) => {
    const mine = letters(word), found = []
    known.forEach((other, i) => {
      if (Math.abs(other.length - word.length) > most || bits(mine ^ masks[i]) > 2 * most) return
      const distance = edits(word, other, most)
      if (distance <= most) found.push([other, distance + (other[0] === word[0] ? 0 : 0.5)])
    })
    found.sort(([a, x], [b, y]) => x - y || uses.get(b) - uses.get(a))
    return found.filter(([, distance]) => distance < found[0][1] + 1).slice(0, 3)
  }
}

/* The letters of a word as bits: two words with three different letters are two edits apart at least */
function letters(word) {
  let mask = 0
  for (let i = 0; i < word.length; i++) mask |= 1 << word.charCodeAt(i) % 32
  return mask
}

function bits(mask) {
  let count = 0
  for (; mask; mask &= mask - 1) count++
  return count
}

/* Letters to insert, delete, replace, or swap with their neighbour; more than `most` is most + 1 */
function edits(a, b, most) {
  let before, row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] !== b[j - 1]))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) next[j] = Math.min(next[j], before[j - 2] + 1)
    }
    if (Math.min(...next) > most) return most + 1
    before = row
    row = next
  }
  return row[b.length]
}
