// Owns what may be attached, as the server sees it too: said before a byte is sent.
export const MOST_FILES = 3
export const MOST_BYTES = 5 * 1024 * 1024
const types = ['image/png', 'image/jpeg', 'application/pdf', 'text/plain']
export const ACCEPT = [...types, '.png', '.jpg', '.jpeg', '.pdf', '.txt', '.log', '.md', '.csv'].join(',')

export type Complaint = 'type' | 'large' | 'many' | 'empty'

/** The type a file is sent under. Logs and notes are plain text, whatever a browser calls them. */
export function typeOf({ name, type }: { name: string; type: string }): string | null {
  if (types.includes(type)) return type
  return /\.(txt|log|md|csv)$/i.test(name) ? 'text/plain' : null
}

export function complaintAbout(file: { name: string; type: string; size: number }, already: number): Complaint | null {
  if (already >= MOST_FILES) return 'many'
  if (!typeOf(file)) return 'type'
  if (file.size > MOST_BYTES) return 'large'
  return file.size === 0 ? 'empty' : null
}
