// Owns the one way to call the HTTP API: bearer token, one silent refresh, errors as ApiError.
import { ApiError, csrfToken, refresh, session } from './session'

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

async function send(method: Method, path: string, body?: unknown): Promise<Response> {
  const headers: Record<string, string> = {}
  const token = session.token()
  if (token) headers.Authorization = `Bearer ${token}`
  if (path.startsWith('/api/auth/')) headers['X-CSRF-Token'] = csrfToken()
  const file = body instanceof Blob
  if (body !== undefined) headers['Content-Type'] = file ? body.type : 'application/json'
  try {
    return await fetch(path, { method, headers, body: file ? body : body === undefined ? undefined : JSON.stringify(body) })
  } catch {
    throw new ApiError(0, 'network', 'The server could not be reached.')
  }
}

async function failure(reply: Response): Promise<ApiError> {
  try {
    const { error } = (await reply.json()) as {
      error: { code: string; message: string; details?: Record<string, unknown>; request_id?: string }
    }
    return new ApiError(reply.status, error.code, error.message, error.details, error.request_id ?? null)
  } catch {
    return new ApiError(reply.status, reply.status >= 500 ? 'upstream' : 'error', reply.statusText)
  }
}

async function request(method: Method, path: string, body?: unknown): Promise<Response> {
  if (session.token() && session.expiresInMs() < 10_000) await refresh()
  let reply = await send(method, path, body)
  if (reply.status === 401 && session.token() && (await refresh())) reply = await send(method, path, body)
  if (!reply.ok) throw await failure(reply)
  return reply
}

export async function call<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const reply = await request(method, path, body)
  const text = await reply.text()
  return (text ? JSON.parse(text) : undefined) as T
}

export const get = <T>(path: string) => call<T>('GET', path)
export const post = <T>(path: string, body: unknown = {}) => call<T>('POST', path, body)
export const put = <T>(path: string, body: unknown) => call<T>('PUT', path, body)
export const remove = (path: string) => call<undefined>('DELETE', path)
export const patch = <T>(path: string, body: unknown) => call<T>('PATCH', path, body)

/** Files need the bearer header too, so they are fetched and handed to the browser as a blob. */
export async function download(path: string, name: string) {
  const reply = await request('GET', path)
  const address = URL.createObjectURL(await reply.blob())
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(address), 10_000)
}

export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const filled = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const text = new URLSearchParams(filled.map(([key, value]) => [key, String(value)])).toString()
  return text ? `?${text}` : ''
}
