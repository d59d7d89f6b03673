// Owns named views of a list: filters under a name, as text that can be kept; what cannot be read is left out. PURE.

/** ``search`` is the query part of an address, without its question mark. */
export interface View {
  name: string
  search: string
}

const isView = (each: unknown): each is View =>
  typeof each === 'object' && each !== null && 'name' in each && 'search' in each && typeof each.name === 'string' && typeof each.search === 'string'

export function readViews(kept: string | null): View[] {
  try {
    const found: unknown = JSON.parse(kept ?? '[]')
    return Array.isArray(found) ? found.filter(isView) : []
  } catch {
    return [] // kept by an older version, or changed by hand
  }
}

/** The same name again replaces the view. */
export function withView(views: View[], view: View): View[] {
  return [...views.filter((each) => each.name !== view.name), view].toSorted((a, b) => a.name.localeCompare(b.name))
}
