// Owns how codes and moments of the server are told apart and read, PURE, where no catalogue has words for them.

/** A moment as the server writes it. */
export const MOMENT = /^\d{4}-\d\d-\d\dT/

/** A code without words of ours is still readable. */
export const plainCode = (code: string) => code.replaceAll(/[_.:]/g, ' ')

/** The same of a figure's name, whose unit its value tells. */
export const plainName = (name: string) => plainCode(name.replace(/_(minor|ms)$/, ''))
