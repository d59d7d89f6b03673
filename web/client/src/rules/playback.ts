// Owns where each side's files lie on the one clock of a recorded call. PURE.
import type { RecordingFileOut } from '../api/schema'

export interface Part {
  id: string
  url: string
  startMs: number
  endMs: number
}
export interface Playback {
  customer: Part[]
  consultant: Part[]
  lengthMs: number
}

/** Both sides' files begin at the same time zero; a later stretch begins later on the same clock. */
export function arrange(files: RecordingFileOut[]): Playback {
  const zero = Math.min(...files.map((file) => Date.parse(file.started_at)))
  const side = (name: string): Part[] =>
    files
      .filter((file) => file.side === name)
      .map((file) => {
        const startMs = Date.parse(file.started_at) - zero
        return { id: file.id, url: file.url, startMs, endMs: startMs + file.duration_ms }
      })
      .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs)
  const [customer, consultant] = [side('customer'), side('consultant')]
  return { customer, consultant, lengthMs: Math.max(0, ...[...customer, ...consultant].map((part) => part.endMs)) }
}

/** The file that shows `ms`: of several that begin together the first that reaches so far. */
export function partAt(parts: Part[], ms: number): Part | null {
  return parts.find((part) => part.startMs <= ms && ms < part.endMs) ?? null
}
