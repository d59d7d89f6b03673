// Owns what Stripe's names of missing facts are about (docs.stripe.com/connect/handling-api-verification). PURE.

const topics = [
  ['bank', /external_account/],
  ['terms', /tos_acceptance/],
  ['document', /verification|document/],
  ['birth', /\.dob\b/],
  ['address', /\.address\b/],
  ['contact', /\.(email|phone)\b/],
  ['tax', /tax_id|id_number|ssn|vat_id/],
  ['name', /\.(first_name|last_name|name)\b/],
  ['business', /^(business_|company|owners|directors|representative)/],
] as const
export type Topic = (typeof topics)[number][0] | 'other'

/** Each topic once, in the order of the table; what is unknown is `other`. */
export function topicsOf(codes: readonly string[]): Topic[] {
  const found = new Set<Topic>(codes.map((code) => topics.find(([, pattern]) => pattern.test(code))?.[0] ?? 'other'))
  const order: Topic[] = [...topics.map(([topic]) => topic), 'other']
  return order.filter((topic) => found.has(topic))
}
