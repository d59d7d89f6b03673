// Owns who is signed in, in this tab: the access token lives in memory only, the refresh cookie belongs to the browser.
import type { Account, Login, Role } from './types'

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly requestId: string | null = null,
  ) {
    super(message)
  }
}

export interface SessionState {
  status: 'loading' | 'signed_out' | 'signed_in'
  account: Account | null
}

// A frame on /demo carries its part in its window name: it survives reloads and, unlike a cookie, is not shared with the other frame.
const fromAddress = new URLSearchParams(location.search).get('as')
if (window.self !== window.top && fromAddress) window.name = `demo:${fromAddress}`
export const demoRole: Role | null =
  window.self !== window.top && window.name.startsWith('demo:') ? (window.name.slice(5) as Role) : null

let token: string | null = null
let expiresAt = 0
let state: SessionState = { status: 'loading', account: null }
let refreshing: Promise<boolean> | null = null
const listeners = new Set<() => void>()

export const session = {
  subscribe(listener: () => void) {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  },
  get: () => state,
  token: () => token,
  expiresInMs: () => expiresAt - performance.now(),
}

function become(next: SessionState) {
  state = next
  for (const listener of listeners) listener()
}

export function signedIn(login: Login) {
  token = login.access_token
  expiresAt = performance.now() + login.expires_in_s * 1000
  become({ status: 'signed_in', account: login.account })
}

export function signedOut() {
  token = null
  become({ status: 'signed_out', account: null })
}

export function accountChanged(account: Account) {
  become({ ...state, account })
}

export function csrfToken(): string {
  const found = document.cookie.split('; ').find((part) => part.startsWith('csrf='))
  return found ? decodeURIComponent(found.slice(5)) : ''
}

async function renew(): Promise<boolean> {
  if (demoRole) return takeLogin('/api/demo/session', { role: demoRole })
  if (!csrfToken()) {
    signedOut()
    return false
  }
  return takeLogin('/api/auth/refresh', null)
}

async function takeLogin(path: string, body: unknown): Promise<boolean> {
  let reply: Response
  try {
    reply = await fetch(path, {
      method: 'POST',
      headers: { 'X-CSRF-Token': csrfToken(), 'Content-Type': 'application/json' },
      body: JSON.stringify(body ?? {}),
    })
  } catch {
    // The server cannot be reached: that says nothing about who we are. Someone signed in stays so and tries again.
    if (state.status === 'loading') signedOut()
    return false
  }
  if (reply.ok) {
    signedIn((await reply.json()) as Login)
    return true
  }
  if (reply.status < 500 && reply.status !== 429) signedOut()
  else if (state.status === 'loading') signedOut()
  return false
}

/** One refresh at a time in all tabs: the cookie is rotated at each, and using an old one twice ends the session. */
export function refresh(): Promise<boolean> {
  refreshing ??= (navigator.locks ? navigator.locks.request('session-refresh', renew) : renew()).finally(() => {
    refreshing = null
  })
  return refreshing
}
