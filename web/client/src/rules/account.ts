// Owns which kind of account a ledger account is: its owner's number tells a person nothing. PURE.

/** "customer:<id>:receivable" → "receivable", "connected:<id>:bank" → "connected_bank", "stripe:clearing" → "stripe_clearing". */
export function accountKind(account: string): string {
  const parts = account.split(/[:\s]/)
  if (parts[0] === 'customer' || parts[0] === 'consultant') return parts.at(-1) ?? account
  return `${parts[0]}_${parts.at(-1)}`.replace(/^(\w+)_\1$/, '$1')
}
