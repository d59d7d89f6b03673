// Owns the verification of a receipt in the browser: from the text of a file to checks. Nothing is sent anywhere.
import { canonical, isFields, type Json } from './canonical'
import { check } from './checks'
import { doubled } from './once'
import type { Check, Finding, SignedReceipt } from './shape'

export interface Verification {
  checks: Check[]
  receipt: SignedReceipt | null
}

/** Every check of the text of a receipt; the receipt itself only when it has the form of one. */
export async function verify(text: string): Promise<Verification> {
  let document: Json
  try {
    document = JSON.parse(text)
    if (doubled(text) !== null) throw new SyntaxError('a name stands twice in one object')
  } catch (error) {
    return { receipt: null, checks: [{ name: 'form', findings: [{ code: 'json', place: 'document', said: String((error as Error).message) }] }] }
  }
  const [form, ...others] = await check(document)
  if (!form) return { receipt: null, checks: [] }
  const signature = { name: 'signature', findings: await signatureFindings(document) }
  return { receipt: form.findings.length ? null : (document as unknown as SignedReceipt), checks: [form, signature, ...others] }
}

async function signatureFindings(document: Json): Promise<Finding[]> {
  const place = 'signature'
  const signature = isFields(document) ? document.signature : null
  if (!isFields(document) || !isFields(signature ?? null)) return [{ code: 'missing', place }]
  const { alg, key_id, public_key, value, ...unknown } = signature as { [name: string]: Json }
  if (![alg, key_id, public_key, value].every((each) => typeof each === 'string')) return [{ code: 'missing', place }]
  const found: Finding[] = []
  if (alg !== 'Ed25519') found.push({ code: 'algorithm', place, said: alg ?? null, found: 'Ed25519' })
  if (key_id !== (await keyId(String(public_key)))) found.push({ code: 'key_id', place })
  const bare = { alg, key_id, public_key, ...unknown } as { [name: string]: Json }
  const good = await signed({ ...document, signature: bare }, String(public_key), String(value))
  if (good === null) found.push({ code: 'no_ed25519', place })
  if (good === false) found.push({ code: 'signature', place })
  return found
}

/** The key's thumbprint (RFC 7638). */
async function keyId(publicKey: string): Promise<string> {
  const thumb = canonical({ crv: 'Ed25519', kty: 'OKP', x: publicKey })
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(thumb)))
  return encode(hash)
}

/** Whether the signature is good; null where this browser knows no Ed25519. */
async function signed(document: Json, publicKey: string, value: string): Promise<boolean | null> {
  const [raw, signature] = [decode(publicKey), decode(value)]
  if (raw?.length !== 32 || !signature) return false
  let text: string
  try {
    text = canonical(document)
  } catch {
    return false // what has no canonical text was never signed
  }
  try {
    const key = await crypto.subtle.importKey('raw', raw, { name: 'Ed25519' }, false, ['verify'])
    return await crypto.subtle.verify({ name: 'Ed25519' }, key, signature, new TextEncoder().encode(text))
  } catch (error) {
    if ((error as Error).name === 'NotSupportedError') return null
    return false // not a point of the curve
  }
}

const encode = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

/** Bytes of base64url without padding; null when the text is not the one way to write them. */
function decode(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.codePointAt(0) ?? 0)
    return encode(bytes) === text ? bytes : null
  } catch {
    return null
  }
}
