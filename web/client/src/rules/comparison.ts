// Owns the choice of consultants to compare: at most three, the first chosen stays first.
export const MOST_COMPARED = 3

export function toggled(chosen: readonly string[], id: string): string[] {
  if (chosen.includes(id)) return chosen.filter((each) => each !== id)
  return chosen.length < MOST_COMPARED ? [...chosen, id] : [...chosen]
}
