// Owns the socket and the newest snapshot: what the server says this person is in, and what the server's clock shows.
import { createContext, type ReactNode, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { io, type Socket } from 'socket.io-client'
import { ApiError, refresh, session, signedOut } from '../api/session'
import type { Snapshot } from '../api/types'

type Ack = { ok: true } & Record<string, unknown>
type Listener = (message: never) => void

/** One socket for the page; React sees it through `useLive`. */
class Live {
  snapshot: Snapshot | null = null
  connected = false
  private offsetMs = Date.now() - performance.now()
  private readonly listeners = new Set<() => void>()
  private readonly handlers = new Map<string, Set<Listener>>()
  private socket: Socket | null = null
  private view: { snapshot: Snapshot | null; connected: boolean } = { snapshot: null, connected: false }

  subscribe = (listener: () => void) => {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }
  read = () => this.view

  /** The server's clock, carried on by a clock that nobody sets while the page is open. */
  now = () => this.offsetMs + performance.now()

  open() {
    if (this.socket) return
    const socket = io({
      path: '/socket.io',
      transports: ['websocket'],
      auth: (give) => give({ token: session.token() }),
      reconnectionDelay: 500,
      reconnectionDelayMax: 3_000,
    })
    this.socket = socket
    socket.on('connect', () => this.changed({ connected: true }))
    socket.on('disconnect', (reason) => {
      this.changed({ connected: false })
      // The server closed it on purpose: Socket.IO does not come back by itself then.
      if (reason === 'io server disconnect') void refresh().then((ok) => ok && socket.connect())
    })
    socket.on('connect_error', () => {
      if (socket.active) return
      void refresh().then((ok) => {
        if (ok) socket.connect()
        else if (session.get().status === 'signed_in') setTimeout(() => socket.connect(), 2_000)
      })
    })
    socket.on('snapshot', (snapshot: Snapshot) => this.take(snapshot))
    socket.on('signed_out', () => signedOut())
    socket.onAny((event: string, message: unknown) => {
      for (const handler of this.handlers.get(event) ?? []) handler(message as never)
    })
  }

  close() {
    this.socket?.disconnect()
    this.socket = null
    this.changed({ connected: false, snapshot: null })
  }

  on<T>(event: string, handler: (message: T) => void) {
    const set = this.handlers.get(event) ?? new Set()
    this.handlers.set(event, set.add(handler as Listener))
    return () => void set.delete(handler as Listener)
  }

  async send<T = Ack>(event: string, payload: Record<string, unknown> = {}): Promise<T> {
    const socket = this.socket
    if (!socket) throw new ApiError(0, 'network', 'There is no connection.')
    let reply: { ok: boolean; code?: string; message?: string }
    try {
      reply = await socket.timeout(8_000).emitWithAck(event, { v: 1, ...payload })
    } catch {
      throw new ApiError(0, 'network', 'The server did not answer.')
    }
    if (!reply.ok) throw new ApiError(400, reply.code ?? 'error', reply.message ?? '')
    return reply as T
  }

  /** Ask whether we have missed something; the answer is a snapshot when we have. */
  sync = () => {
    if (this.connected) void this.send('sync', { version: this.snapshot?.version ?? 0 }).catch(() => undefined)
  }

  private take(snapshot: Snapshot) {
    this.offsetMs = Date.parse(snapshot.server_now) - performance.now()
    this.changed({ snapshot })
  }

  private changed(part: Partial<{ snapshot: Snapshot | null; connected: boolean }>) {
    Object.assign(this, part)
    this.view = { snapshot: this.snapshot, connected: this.connected }
    for (const listener of this.listeners) listener()
  }
}

export const live = new Live()
const LiveContext = createContext<{ snapshot: Snapshot | null; connected: boolean }>({ snapshot: null, connected: false })
export const useLive = () => useContext(LiveContext)

export function useSession() {
  return useSyncExternalStore(session.subscribe, session.get)
}

function useInterval(action: () => void, everyMs: number, on: boolean) {
  const latest = useRef(action)
  latest.current = action
  useEffect(() => {
    if (!on) return
    const timer = setInterval(() => latest.current(), everyMs)
    return () => clearInterval(timer)
  }, [everyMs, on])
}

export function LiveProvider({ children }: { children: ReactNode }) {
  const { status, account } = useSession()
  const view = useSyncExternalStore(live.subscribe, live.read)
  const signedIn = status === 'signed_in'
  const userId = account?.id

  useEffect(() => {
    if (!signedIn) return
    live.open()
    return () => live.close()
  }, [signedIn, userId])

  const busy = Boolean(view.snapshot?.call || view.snapshot?.offers.length || view.snapshot?.request)
  useInterval(live.sync, busy ? 5_000 : 15_000, view.connected)
  useInterval(() => void live.send('heartbeat').catch(() => undefined), 10_000, view.connected)
  useInterval(
    () => {
      if (session.expiresInMs() > 60_000) return
      void refresh()
        .then(async (ok) => {
          if (ok && live.connected) await live.send('auth.refresh', { token: session.token() })
        })
        .catch(live.sync) // not answered: the next tick, or the reconnect with the new token, makes up for it
    },
    10_000,
    signedIn,
  )
  useEffect(() => {
    const wake = () => document.visibilityState === 'visible' && live.sync()
    document.addEventListener('visibilitychange', wake)
    return () => document.removeEventListener('visibilitychange', wake)
  }, [])
  return <LiveContext.Provider value={view}>{children}</LiveContext.Provider>
}

/** The server's time in ms, moving while `on`. */
export function useServerNow(on = true, everyMs = 250): number {
  const [now, setNow] = useState(live.now)
  useInterval(() => setNow(live.now()), everyMs, on)
  return now
}
