// Owns the arithmetic of the drawn figures: a round number above the greatest, and lines that break where nothing is known.

/** The smallest of 1, 2, 2.5 or 5 times a power of ten that is not below `most`; 1 when there is nothing. */
export function roundAbove(most: number): number {
  if (!(most > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(most))
  const step = [1, 2, 2.5, 5, 10].find((each) => each * power >= most * (1 - 1e-9)) ?? 10
  return step * power
}

/** Runs of neighbouring known values, as [position, value]; a null ends a run. */
export function runs(values: (number | null)[]): [number, number][][] {
  const found: [number, number][][] = [[]]
  values.forEach((value, n) => {
    if (value === null) found.push([])
    else found.at(-1)?.push([n, value])
  })
  return found.filter((run) => run.length > 0)
}

/** Every day from the first to the last (`YYYY-MM-DD`), also those of which nothing is known. */
export function everyDay(first: string, last: string): string[] {
  const days: string[] = []
  for (let at = Date.parse(first); at <= Date.parse(last); at += 86_400_000) days.push(new Date(at).toISOString().slice(0, 10))
  return days
}
