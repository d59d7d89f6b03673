// Owns the check of the catalogues: same keys, same placeholders, nothing empty or twice, nothing unused or unknown in the source.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = new URL('..', import.meta.url).pathname
const source = (path) => readFileSync(join(root, path), 'utf8')
const files = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap((each) =>
    each.isDirectory() ? files(join(folder, each.name)) : /\.tsx?$/.test(each.name) ? [join(folder, each.name)] : [],
  )

function catalogue(path) {
  const entries = [...source(path).matchAll(/^ {2}'([^']+)':\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"),$/gm)]
  return new Map(entries.map(([, key, text]) => [key, text.slice(1, -1)]))
}
const placeholders = (text) => [...new Set([...text.matchAll(/\{(\w+)[,}]/g)].map((found) => found[1]))].toSorted().join(' ')

const parts = ['', 'finance/', 'admin/', 'matching/']
const complaints = []
function whole(language) {
  const messages = new Map()
  for (const part of parts) {
    for (const [key, text] of catalogue(`src/i18n/${part}${language}.ts`)) {
      if (messages.has(key)) complaints.push(`${key}: written twice (${language})`) // one would silently hide the other
      messages.set(key, text)
    }
  }
  return messages
}
const en = whole('en')
const de = whole('de')
const code = files('src').filter((path) => !path.includes('i18n')).map(source).join('\n')
// Keys put together from a code of the server: their beginning must appear in the source.
const families = [...code.matchAll(/coded\('([\w.]+)'|t\(`([a-z_.]+)\.\$\{/g)].map((found) => `${found[1] ?? found[2]}.`)
for (const [key, text] of en) {
  const other = de.get(key)
  if (!text.trim() || !other?.trim()) complaints.push(`${key}: empty or missing`)
  else if (placeholders(text) !== placeholders(other)) complaints.push(`${key}: placeholders differ`)
  const used = code.includes(`'${key}'`) || families.some((family) => key.startsWith(family)) || /^(check)\./.test(key)
  if (!used) complaints.push(`${key}: not used`)
}
for (const key of de.keys()) if (!en.has(key)) complaints.push(`${key}: only in German`)
for (const [, key] of code.matchAll(/\bt\(\s*'([^']+)'/g)) if (!en.has(key)) complaints.push(`${key}: used but not written`)

console.log(complaints.length ? complaints.join('\n') : `${en.size} messages, complete in English and German`)
process.exit(complaints.length ? 1 : 0)
