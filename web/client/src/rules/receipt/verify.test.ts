import { expect, test } from 'vitest'
import changes from '../../../../../tests/fixtures/receipts/changes.json'
import { canonical, type Json } from './canonical'
import { doubled } from './once'
import { verify, type Verification } from './verify'

// The very files the server's own verifier is tested on; python -m tests.fakes.receipts makes them.
const files = import.meta.glob<string>('../../../../../tests/fixtures/receipts/*.json', { query: '?raw', import: 'default', eager: true })
const texts = new Map(Object.entries(files).map(([path, text]) => [path.split('/').at(-1)?.replace('.json', '') ?? '', text]))
texts.delete('changes')
// Receipts of version 1, as they were signed before there was a section `tax`.
const old = import.meta.glob<string>('../../../../../tests/fixtures/receipts/v1/*.json', { query: '?raw', import: 'default', eager: true })

const said = ({ checks }: Verification) => checks.flatMap(({ name, findings }) => findings.map(({ code, place }) => `${name}/${code}/${place}`))

test('there are examples of every kind', () => {
  expect(texts.size).toBe(18)
  expect(Object.keys(old)).toHaveLength(3)
  expect(changes.length).toBeGreaterThan(400)
})

test.each([...texts.keys()])('an untouched receipt holds: %s', async (name) => {
  const verification = await verify(texts.get(name) ?? '')
  expect(said(verification)).toEqual([])
  expect(verification.checks).toHaveLength(10)
  expect(verification.receipt?.reference).toBe('CC-20261120-7KQ2')
})

test.each(Object.keys(old))('a receipt of version 1 holds, and a changed tax in it is found: %s', async (path) => {
  const text = old[path] ?? ''
  expect(said(await verify(text))).toEqual([])
  const document = JSON.parse(text)
  document.totals.vat_minor += 1
  expect(said(await verify(JSON.stringify(document)))).toContain('vat/total/vat_minor')
  expect(said(await verify(JSON.stringify({ ...JSON.parse(text), version: 2 })))).toContain('form/missing/tax')
})

test('whatever is changed, the browser finds what the server finds, at the same place', async () => {
  for (const { receipt, path, value, findings } of changes) {
    const document = JSON.parse(texts.get(receipt) ?? '')
    let inner = document
    for (const step of path.slice(0, -1)) inner = inner[step]
    inner[path.at(-1) ?? ''] = value
    // oxlint-disable-next-line no-await-in-loop -- the message names the case that fails
    expect(said(await verify(JSON.stringify(document))), path.join('.')).toEqual(findings)
  }
}, 60_000) // some hundred signatures, on whatever machine

test.each(['', '[', '[]', '1', 'null', '{}', '{"signature":{}}', '{"signature":1}'])('what is no receipt is refused: %s', async (text) => {
  const { checks, receipt } = await verify(text)
  expect(checks[0]?.findings.length).toBeGreaterThan(0)
  expect(receipt).toBeNull()
})

test('the canonical text is that of RFC 8785', () => {
  const value: Json = { '\ufb33': 1, '\u{1f600}': 2, '\u20ac': '\b\t\n\f\r"\\\u0001\u001f\u007f' }
  expect(canonical(value)).toBe('{"€":"\\b\\t\\n\\f\\r\\"\\\\\\u0001\\u001f\u007f","😀":2,"\ufb33":1}')
  expect(() => canonical(1.5)).toThrow('whole number')
})

test.each([
  ['{"reference":1,', '"reference"'],
  ['{"\\u0072eference":1,', 'an escaped name'],
])('a name that stands twice in one object is refused, as the server refuses it: %s', async (added) => {
  const [text] = [...texts.values()]
  const { checks, receipt } = await verify((text ?? '').replace('{', added))
  expect(checks).toEqual([{ name: 'form', findings: [{ code: 'json', place: 'document', said: 'a name stands twice in one object' }] }])
  expect(receipt).toBeNull()
})

test('the same name in two objects, and names inside of texts, are none', () => {
  expect(doubled('{"a":{"a":[{"a":1},{"a":"\\",\\"a\\":"}]},"b":"a","c":["a","a"]}')).toBeNull()
  expect(doubled('[{"a":[],"b":{},"a":1}]')).toBe('a')
})
