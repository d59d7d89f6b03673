// Owns the lock file's cleanliness: takes the funding addresses out, so that it names no host at all.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
for (const entry of Object.values(lock.packages)) {
  delete entry.funding
  delete entry.resolved
}
writeFileSync(file, JSON.stringify(lock, null, 2) + '\n')
