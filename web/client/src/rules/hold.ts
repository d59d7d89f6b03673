// Owns why an account is held, as it crosses the wire: a person's own words, or what a comparison found. PURE.

/** The kind of difference for which a comparison held the account; null when a person said why. */
export const comparisonOf = (reason: string): string | null => /^reconciliation: ([a-z_]+)$/.exec(reason)?.[1] ?? null
