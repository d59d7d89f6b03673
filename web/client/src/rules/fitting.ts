// Owns whether anybody on a list has to do with the question at all.
import type { Match } from '../api/types'

const strange = ({ concerns }: Pick<Match, 'concerns'>) => concerns.some(({ code }) => code === 'nothing_in_common')

/** People are there, but neither the profile nor the past answers of any has to do with the question. */
export const nobodyFits = (found: readonly Pick<Match, 'concerns'>[]) => found.length > 0 && found.every(strange)
