// Owns reading the names of the ranker's features, which are put together: what is read, by which likeness, and its numbers.
export interface FeatureName {
  key: string
  params: Record<string, number>
}

export function readFeature(name: string): FeatureName {
  const votes = /^votes_(\w+)_(\d+)_(\d+)$/.exec(name)
  if (votes) return { key: `votes_${votes[1] ?? ''}`, params: { power: Number(votes[2]), days: Number(votes[3]) } }
  const part = /^((?:best|mean)_\w+)_(\d+)$/.exec(name)
  if (part) return { key: part[1] ?? '', params: { power: Number(part[2]) } }
  const active = /^active_(\d+)$/.exec(name)
  if (active) return { key: 'active', params: { days: Number(active[1]) } }
  return { key: name, params: {} }
}
